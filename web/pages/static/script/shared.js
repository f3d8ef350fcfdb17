// On a device that others use: what one does in a page counts as use of the session; a page that
// nobody touches goes when it ends; also when it was ended from elsewhere, while the page is shown.
import { isOpen, left } from "./session.js";

const PAUSE = 60 * 1000;
const BETWEEN = 25 * 1000;
let asked = Date.now();

function go() {
  document.documentElement.hidden = true;
  location.replace("/session/over");
}

async function ask() {
  asked = Date.now();
  // Without a network the page's own clock goes on.
  if (!(await isOpen().catch(() => true))) go();
}

function use() {
  if (left() > 0 && Date.now() - asked > PAUSE) ask();
}

function look() {
  if (left() <= 0) go();
  else setTimeout(look, Math.min(left() + 1, 30) * 1000);
}

// It lives? To ask is no use of it; one at a time, and neither unseen nor where there is no network.
async function watch() {
  const asks = !document.hidden && navigator.onLine && left() > 0;
  if (asks && !(await isOpen("?used=no").catch(() => true))) return go();
  setTimeout(watch, BETWEEN);
}

// Beside a worker, the minutes and seconds that are left; nothing makes them more.
const shown = document.getElementById("left");
function count() {
  const seconds = Math.max(0, Math.ceil(left()));
  shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  setTimeout(count, 1000);
}
if (shown) count();

for (const kind of ["input", "keydown", "pointerdown", "scroll"]) {
  addEventListener(kind, use, { capture: true, passive: true });
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
look();
setTimeout(watch, BETWEEN);
document.body.dataset.watched = "yes";
