// Pictures and files, before and while they are sent; kept in the page until they have arrived.
import { ask, buttonOf, isOpen, showEnded } from "./session.js";

const { dataset, classList } = document.body;
const isPerson = classList.contains("person");
const words = document.getElementById("sending").content;
// Of the small picture that is looked at, in points.
const WIDTH = 1000;
// Mean light, of 255.
const DARK = 60;
// Variance of the Laplacian: an even or blurred picture has little.
const BLURRED = 40;
// Bytes: sent in pieces.
const LARGE = 2 ** 20;

export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Words of the page, in its language or in both.
export const word = (name) => element("span", {}, ...words.querySelector(`.${name}`).cloneNode(true).childNodes);

// Mean light and variance of the Laplacian of a picture, from its points (RGBA).
export function measure({ data, width, height }) {
  const grey = new Float32Array(width * height);
  let light = 0;
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    light += grey[i];
  }
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const i = y * width + x;
      const edge = 4 * grey[i] - grey[i - 1] - grey[i + 1] - grey[i - width] - grey[i + width];
      sum += edge;
      squares += edge * edge;
      count += 1;
    }
  }
  return { light: light / grey.length, sharpness: squares / count - (sum / count) ** 2 };
}

export function drawn(picture, width, height) {
  const canvas = element("canvas", { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  // Behind what is transparent: a JPEG would have it black.
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(picture, 0, 0, width, height);
  return canvas;
}

async function faultOf(file) {
  const picture = await createImageBitmap(file);
  const height = Math.max(3, Math.round((picture.height * WIDTH) / picture.width));
  const small = drawn(picture, WIDTH, height).getContext("2d").getImageData(0, 0, WIDTH, height);
  picture.close();
  const { light, sharpness } = measure(small);
  if (light < DARK) return "dark";
  return sharpness < BLURRED ? "blurred" : "";
}

// One picture and what keeps it, together; of several, the first.
function bringIntoSight({ files, form }, place) {
  const seen = files.length > 1 ? place.querySelector(".shot") : form?.querySelector("button.send");
  seen?.scrollIntoView({ block: "nearest" });
}

async function show(input) {
  const place = input.closest(".pick") ?? input.parentElement;
  place.querySelectorAll(".shot").forEach((one) => one.remove());
  for (const file of input.files) {
    const box = element("div", { className: "shot", role: "status" });
    place.append(box);
    if (!file.type.startsWith("image/")) {
      box.append(element("p", { textContent: file.name }));
      continue;
    }
    const picture = element("img", { className: "preview", alt: "", src: URL.createObjectURL(file) });
    picture.addEventListener("error", () => picture.remove());
    picture.addEventListener("load", () => bringIntoSight(input, place));
    box.append(picture);
    const fault = await faultOf(file).catch(() => "");
    // Others were chosen meanwhile.
    if (!box.isConnected) return;
    if (fault) box.append(element("p", { className: "flag" }, word(fault)));
    bringIntoSight(input, place);
  }
}

function isSlow() {
  const link = navigator.connection;
  return link && (link.saveData || (link.effectiveType ?? "4g") !== "4g");
}

const lighten = isSlow() ? import("./lighter.js") : null;
// What was made of a file, for the next try.
const lighter = new WeakMap();
// Its upload.
const begun = new WeakMap();

async function bodyOf(form, submitter, wantSmaller) {
  const body = new FormData(form);
  if (submitter?.name) body.append(submitter.name, submitter.value);
  const files = body.getAll("file").filter(({ size }) => size);
  body.delete("file");
  for (const file of files) {
    if (wantSmaller && !lighter.has(file)) lighter.set(file, await lighten.then(({ smaller }) => smaller(file)).catch(() => file));
    body.append("file", lighter.get(file) ?? file);
  }
  return body;
}

// What went wrong, where the page would have said it; the pictures stay. Lines: [tag, node].
function tell(form, ...lines) {
  form.querySelector(".problem")?.remove();
  const box = element("div", { className: "problem", tabIndex: -1 });
  box.append(...lines.map(([tag, node]) => element(tag, {}, node)));
  box.setAttribute("role", "alert");
  form.prepend(box);
  box.focus();
}

export const tellWords = (form, title, ...names) => tell(form, ["h2", word(title)], ...names.map((name) => ["p", word(name)]));

// One sentence, in each language that the page is in: [{ lang, dir, text }].
function sentence([{ text, ...first }, ...others]) {
  const under = others.map(({ text: textContent, ...one }) => element("bdi", { className: "second", ...one, textContent }));
  return element("bdi", { className: "both", ...first }, text, ...under);
}

// What is not ours is a network's or a proxy's: nothing of it is shown.
function whose({ status }) {
  if (status === 413) return "heavy";
  return status >= 500 ? "later" : "gate";
}

// True when the page goes elsewhere.
export function follow(form, request) {
  let answer;
  try {
    answer = JSON.parse(request.responseText);
    // Else a page of somebody else.
  } catch {}
  if (answer?.go) location.assign(answer.go);
  else if (request.status === 401) showEnded();
  else if (answer?.problems) tell(form, ...answer.problems.map(([tag, texts]) => [tag, sentence(texts)]));
  else tellWords(form, "unread", whose(request));
  return answer?.go;
}

let busy = false;

function hold(form, held) {
  busy = held;
  form.querySelectorAll("button").forEach((one) => { one.disabled = held; });
}

export function progress() {
  const bar = element("progress", {});
  bar.setAttribute("aria-label", word("going").textContent);
  return { bar, box: element("div", { className: "sent" }, word("going"), bar) };
}

function explain(form, failure, begins) {
  if (failure.status) follow(form, failure);
  else if (failure.message === "gate") tellWords(form, "unread", "gate");
  else if (begins) tellWords(form, "unread", "resumes", "stays");
  else tellWords(form, "offline", "stays");
}

async function send(form, button, wantSmaller) {
  if (busy) return;
  // A second tap sends nothing.
  busy = true;
  const { bar, box } = progress();
  const address = button?.getAttribute("formaction") ?? form.getAttribute("action");
  const { pieces, begun: before, length } = form.dataset;
  let leaving = false;
  try {
    if (!(await isOpen())) return showEnded();
    const body = await bodyOf(form, button, wantSmaller);
    hold(form, true);
    button?.after(box);
    const [file] = body.getAll("file");
    // Of another visit to this page: the same file, as far as its length tells.
    if (before && file?.size === Number(length) && !begun.has(file)) begun.set(file, before);
    const large = isPerson && body.getAll("file").some(({ size }) => size > LARGE);
    const light = large ? await (await import("./pieces.js")).inPieces(body, begun, bar, pieces) : body;
    const told = ({ loaded, total }) => { if (!large) Object.assign(bar, { max: total, value: loaded }); };
    const answer = await ask("POST", address, light, {}, told);
    if (answer.status >= 500) throw answer;
    leaving = follow(form, answer);
  } catch (failure) {
    const passes = !failure.status || failure.status >= 500;
    const kept = passes && !pieces && dataset.device === "own" && (await import("./outbox.js")
      .then(async ({ keepForm }) => keepForm(form, address, await bodyOf(form, button, wantSmaller), begun))
      .catch(() => false));
    if (!kept) explain(form, failure, bar.value > 0);
  } finally {
    box.remove();
    if (!leaving) hold(form, false);
  }
}

// A form that is answered by a page of its own (`data-answer`) is sent by the browser; so is every
// consent, which is never kept to be sent later. `data-pieces`: where its file is sent in pieces;
// `data-begun`, `data-length`: what of it was sent before.
for (const form of document.querySelectorAll("form[enctype='multipart/form-data']:not([data-answer])")) {
  let tick;
  if (!form.dataset.pieces) lighten?.then(({ offerSmaller }) => { tick = offerSmaller(form); }).catch(() => {});
  form.addEventListener("change", ({ target }) => { if (target.type === "file") show(target); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, buttonOf(event), tick?.checked ?? false);
  });
  // Back, to the page as it was.
  addEventListener("pageshow", ({ persisted }) => { if (persisted) hold(form, false); });
}
