/**
 * expressions-node.mjs DATA OUT: filter and project in plain Node, as one would write it by hand: the
 * `apache-arrow` package reads record batches, a loop goes over their typed arrays.
 */
import { createReadStream, writeFileSync } from 'node:fs';
import { RecordBatchReader } from 'apache-arrow';

const [, , data, out] = process.argv;
const lines = ['id,revenue'];
const reader = await RecordBatchReader.from(createReadStream(data, { highWaterMark: 1 << 22 }));
for await (const batch of reader) {
  const [id, day, quantity, price, discount] = ['id', 'day', 'quantity', 'price', 'discount'].map(
    (name) => batch.getChild(name).data[0].values,
  );
  for (let row = 0; row < batch.numRows; row++) {
    const revenue = price[row] * quantity[row] * (1 - discount[row]);
    if (day[row] >= 5000 && revenue > 400_000) lines.push(`${id[row]},${revenue}`);
  }
}
writeFileSync(out, `${lines.join('\n')}\n`);
