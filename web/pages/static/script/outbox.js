// What could not be sent, kept on one's own device: each sealed under a key of its own that no script
// can take out, gone when one leaves, with another account, or after a day. Nothing of it is here in
// clear.
import { inPieces } from "./pieces.js";
import { ask, buttonOf, isOpen, showEnded, submit } from "./session.js";

// Also in page.js and worker.js.
const NAME = "unefois-outbox";
const DAY = 24 * 3600 * 1000;
const page = document.body.dataset;
// No more once one leaves, in this tab or in another (page.js).
const isOwn = () => page.device === "own";

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = request.onblocked = () => reject(request.error ?? new Error("blocked"));
});

// One transaction: what `act` asks of the papers, once it is kept.
async function within(act) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("papers", { autoIncrement: true });
  const database = await result(opening);
  try {
    const change = database.transaction("papers", "readwrite");
    const done = new Promise((resolve, reject) => {
      change.oncomplete = resolve;
      change.onabort = () => reject(change.error);
    });
    const asked = act(change.objectStore("papers"));
    await done;
    return asked;
  } finally {
    database.close();
  }
}

// All of it, with the keys.
export const drop = () => within((papers) => papers.clear());
const remove = (id) => within((papers) => papers.delete(id));

const how = (iv) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(page.who) });

async function encrypt(key, bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, sealed: await crypto.subtle.encrypt(how(iv), key, bytes) };
}

// A paper with its key: what another tab removes, or keeps, meanwhile takes nothing from it.
async function seal(bytes) {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return { key, probe: await encrypt(key, new Uint8Array(1)), ...(await encrypt(key, bytes)) };
}

const unseal = (key, { iv, sealed }) => crypto.subtle.decrypt(how(iv), key, sealed);

// Its key opens for the account that sealed it, and for no other one.
const isOurs = ({ key, probe }) => unseal(key, probe).then(() => true, () => false);

// A form as bytes: the length of what is said of it, that, and its files one after the other.
async function packed(address, body) {
  const files = body.getAll("file");
  const fields = [...body].filter(([name]) => name !== "file" && name !== "form");
  const said = { address, fields, files: files.map(({ name, type, size }) => ({ name, type, size })) };
  const head = new TextEncoder().encode(JSON.stringify(said));
  return new Blob([new Uint32Array([head.length]), head, ...files]).arrayBuffer();
}

function unpacked(bytes) {
  const [length] = new Uint32Array(bytes, 0, 1);
  const said = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  let at = 4 + length;
  said.files = said.files.map(({ name, type, size }) => {
    at += size;
    return new File([bytes.slice(at - size, at)], name, { type });
  });
  return said;
}

// Keeps a form that could not be sent, and empties it. `begun`: the uploads that there are, by file.
// False where the browser keeps nothing, and on a device that is not one's own.
export async function keepForm(form, address, body, begun) {
  if (!isOwn()) return false;
  const addresses = body.getAll("file").map((file) => begun.get(file));
  const paper = await seal(await packed(address, body));
  await within((papers) => papers.add({ ...paper, at: Date.now(), addresses }));
  if (!isOwn()) {
    await drop();
    return false;
  }
  form.reset();
  form.querySelectorAll(".shot, .problem").forEach((one) => one.remove());
  await show();
  return true;
}

// What waits of this account, not older than a day: [[id, paper]]. The rest goes.
async function waiting() {
  const [ids, found] = await within((papers) => [papers.getAllKeys(), papers.getAll()]);
  const ours = [];
  for (const [place, id] of ids.result.entries()) {
    const paper = found.result[place];
    if (Math.abs(Date.now() - paper.at) < DAY && (await isOurs(paper))) ours.push([id, paper]);
    else await remove(id);
  }
  return ours;
}

// Sends one; what has arrived of it before is not sent again. Gives the answer to its form. Where the
// paper that it was for is kept or dropped meanwhile, it begins another.
async function send(id, paper, bar) {
  const { address, fields, files } = unpacked(await unseal(paper.key, paper));
  const begun = new Map(files.map((file, place) => [file, paper.addresses[place]]));
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  for (const file of files) body.append("file", file);
  body.append("form", document.querySelector("input[name=form]").value);
  try {
    const light = await inPieces(body, begun, bar);
    const answer = await ask("POST", address, light);
    return answer.status === 404 ? await ask("POST", "/documents/add", light) : answer;
  } catch (failure) {
    if (failure.status) return failure;
    throw failure;
  } finally {
    const addresses = files.map((file) => begun.get(file));
    // Unless it is gone: one left meanwhile, or another tab sent it.
    await within((papers) => {
      papers.openCursor(id).onsuccess = ({ target: { result: found } }) => found?.update({ ...found.value, addresses });
    });
  }
}

const isKept = ({ status, responseText }) => status === 200 && responseText.startsWith('{"go":');

async function sendAll(panel) {
  const { follow, progress, tellWords } = await import("./sending.js");
  const { bar, box } = progress();
  try {
    if (!(await isOpen())) return showEnded();
    panel.append(box);
    let kept;
    let refused;
    for (const [id, paper] of await waiting()) {
      const answer = await send(id, paper, bar);
      if (isKept(answer)) {
        kept = answer;
        await remove(id);
      } else {
        // What is wrong with one does not hold back those after it.
        refused ??= answer;
        if (answer.status === 401 || answer.status >= 500) break;
      }
    }
    count(panel, await waiting());
    const answer = refused ?? kept;
    if (answer) follow(panel, answer);
  } catch (failure) {
    if (failure.message === "gate") tellWords(panel, "unread", "gate");
    else tellWords(panel, "offline");
  } finally {
    box.remove();
  }
}

function count(panel, papers) {
  const files = papers.reduce((sum, [, { addresses }]) => sum + addresses.length, 0);
  panel.querySelectorAll(".count").forEach((one) => { one.textContent = files; });
}

// What is on this device and nowhere else yet is said on every page.
export async function show() {
  const papers = await waiting();
  document.getElementById("waiting")?.remove();
  if (!papers.length) return;
  const panel = document.getElementById("unsent").content.firstElementChild.cloneNode(true);
  count(panel, papers);
  let busy = false;
  const press = (act) => async () => {
    if (busy) return;
    busy = true;
    await act(panel).catch(() => {});
    busy = false;
  };
  const [now, erase] = panel.querySelectorAll("button");
  now.addEventListener("click", press(sendAll));
  erase.addEventListener("click", press(async () => { await drop(); panel.remove(); }));
  document.getElementById("main").prepend(panel);
}

// « Sortir » waits until nothing is left here, for a second at most: the service worker sees to it too.
for (const form of document.querySelectorAll("form[action='/sign-out']")) {
  form.addEventListener("submit", async (event) => {
    if (form.dataset.dropped) return;
    event.preventDefault();
    const button = buttonOf(event);
    page.device = "";
    await Promise.race([drop().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1000))]);
    form.dataset.dropped = "yes";
    submit(form, button);
  });
}
show().catch(() => { /* a browser that keeps nothing */ });
