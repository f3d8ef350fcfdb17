// The seconds until another code may be asked for, counted down. The server decides; without this,
// the page says how many there were when it came.
const line = document.querySelector("[data-wait]");
const shown = line.querySelectorAll("strong");
const button = line.closest("form").querySelector("button");
const endsAt = Date.now() + Number(line.dataset.wait) * 1000;

function look() {
  const left = Math.ceil((endsAt - Date.now()) / 1000);
  line.hidden = left <= 0;
  button.disabled = left > 0;
  shown.forEach((one) => { one.textContent = left; });
  if (left > 0) setTimeout(look, 1000);
}

look();
