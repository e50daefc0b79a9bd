/**
 * Micro benchmark of reading Parquet: `node bench/micro/parquet.ts LINEITEM_FILE`. No test: it prints.
 *
 * The file is TPC-H's lineitem: `tpchgen-cli parquet -s 1 --tables lineitem` (from PyPI) makes it. Each
 * turn reads it with all contestants, one thread each, by CPU time, since other work may be going on.
 * hyparquet and parquet-wasm take part where they are installed: `npm install --no-save
 * hyparquet@1.33.0 hyparquet-compressors@1.1.2 parquet-wasm@0.8.0`.
 *
 * Expectation: 6 million rows of 16 columns are 232 MB, 730 MB uncompressed; Snappy at 1 GB/s, an index
 * looked up in 1 ns, 100 million values: 0.8 s, 130 ns a row. hyparquet makes a JavaScript value of each,
 * a bigint of each int64: ten times that. parquet-wasm is compiled Rust, but its table has to be copied
 * from its memory to a slot's. Measured: docs/design/007-parquet.md.
 */
import { readFileSync } from 'node:fs';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { filesConnector } from '../../connectors/filesystem/files-connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import {
  dateType,
  type FieldType,
  int32Type,
  int64Type,
  utf8Type,
} from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';

const turns = 5;
const decimal: FieldType = { kind: 'decimal', precision: 15, scale: 2 };

const schema = schemaOf(
  ...['l_orderkey', 'l_partkey', 'l_suppkey'].map((name) => fieldOf(name, int64Type)),
  fieldOf('l_linenumber', int32Type),
  ...['l_quantity', 'l_extendedprice', 'l_discount', 'l_tax'].map((name) => fieldOf(name, decimal)),
  ...['l_returnflag', 'l_linestatus'].map((name) => fieldOf(name, utf8Type)),
  ...['l_shipdate', 'l_commitdate', 'l_receiptdate'].map((name) => fieldOf(name, dateType)),
  ...['l_shipinstruct', 'l_shipmode', 'l_comment'].map((name) => fieldOf(name, utf8Type)),
);

interface Contestant {
  readonly name: string;
  /** Reads all columns; answers with the count of rows. */
  readonly read: () => Promise<number>;
}

function millrace(path: string): Contestant {
  const memory = new SlotMemory({ budgetBytes: 64 << 20 });
  const kernels = instantiateKernels(memory.memory);
  const fields = schema.fields as unknown as Json;
  const options = { path, format: { kind: 'parquet', fields }, extensions: null };
  const read = async () => {
    const context = { disk: createRealDisk(), attemptId: 'bench' };
    const found = await filesConnector.enumerator?.(options, context).discover(1);
    const reader = filesConnector.reader?.(options, {
      ...{ disk: createRealSyncDisk(), scope: memory.scope('bench'), kernels, schema },
      ...{ taskIndex: 0, attempt: 1, hasDeadLetters: false },
    });
    let rows = 0;
    for (const split of found?.splits ?? []) {
      reader?.open(split);
      for (let batch = reader?.read(); batch !== 'end'; batch = reader?.read()) {
        if (typeof batch !== 'object') continue;
        rows += batch.rowCount;
        batch.release();
      }
    }
    reader?.close();
    return rows;
  };
  return { name: 'millrace', read };
}

/** Packages that the project does not depend on are looked for when the bench runs. */
async function optional(
  name: string,
): Promise<Record<string, (...args: unknown[]) => unknown> | null> {
  return import(name).catch(() => null);
}

async function hyparquet(path: string): Promise<Contestant | null> {
  const [main, extra] = [await optional('hyparquet'), await optional('hyparquet-compressors')];
  if (main === null || extra === null) return null;
  const read = async () => {
    const bytes = readFileSync(path);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    let values = 0;
    const onChunk = ({ columnData }: { columnData: ArrayLike<unknown> }) => {
      values += columnData.length;
    };
    await main.parquetRead?.({ file, compressors: extra.compressors, onChunk });
    return values / schema.fields.length;
  };
  return { name: 'hyparquet', read };
}

async function parquetWasm(path: string): Promise<Contestant | null> {
  const main = await optional('parquet-wasm/node');
  if (main === null) return null;
  const read = async () => {
    const table = main.readParquet?.(readFileSync(path)) as {
      numBatches: number;
      intoIPCStream: () => Uint8Array;
    };
    // Out of its memory in the one form that anything else reads.
    return table.intoIPCStream().length > 0 ? Number.NaN : 0;
  };
  return { name: 'parquet-wasm', read };
}

const path = process.argv[2];
if (path === undefined) throw new Error('give the path of lineitem.parquet');
const all = [millrace(path), await hyparquet(path), await parquetWasm(path)];
const contestants = all.filter((one) => one !== null);
const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
let rows = 0;
for (let turn = 0; turn < turns; turn++) {
  for (const { name, read } of contestants) {
    const before = process.cpuUsage();
    const count = await read();
    const { user, system } = process.cpuUsage(before);
    if (name === 'millrace') rows = count;
    times.get(name)?.push((user + system) / 1000);
  }
}
const median = (name: string) => {
  const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
for (const { name } of contestants) {
  const ms = median(name);
  const ratio = ms / median('millrace');
  const perRow = (ms * 1e6) / rows;
  console.log(
    `${name.padEnd(14)} ${ms.toFixed(0).padStart(7)} ms CPU ${perRow.toFixed(0).padStart(6)} ns/row ` +
      `${ratio.toFixed(1).padStart(6)} × millrace`,
  );
}
