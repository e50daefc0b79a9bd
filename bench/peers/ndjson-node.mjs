/**
 * ndjson-node.mjs DATA OUT: bids and their sum by auction, as a Node user writes them by hand:
 * readline, JSON.parse, Map. One thread. The sums stay below 2^53.
 */
import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [data = '', out = ''] = process.argv.slice(2);
const input = createReadStream(data, { highWaterMark: 1 << 20 });
const sums = new Map();
for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
  const { auction, price } = JSON.parse(line);
  const sum = sums.get(auction);
  if (sum === undefined) sums.set(auction, { bids: 1, total: price });
  else {
    sum.bids++;
    sum.total += price;
  }
}
const rows = [...sums].sort(([a], [b]) => a - b);
const lines = rows.map(([auction, { bids, total }]) => `${auction},${bids},${total}\n`);
writeFileSync(out, `auction,bids,total\n${lines.join('')}`);
