/** `sort-node.mjs DATA OUT KEY`: what one writes by hand with apache-arrow and Array.prototype.sort. */
import { readFileSync, writeFileSync } from 'node:fs';
import { RecordBatchFileWriter, tableFromArrays, tableFromIPC } from 'apache-arrow';

const [, , dataPath, outPath, key] = process.argv;
const table = tableFromIPC(readFileSync(dataPath));
const keys = table.getChild(key).toArray();
const values = table.getChild('value').toArray();
const order = Array.from({ length: keys.length }, (_, row) => row).sort(
  (a, b) => keys[a] - keys[b],
);
const sorted = tableFromArrays({
  [key]: keys.constructor.from(order, (row) => keys[row]),
  value: BigInt64Array.from(order, (row) => values[row]),
});
writeFileSync(outPath, RecordBatchFileWriter.writeAll(sorted).toUint8Array(true));
