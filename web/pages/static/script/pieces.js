// A file in pieces (tus 1.0): what has arrived is not sent again, neither after a cut nor by a
// second try from the same page.
import { ask } from "./session.js";

// Bytes.
const PIECE = 2 ** 20;
// S, before the next try, while nothing more arrives.
const WAITS = [1, 2, 4, 8];

async function tus(method, address, headers, body, told) {
  const ours = { "Tus-Resumable": "1.0.0", "X-Form": document.querySelector("input[name=form]").value };
  const answer = await ask(method, address, body, { ...ours, ...headers }, told);
  if (answer.status < 200 || answer.status > 204) throw answer;
  return answer;
}

const offsetOf = (answer) => Number(answer.getResponseHeader("Upload-Offset"));

// Where the upload of a file is: { address, offset }; a new one at `place`, where there is none any
// more.
async function find(file, begun, place) {
  const address = begun.get(file);
  if (address) {
    try {
      return { address, offset: offsetOf(await tus("HEAD", address)) };
    } catch (answer) {
      if (answer.status !== 404) throw answer;
    }
  }
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const headers = { "Upload-Length": file.size, "Upload-Metadata": `filename ${name}` };
  const made = (await tus("POST", place, headers)).getResponseHeader("Location");
  begun.set(file, made);
  return { address: made, offset: 0 };
}

// What another try may change: a network, a proxy; an upload that ended, or another place in it.
const passes = ({ status }) => !status || status >= 500 || status === 404 || status === 409;

// Sends what has not arrived of a file, and gives the id of its upload. `begun`: the uploads that
// there are, by file; `told`: what has arrived, in bytes. Throws the answer that refuses it.
async function sendInPieces(file, begun, place, told) {
  for (let tries = 0; ; tries += 1) {
    try {
      let { address, offset } = await find(file, begun, place);
      told(offset);
      while (offset < file.size) {
        const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": offset };
        const from = offset;
        const piece = file.slice(from, from + PIECE);
        offset = offsetOf(await tus("PATCH", address, headers, piece, ({ loaded }) => told(from + loaded)));
        tries = 0;
      }
      return address.split("/").pop();
    } catch (failure) {
      if (!passes(failure) || !navigator.onLine || tries === WAITS.length) throw failure;
      await new Promise((resolve) => setTimeout(resolve, WAITS[tries] * 1000));
    }
  }
}

// A form with the uploads of its files in their place: all of them, in their order.
export async function inPieces(body, begun, bar, place = "/uploads") {
  const files = body.getAll("file");
  bar.max = files.reduce((sum, { size }) => sum + size, 0);
  const ids = [];
  let before = 0;
  for (const file of files) {
    ids.push(await sendInPieces(file, begun, place, (arrived) => { bar.value = before + arrived; }));
    before += file.size;
  }
  const light = new FormData();
  for (const [name, value] of body) if (name !== "file") light.append(name, value);
  light.append("uploads", ids.join());
  return light;
}
