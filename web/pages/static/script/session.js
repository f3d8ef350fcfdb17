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
// network.
export async function isOpen() {
  const answer = await fetch(page.session, { redirect: "manual", cache: "no-store" });
  if (!answer.ok) return answer.type !== "opaqueredirect";
  const { form, who, seconds } = await answer.json();
  if (who !== page.who) return false;
  endsAt = Date.now() + seconds * 1000;
  ending.hidden = left() > SOON || ending.hidden;
  for (const field of document.querySelectorAll("input[name=form]")) field.value = form;
  ended.hidden = true;
  return true;
}

// After its end, a form that was begun keeps what is in it.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (left() > 0 || form.method !== "post" || event.defaultPrevented || form.dataset.checked) return;
  event.preventDefault();
  const open = await isOpen().catch(() => true);
  if (!open) return showEnded();
  form.dataset.checked = "yes";
  form.requestSubmit(event.submitter);
});

function look() {
  if (left() <= 0) showEnded();
  else if (left() <= SOON) ending.hidden = false;
  if (left() > 0) setTimeout(look, Math.min(Math.max(left() - SOON, 1), 30) * 1000);
}

look();
