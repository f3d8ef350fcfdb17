// The service worker: it keeps the page for when there is no network, and the files of that page,
// which are the same for everybody. It never keeps a page of anybody. `FILES`, `VERSION`
// and `DOWNLOADS` are written before this text by web/pages/installation.py.
const CACHE = `unefois-${VERSION}${location.search}`;
const OFFLINE = "/offline";
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

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { pathname } = new URL(request.url);
  if (FILES.includes(pathname)) {
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  } else if (request.mode === "navigate" && registration.navigationPreload && !NO_PAGE.test(pathname)) {
    event.respondWith(open(event));
  }
});
