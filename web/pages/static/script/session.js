// The end of the session, told before it comes; and, before something is sent, whether it has come.
const page = document.body.dataset;
const SOON = 5 * 60;
let endsAt = Date.now() + Number(page.seconds) * 1000;
const ending = document.getElementById("ending");
const ended = document.getElementById("ended");

export const left = () => (endsAt - Date.now()) / 1000;

export function showEnded() {
  ending.hidden = true;
  ended.hidden = false;
  ended.scrollIntoView({ block: "center" });
}

// True when the session lives: the forms of the page then carry its token. False once it is
// over, or another one is signed in: what was begun here is not sent to them. Throws when there is no
// network, and "gate" when it answers in the place of this site, as one that asks to register does.
// `how`: "?used=no" where nobody did anything, which is no use of the session.
export async function isOpen(how = "") {
  const headers = { Accept: "application/json" };
  const answer = await fetch(page.session + how, { redirect: "manual", cache: "no-store", headers });
  if (answer.status === 401) return false;
  if (answer.type === "opaqueredirect") throw new Error("gate");
  // What is sent next will tell.
  if (!answer.ok) return true;
  const { form, who, seconds } = await answer.json().catch(() => ({}));
  if (!form) throw new Error("gate");
  if (who !== page.who) return false;
  endsAt = Date.now() + seconds * 1000;
  for (const field of document.querySelectorAll("input[name=form]")) field.value = form;
  ended.hidden = true;
  look();
  return true;
}

// A request whose sending is told as it goes on; older browsers do not tell it of `fetch`.
export function ask(method, address, body, headers = {}, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    for (const [name, value] of Object.entries({ Accept: "application/json", ...headers })) {
      request.setRequestHeader(name, value);
    }
    if (told) request.upload.addEventListener("progress", told);
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", reject);
    request.send(body);
  });
}

// The button that sends a form: older browsers do not say it.
let pressed;
document.addEventListener("click", ({ target }) => { pressed = target.closest?.("button"); }, true);
export const buttonOf = ({ submitter, target }) => submitter ?? (pressed?.form === target ? pressed : null);

// Send a form as its button would; older browsers cannot be asked to.
export function submit(form, button) {
  if (form.requestSubmit) return form.requestSubmit(button);
  if (button?.name) {
    const { name, value } = button;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  if (button?.hasAttribute("formaction")) form.action = button.formAction;
  form.submit();
}

// After its end, a form that was begun keeps what is in it. `checked`: "asking", then "yes".
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const { checked } = form.dataset;
  if (left() > 0 || form.method !== "post" || event.defaultPrevented || checked === "yes") return;
  event.preventDefault();
  if (checked) return;
  const button = buttonOf(event);
  form.dataset.checked = "asking";
  const open = await isOpen().catch(() => true);
  form.dataset.checked = open ? "yes" : "";
  if (open) submit(form, button);
  else showEnded();
});

// Again for the session that one has entered beside.
let next;
function look() {
  clearTimeout(next);
  ending.hidden = left() > SOON;
  if (left() <= 0) showEnded();
  else next = setTimeout(look, Math.min(Math.max(left() - SOON, 1), 30) * 1000);
}

look();

// A worker's tab that somebody comes back to, while a person is in their own papers on this device:
// what stands in it is not for them to read. It is there again afterwards, as it was.
if (page.session === "/pro/session") {
  document.addEventListener("visibilitychange", async () => {
    if (document.hidden) return;
    const headers = { Accept: "application/json" };
    const asked = fetch(page.session, { redirect: "manual", cache: "no-store", headers });
    document.getElementById("main").hidden = (await asked.catch(() => ({}))).status === 403;
  });
}
