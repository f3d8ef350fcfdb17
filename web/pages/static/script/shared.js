// On a device that others use: what one does in a page counts as use of the session; a page that
// nobody touches goes when it ends, and one that is looked at again when it has ended.
import { isOpen, left } from "./session.js";

const PAUSE = 60 * 1000;
let asked = Date.now();

const go = () => location.replace("/session/over");

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
