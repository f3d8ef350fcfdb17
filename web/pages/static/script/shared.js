// On a device that others use: what one does in a page counts as use of the session; a page that
// nobody touches goes when it ends.
import { isOpen, left } from "./session.js";

const PAUSE = 60 * 1000;
let asked = Date.now();

function use() {
  if (left() <= 0 || Date.now() - asked < PAUSE) return;
  asked = Date.now();
  isOpen().catch(() => { /* no network: the page's own clock goes on */ });
}

function look() {
  if (left() <= 0) location.replace("/session/over");
  else setTimeout(look, Math.min(left() + 1, 30) * 1000);
}

for (const kind of ["input", "keydown", "pointerdown", "scroll"]) {
  addEventListener(kind, use, { capture: true, passive: true });
}
look();
