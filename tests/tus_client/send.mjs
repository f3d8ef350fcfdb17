// Sends what it reads from its input with tus-js-client, and prints the address of the upload.
// usage, in the folder where the packages are: node send.mjs ENDPOINT TOKEN
import { createRequire } from 'node:module';

const tus = createRequire(`${process.cwd()}/`)('tus-js-client');
const [, , endpoint, token] = process.argv;
const parts = [];
for await (const part of process.stdin) parts.push(part);

const upload = new tus.Upload(Buffer.concat(parts), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: 'gros dossier.pdf', filetype: 'application/pdf', type: 'payslip' },
  // The library counts anew after each request that brought the upload forward.
  retryDelays: Array(400).fill(25),
  onError: (error) => { console.error(String(error)); process.exit(1); },
  onSuccess: () => { console.log(upload.url); process.exit(0); },
});
upload.start();
