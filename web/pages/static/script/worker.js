// The service worker: it keeps the page for when there is no network, and the files of that page,
// which are the same for everybody. It never keeps a page of anybody. `FILES`, `VERSION`
// and `DOWNLOADS` are written before this text by web/pages/installation.py.
const CACHE = `unefois-${VERSION}`;
const OFFLINE = "/offline";
const OUTBOX = "unefois-outbox";
const LEAVING = "unefois-leaving";
const LEAVES = ["/sign-out", "/quick-exit", "/pro/beside/end"];
const DAY = 24 * 3600 * 1000;
const NO_PAGE = new RegExp(DOWNLOADS);

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll([OFFLINE, ...FILES]);
  await skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  await registration.navigationPreload?.enable();
  await clients.claim();
}

// The page for no network again, where it is not in the language, or under the name, of the page
// that is open.
async function keepOffline(which) {
  const cache = await caches.open(CACHE);
  const page = await cache.match(OFFLINE, { ignoreVary: true });
  const text = await page?.text();
  if (!text?.includes(`data-kept="${which}"`)) await cache.add(OFFLINE);
}

const kept = (request) => caches.match(request, { ignoreVary: true });

// The browser's own request, asked beside: it says who asked (`Sec-Fetch-Site`), which one of ours
// would not.
async function open(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await kept(OFFLINE)) ?? Response.error();
  }
}

// What could not be sent (outbox.js) goes with the session that ends, whatever becomes of its page;
// and after a day, whoever opens which page of ours.
async function forgetOld() {
  const all = await indexedDB.databases?.();
  if (!all?.some(({ name }) => name === OUTBOX)) return;
  const opening = indexedDB.open(OUTBOX);
  opening.onsuccess = () => {
    const database = opening.result;
    const papers = database.transaction("papers", "readwrite").objectStore("papers");
    papers.openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return;
      if (Math.abs(Date.now() - cursor.value.at) > DAY) cursor.delete();
      cursor.continue();
    };
    database.close(); // once the change is done
  };
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("message", (event) => event.waitUntil(keepOffline(event.data).catch(() => {})));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  const ours = request.referrer.startsWith(`${location.origin}/`);
  if (request.method === "POST" && ours && LEAVES.includes(pathname)) {
    if (self.BroadcastChannel) new BroadcastChannel(LEAVING).postMessage("");
    indexedDB.deleteDatabase(OUTBOX);
  }
  if (request.method !== "GET") return;
  if (request.mode === "navigate") forgetOld().catch(() => {});
  if (FILES.includes(pathname)) {
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  } else if (request.mode === "navigate" && registration.navigationPreload && !NO_PAGE.test(pathname)) {
    event.respondWith(open(event));
  }
});
