/** Goal: rows far ahead are found by the index of pages, without reading what lies between; an index that lies is damage. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createRealSyncDisk } from '../../../../base/env/real-sync-disk.ts';
import { createParquetReader } from '../../../../connectors/parquet/read/parquet-reader.ts';
import type { Batch } from '../../../../engine/batch/batch.ts';
import { readRows } from '../../../../engine/batch/row-reader.ts';
import type { Split } from '../../../../engine/contracts/source.ts';
import { SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { makeBatch } from '../../../support/batches.ts';
import { discoverParquet, writeParquet } from '../../../support/parquet-files.ts';
import { slotContext } from '../../../support/slot-context.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';

/** Plain, with nulls, and by a dictionary; a megabyte and more each. */
const schema = schemaOf(
  fieldOf('id', int64Type),
  fieldOf('text', utf8Type, true),
  fieldOf('color', utf8Type),
);
const rowCount = 400_000;
const colorOf = (row: number) => `color ${(row * 7_919) % 30_011}`;
const rowAt = (row: number) => [
  BigInt(row) * 7_919n,
  row % 5 === 0 ? null : `text ${(row * 2_654_435_761) % 1e9}`,
  colorOf(row),
];

const memory = new SlotMemory({ budgetBytes: 256 << 20 });
let bytes: Uint8Array | null = null;

/** The file, made once. */
function makeFile(): string {
  const made = path.join(tempFolder(), 'in.parquet');
  if (bytes !== null) {
    fs.writeFileSync(made, bytes);
    return made;
  }
  const { kernels } = slotContext(schema, { memory });
  const batches: Batch[] = [];
  for (let from = 0; from < rowCount; from += 8000) {
    const rows = Array.from({ length: 8000 }, (_, row) => rowAt(from + row));
    batches.push(makeBatch(memory.scope('test'), { schema, selected: null, rows }));
  }
  writeParquet({ path: made, kernels, settings: { rowGroupRows: rowCount } }, schema, batches);
  for (const batch of batches) batch.release();
  bytes = fs.readFileSync(made);
  return made;
}

/** The parts of a split that a test changes. */
interface Payload {
  parts: {
    pieces: {
      ranges: [number, number][];
      chunks: { offsetIndex?: { offset: number; sizeBytes: number } }[][];
    }[];
  }[];
}

async function splitOf(ranges: [number, number][]): Promise<Split & { payload: Payload }> {
  const { splits } = await discoverParquet({ path: makeFile(), declared: schema });
  const split = structuredClone(splits[0]) as unknown as Split & { payload: Payload };
  const [piece] = split.payload.parts[0]?.pieces ?? [];
  if (piece === undefined) throw new Error('the file has a row group');
  piece.ranges = ranges;
  return split;
}

/** Rows of the split, and the bytes that were read for them. */
function read(split: Split) {
  const disk = createRealSyncDisk();
  let bytesRead = 0;
  const readReally = disk.read.bind(disk);
  disk.read = (id, into, position) => {
    const count = readReally(id, into, position);
    bytesRead += count;
    return count;
  };
  const reader = createParquetReader({ ...slotContext(schema, { memory }), disk });
  const rows: unknown[] = [];
  try {
    reader.open(split);
    for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
      if (typeof batch === 'string') continue;
      rows.push(...readRows(batch));
      batch.release();
    }
  } finally {
    reader.close();
    memory.assertEmpty();
  }
  return { rows, bytesRead };
}

const expectedOf = (ranges: [number, number][]) =>
  ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from }, (_, at) => {
      const [id, text, color] = rowAt(from + at);
      return { id, text, color };
    }),
  );

test.each([
  { ranges: [[399_990, 400_000]] },
  { ranges: [[200_000, 200_010]] },
  {
    ranges: [
      [10, 20],
      [150_000, 150_001],
      [390_000, 390_500],
    ],
  },
] as { ranges: [number, number][] }[])('rows $ranges, and little else', async ({ ranges }) => {
  const split = await splitOf(ranges);
  const found = read(split);
  expect(found.rows).toEqual(expectedOf(ranges));
  const byHeaders = structuredClone(split);
  for (const part of byHeaders.payload.parts) {
    for (const chunk of part.pieces.flatMap(({ chunks }) => chunks).flat()) {
      delete chunk.offsetIndex;
    }
  }
  const without = read(byHeaders);
  expect(without.rows).toEqual(found.rows);
  expect(without.bytesRead).toBeGreaterThan((bytes?.length ?? 0) / 3);
  expect(found.bytesRead).toBeLessThan(without.bytesRead / 2);
});

test('an index of another chunk, or one that is cut, is damage', async () => {
  const ranges: [number, number][] = [[390_000, 390_010]];
  const exchanged = await splitOf(ranges);
  const [piece] = exchanged.payload.parts[0]?.pieces ?? [];
  const [id, , color] = piece?.chunks ?? [];
  const chunkOf = (column: typeof id) => {
    const [chunk] = column ?? [];
    if (chunk?.offsetIndex === undefined) throw new Error('its chunk has an index');
    return chunk;
  };
  chunkOf(id).offsetIndex = chunkOf(color).offsetIndex as { offset: number; sizeBytes: number };
  expect(typedErrorOf(() => read(exchanged))?.info.code).toBe('PARQUET_CORRUPT');
  const cut = await splitOf(ranges);
  const [first] = cut.payload.parts[0]?.pieces ?? [];
  const place = chunkOf(first?.chunks[0]).offsetIndex as { sizeBytes: number };
  place.sizeBytes -= 5;
  expect(typedErrorOf(() => read(cut))?.info.code).toBe('PARQUET_CORRUPT');
});
