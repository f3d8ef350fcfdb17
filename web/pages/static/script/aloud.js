// « Écouter »: the words of the page, sentence by sentence, by a voice of this device. A voice that
// is a service elsewhere is not used: it would tell a third party what the page says. Where the
// device has no voice of a language, by sounds of this site (sounds.js), if it has any.
const item = document.querySelector("[data-aloud]");
const main = document.getElementById("main");
const synthesis = window.speechSynthesis;
const SKIPPED = "select, textarea, template, .unseen, [hidden], [aria-hidden=true]";
const READABLE = /[\p{L}\p{N}]/u;
// As web/speech/fixed_sentences.py cuts what it has sounds of.
const FIXED = /\s*\S[^]*?(?:[.!?…؟]+(?=\s|$)|$)/g;

let run = 0;
let player; // sounds.js, where it may be needed
let spoken; // kept: some browsers forget one that nobody holds

const subtag = (tag) => tag.toLowerCase().split(/[-_]/)[0];

function voiceFor(tag) {
  const voices = synthesis?.getVoices() ?? [];
  return voices.find((one) => one.localService && subtag(one.lang) === subtag(tag));
}

const withSounds = item?.dataset.voices?.split(" ") ?? [];
const bySounds = (tag) => withSounds.includes(subtag(tag)) && !voiceFor(tag);

function blockOf(node) {
  let element = node.parentElement;
  while (element !== main && getComputedStyle(element).display === "inline") element = element.parentElement;
  return element;
}

// Pieces of text that stand together, in one language: [{ block, tag, nodes }].
function passages() {
  const found = [];
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent.closest(SKIPPED) || !parent.getClientRects().length) continue;
    const block = blockOf(node);
    const tag = parent.closest("[lang]").lang;
    const last = found.at(-1);
    if (last?.block === block && last.tag === tag) last.nodes.push(node);
    else found.push({ block, tag, nodes: [node] });
  }
  return found;
}

function split(text, tag) {
  if (bySounds(tag)) return text.match(FIXED) ?? [];
  if (window.Intl?.Segmenter) {
    return [...new Intl.Segmenter(tag, { granularity: "sentence" }).segment(text)].map((one) => one.segment);
  }
  return text.match(/[^.!?…؟]+[.!?…؟]*\s*/g) ?? [text];
}

function rangeOf(nodes, start, end) {
  const range = document.createRange();
  let at = 0;
  for (const node of nodes) {
    if (at <= start && start <= at + node.length) range.setStart(node, start - at);
    if (end <= at + node.length) {
      range.setEnd(node, end - at);
      return range;
    }
    at += node.length;
  }
  return range;
}

// Every sentence, with its language and its place: [{ text, tag, block, range }].
export function sentences() {
  const found = [];
  for (const { block, tag, nodes } of passages()) {
    let at = 0;
    for (const piece of split(nodes.map((node) => node.data).join(""), tag)) {
      const text = piece.replace(/\s+/g, " ").trim();
      const start = at + piece.search(/\S|$/);
      if (READABLE.test(text)) {
        found.push({ text, tag, block, range: rangeOf(nodes, start, start + piece.trim().length) });
      }
      at += piece.length;
    }
  }
  return found;
}

function mark(sentence, name = "aloud") {
  document.querySelector(".aloud, .unread")?.classList.remove("aloud", "unread");
  CSS.highlights?.delete("aloud");
  CSS.highlights?.delete("unread");
  if (!sentence) return;
  if (CSS.highlights) CSS.highlights.set(name, new Highlight(sentence.range));
  else sentence.block.classList.add(name);
  sentence.block.scrollIntoView({ block: "nearest" });
}

async function play(sentence) {
  const tag = subtag(sentence.tag);
  if (await player.play(sentence.text, tag)) return;
  mark(sentence, "unread");
  await player.signal(tag);
}

function say(sentence) {
  const { text, tag } = sentence;
  const voice = voiceFor(tag);
  if (!voice) return player && bySounds(tag) ? play(sentence) : Promise.resolve();
  return new Promise((resolve) => {
    spoken = new SpeechSynthesisUtterance(text);
    spoken.voice = voice;
    spoken.lang = voice.lang;
    spoken.onend = spoken.onerror = resolve;
    synthesis.speak(spoken);
  });
}

function label(words) {
  item.querySelector("span").textContent = words;
}

function stop() {
  run += 1;
  synthesis?.cancel();
  player?.stop();
  mark();
  label(item.dataset.aloud);
}

async function read() {
  const mine = (run += 1);
  player?.begin();
  label(item.dataset.stop);
  for (const sentence of sentences()) {
    mark(sentence);
    await say(sentence);
    if (mine !== run) return;
  }
  stop();
}

function offer() {
  const { lang } = document.documentElement;
  item.hidden = !(voiceFor(lang) || (player && bySounds(lang)));
}

async function loadPlayer() {
  player = await import("./sounds.js").catch(() => undefined);
  offer();
}

if (item) {
  offer();
  if (withSounds.length) loadPlayer();
  synthesis?.addEventListener?.("voiceschanged", offer);
  item.querySelector("button").addEventListener("click", () => {
    if (item.querySelector("span").textContent === item.dataset.stop) stop();
    else read();
  });
  // Some browsers go on speaking on the next page.
  addEventListener("pagehide", stop);
}
