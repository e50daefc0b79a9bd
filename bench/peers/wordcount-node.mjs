/**
 * wordcount-node.mjs TEXT OUT: word counts as a Node user writes them by hand: readline, split, Map.
 * One thread. A word is a maximal run of [A-Za-z], lower-cased; rows by count descending, then word.
 */
import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [text = '', out = ''] = process.argv.slice(2);
const input = createReadStream(text, { highWaterMark: 1 << 20 });
const counts = new Map();
for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
  for (const word of line.toLowerCase().split(/[^a-z]+/)) {
    if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1);
  }
}
const rows = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
writeFileSync(out, `word,count\n${rows.map(([word, count]) => `${word},${count}\n`).join('')}`);
