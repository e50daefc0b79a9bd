/**
 * groupby-node.mjs DATA OUT: rows per key with their sum in plain Node, as one would write it by hand: the
 * `apache-arrow` package reads record batches, and a Map holds the groups.
 */
import { createReadStream, writeFileSync } from 'node:fs';
import { RecordBatchReader } from 'apache-arrow';

const [, , data, out] = process.argv;
const groups = new Map();
const reader = await RecordBatchReader.from(createReadStream(data, { highWaterMark: 1 << 22 }));
for await (const batch of reader) {
  const keys = batch.getChild('key');
  const amounts = batch.getChild('amount');
  for (let row = 0; row < batch.numRows; row++) {
    const key = keys.get(row);
    const amount = Number(amounts.get(row));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { n: 1, total: amount });
    else {
      group.n++;
      group.total += amount;
    }
  }
}
const answer = { groups: groups.size, rows: 0, squares: 0, products: 0, most: 0 };
for (const { n, total } of groups.values()) {
  answer.rows += n;
  answer.squares += n * n;
  answer.products += n * total;
  answer.most = Math.max(answer.most, total);
}
writeFileSync(out, `${Object.keys(answer).join()}\n${Object.values(answer).join()}\n`);
