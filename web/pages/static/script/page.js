// Every page loads this, after itself, and is whole without it.
const exit = document.querySelector("form[action='/quick-exit']");
const ESCAPES = 3;
const PAUSE = 2000;

// A page that is left while a part loads is no failure.
const load = (part) => import(`./${part}.js`).catch(() => {});

// A card's QR leads here with its secret: it stays neither in the address nor in the history.
const SCANNED = /^#[0-9A-Z-]{16,64}$/;
function takeCard() {
  const { hash } = location;
  if (!SCANNED.test(hash)) return;
  history.replaceState(null, "", location.pathname + location.search);
  load("card").then((part) => part?.show(hash.slice(1)));
}

// What could not be sent is kept on one's own device alone; nothing of it stays on another.
const { seconds, device } = document.body.dataset;
const person = seconds && document.body.classList.contains("person");
const outbox = person && device === "own" ? load("outbox") : null;
if (person && device !== "own" && window.indexedDB) indexedDB.deleteDatabase("unefois-outbox");

// Who leaves in one tab leaves in all: what is kept goes, and on a shared device every page.
const leaving = exit && window.BroadcastChannel && new BroadcastChannel("unefois-leaving");
let gone = false;
leaving?.addEventListener("message", ({ data }) => {
  if (person && device === "shared" && !gone) {
    document.documentElement.hidden = true;
    // Later than the goodbye: a visit begun here would replace it.
    if (data === "hide") location.replace(exit.dataset.to);
    else setTimeout(() => location.replace("/session/over"), PAUSE);
  }
  document.body.dataset.device = "";
  document.getElementById("waiting")?.remove();
  outbox?.then((part) => part?.drop()).catch(() => {});
});

function tellOthers(how) {
  gone = true;
  leaving?.postMessage(how);
}

for (const form of document.querySelectorAll("form[action='/sign-out'], form[action='/pro/beside/end']")) {
  form.addEventListener("submit", () => tellOthers("leave"));
}

function remember(left) {
  try {
    if (left) sessionStorage.setItem("left", "1");
    else sessionStorage.removeItem("left");
  } catch { /* a browser that keeps nothing */ }
}

function hasLeft() {
  try {
    return sessionStorage.getItem("left") === "1";
  } catch {
    return false;
  }
}

// The session ends while the other page loads, in this one's place.
function leave() {
  document.documentElement.hidden = true;
  remember(true);
  outbox?.then((part) => part?.drop()).catch(() => {});
  tellOthers("hide");
  const body = new URLSearchParams(new FormData(exit));
  fetch("/quick-exit", { method: "POST", body, keepalive: true }).catch(() => {});
  location.replace(exit.dataset.to);
}

function watchExit() {
  const [arrival] = performance.getEntriesByType("navigation");
  if (hasLeft() && arrival?.type === "back_forward") return location.replace(exit.dataset.to);
  remember(false);
  exit.addEventListener("submit", (event) => {
    event.preventDefault();
    leave();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted && hasLeft()) location.replace(exit.dataset.to);
  });
  let escapes = [];
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    escapes = [...escapes.filter((at) => event.timeStamp - at < PAUSE), event.timeStamp];
    if (escapes.length >= ESCAPES) leave();
  });
}

// A code that was typed is not for whoever comes back by Back.
addEventListener("pageshow", () => document.querySelectorAll("input.code").forEach((one) => { one.value = one.defaultValue; }));

takeCard();
addEventListener("hashchange", takeCard);
if (exit) watchExit();
if (seconds) load("session");
if (document.querySelector("form[enctype='multipart/form-data']:not([data-answer])")) load("sending");
if ("speechSynthesis" in window || document.querySelector("[data-voices]")) load("aloud");
if (document.querySelector("[data-wait]")) load("countdown");
if (document.querySelector("[data-meeting]")) load("meeting");
if (document.body.dataset.device === "shared") load("shared");
if (navigator.serviceWorker && document.body.dataset.worker) load("install");
