// A page of a meeting that waits for the other side looks again; the page that takes a code finds
// the one of a QR code in its own address, and takes it out of the history.
const waiting = document.querySelector("[data-again]");
const field = document.querySelector("[data-meeting] #code");
const shown = location.hash.slice(1);

if (field && /^\d{6}$/.test(shown)) {
  field.value = shown;
  history.replaceState(null, "", location.pathname);
}
if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.again) * 1000);
