// Registers the service worker, by the one address that the policy of Trusted Types lets through,
// and tells one that is there which page it should keep. The address stays the same: where a worker
// took the place of another while a page was asked for, that page never came.
const address = document.body.dataset.worker;

function ours(text) {
  const url = new URL(text, location.origin);
  if (url.origin !== location.origin || url.pathname !== "/service-worker.js") throw new TypeError();
  return text;
}

const policy = window.trustedTypes?.createPolicy("unefois", { createScriptURL: ours });
navigator.serviceWorker
  .register(policy ? policy.createScriptURL(address) : ours(address))
  .then(({ active }) => active?.postMessage(document.body.dataset.kept))
  .catch(() => { /* a private window: nothing is kept */ });
