// Sounds of this site. What the page says is compared here: no word of it is sent anywhere.
const PAUSE = 1500; // to look at what has no sound, ms
const audio = new Audio();
const lists = new Map();

let end = () => {};
let stopped = true;
let signalled = false;

// At a tap: some browsers play only after that.
export function begin() {
  stopped = signalled = false;
  audio.load();
}

export function stop() {
  stopped = true;
  audio.pause();
  end();
}

const fetched = (tag) => fetch(`/voices/${tag}.json`).then((answer) => answer.json()).catch(() => ({}));

function list(tag) {
  if (!lists.has(tag)) lists.set(tag, fetched(tag));
  return lists.get(tag);
}

// Whether it was heard to its end, or stopped.
function hear(name) {
  if (stopped) return true;
  return new Promise((resolve) => {
    end = audio.onended = () => resolve(true);
    audio.onerror = () => resolve(false);
    audio.src = `/voices/${name}`;
    audio.play().catch(() => resolve(stopped));
  });
}

// Whether the sentence has a sound, which is heard.
export async function play(text, tag) {
  const { sounds = {} } = await list(tag);
  if (!Object.hasOwn(sounds, text)) return false;
  signalled = false;
  return hear(sounds[text]);
}

// That a sentence is not read: said once for several in a row.
export async function signal(tag) {
  const { unread = [] } = await list(tag);
  if (!signalled) for (const name of unread) await hear(name);
  signalled = true;
  if (!stopped) await new Promise((resolve) => setTimeout(end = resolve, PAUSE));
}
