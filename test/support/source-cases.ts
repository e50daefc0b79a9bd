/** For each source and format that there is an input, made anew for each test, and the rows that it gives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Dictionary, Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { t } from 'millrace';
import { arrow, columnar, csv, files, fixedRecords, ndjson, text } from '../../connectors/files.ts';
import { nexmark } from '../../connectors/generator.ts';
import { memory } from '../../connectors/memory.ts';
import { feedRows } from '../../connectors/program/row-feed.ts';
import type { ProgramRing, SourceSpec } from '../../engine/contracts/connector.ts';
import { nexmarkPerson } from '../../engine/kernels/nexmark.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { ringScene } from './program-ring.ts';
import { tempFolder } from './temp-folder.ts';

export interface SourceCase {
  readonly source: SourceSpec;
  /** What `rowText` makes of all rows, sorted. */
  readonly rows: readonly string[];
  readonly inputCount: number;
  readonly usesDisk: boolean;
  /** Splits that eight tasks get at least. */
  readonly splitsMin: number;
  /** What the program has given, for a reader of its rows. */
  readonly programRing?: (memory: SlotMemory) => Promise<ProgramRing>;
}

export interface SourceKind {
  readonly name: string;
  readonly make: () => SourceCase;
}

/** A row as text, which can be sorted and compared. */
export function rowText(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(row, (_name, value) =>
    typeof value === 'bigint' ? `${value}n` : (value as unknown),
  );
}

export const sourceKinds: readonly SourceKind[] = [
  { name: 'text files of a folder', make: textFolder },
  { name: 'NDJSON files of a folder, two columns of them', make: ndjsonFolder },
  { name: 'CSV files of a folder, two columns of them', make: csvFolder },
  { name: 'fixed records of a folder, two columns of them', make: fixedFolder },
  { name: 'Arrow files of a folder, two columns of them', make: arrowFolder },
  { name: 'Arrow and Parquet files of a folder', make: columnarFolder },
  { name: 'rows of a program, two columns of them', make: programRows },
  { name: 'persons of a generator, two columns of them', make: somePersons },
];

function textFolder(): SourceCase {
  const large = lineTexts(30_000, 1);
  const folder = tempFolder({
    'large.txt': `${large.join('\n')}\n`,
    'small.txt': lineTexts(3, 2).join('\r\n'),
    'empty.txt': '',
    'sub/middle.txt': lineTexts(9_000, 3).join('\n'),
  });
  const lines = [...large, ...lineTexts(3, 2), ...lineTexts(9_000, 3)];
  return {
    source: files.source({ path: folder, format: text() }),
    rows: lines.map((line) => rowText({ text: line })).sort(),
    inputCount: 4,
    usesDisk: true,
    splitsMin: 2,
  };
}

function lineTexts(count: number, seed: number): string[] {
  return Array.from(
    { length: count },
    (_, row) => `${seed}:${row} ${'é'.repeat((row * 7919) % 90)}`,
  );
}

interface Entry {
  readonly id: number;
  readonly name: string | null;
}

function entries(count: number, seed: number): Entry[] {
  return lineTexts(count, seed).map((line, row) => ({
    id: seed * 1_000_000 + row,
    name: row % 5 === 0 ? null : `"${line}",\n${line}`,
  }));
}

/** The case of files with all entries, of which two of three columns are read. */
function entriesCase(folder: string, format: 'ndjson' | 'csv', all: readonly Entry[]): SourceCase {
  const Entries = t.struct({ name: t.utf8().nullable(), unused: t.utf8(), id: t.int32() });
  const source = files.source({
    path: folder,
    format: format === 'csv' ? csv(Entries) : ndjson(Entries),
  });
  const fields = source.schema.fields.filter((field) => field.name !== 'unused');
  return {
    source: { ...source, schema: { fields } },
    rows: all.map(({ id, name }) => rowText({ name, id })).sort(),
    inputCount: 3,
    usesDisk: true,
    splitsMin: 2,
  };
}

function ndjsonFolder(): SourceCase {
  const [large, small, middle] = [entries(30_000, 1), entries(3, 2), entries(9_000, 3)];
  const textOf = (all: readonly Entry[]) =>
    all.map((entry) => `${JSON.stringify({ ...entry, unused: 'x\\y' })}\n`).join('');
  const folder = tempFolder({
    'large.ndjson': textOf(large),
    'small.ndjson': textOf(small).trimEnd(),
    'sub/middle.ndjson.zst': zstdCompressSync(textOf(middle)),
  });
  return entriesCase(folder, 'ndjson', [...large, ...small, ...middle]);
}

function csvFolder(): SourceCase {
  const [large, small, middle] = [entries(30_000, 1), entries(3, 2), entries(9_000, 3)];
  const textOf = (all: readonly Entry[]) =>
    `id,unused,name\n${all
      .map(({ id, name }) => `${id},x,${name === null ? '' : `"${name.replaceAll('"', '""')}"`}\n`)
      .join('')}`;
  const folder = tempFolder({
    'large.csv': textOf(large),
    'small.csv': textOf(small).trimEnd(),
    'sub/middle.csv.gz': gzipSync(textOf(middle)),
  });
  return entriesCase(folder, 'csv', [...large, ...small, ...middle]);
}

function fixedFolder(): SourceCase {
  const contentOf = (count: number, seed: number) => {
    const bytes = new Uint8Array(count * 100).map((_, at) => at * seed);
    const view = new DataView(bytes.buffer);
    for (let row = 0; row < count; row++) view.setInt32(row * 100 + 12, row * seed, true);
    return bytes;
  };
  const contents = [contentOf(30_000, 3), contentOf(3, 5), contentOf(9_000, 7)];
  const folder = tempFolder({
    'large.bin': contents[0] ?? '',
    'small.bin': contents[1] ?? '',
    'sub/middle.bin.gz': gzipSync(contents[2] ?? ''),
  });
  const Sample = t.struct({ key: t.binary(), id: t.int32(), unused: t.binary() });
  const format = fixedRecords(Sample, { bytes: { key: 12, unused: 84 } });
  const source = files.source({ path: folder, format });
  const rows = contents.flatMap((bytes) =>
    Array.from({ length: bytes.length / 100 }, (_, row) => {
      const key = bytes.slice(row * 100, row * 100 + 12);
      const id = new DataView(bytes.buffer).getInt32(row * 100 + 12, true);
      return rowText({ key, id });
    }),
  );
  return {
    source: {
      ...source,
      schema: { fields: source.schema.fields.filter(({ name }) => name !== 'unused') },
    },
    rows: rows.sort(),
    inputCount: 3,
    usesDisk: true,
    splitsMin: 2,
  };
}

function arrowFolder(): SourceCase {
  const table = (count: number, seed: number) =>
    new Table({
      id: vectorFromArray(
        Array.from({ length: count }, (_, row) => seed * 1_000_000 + row),
        new Int32(),
      ),
      unused: vectorFromArray(lineTexts(count, seed), new Utf8()),
      name: vectorFromArray(
        lineTexts(count, seed).map((line, row) => (row % 5 === 0 ? null : line)),
        new Dictionary(new Utf8(), new Int32()),
      ),
    });
  const large = table(30_000, 1);
  const small = table(3, 2);
  const middle = table(9_000, 3);
  const folder = tempFolder({
    'large.arrow': tableToIPC(large, 'file'),
    'small.arrows': tableToIPC(small, 'stream'),
    'sub/middle.arrow': tableToIPC(middle, 'file'),
  });
  const id = t.int32().nullable();
  const name = t.utf8().nullable();
  const source = files.source({
    path: folder,
    format: arrow(t.struct({ name, unused: name, id })),
  });
  const rows = [large, small, middle].flatMap((one) =>
    Array.from(one, (row) => rowText({ name: row.name, id: row.id })),
  );
  return {
    source: {
      ...source,
      schema: { fields: source.schema.fields.filter((f) => f.name !== 'unused') },
    },
    rows: rows.sort(),
    inputCount: 3,
    usesDisk: true,
    splitsMin: 2,
  };
}

function columnarFolder(): SourceCase {
  const fixtures = join(import.meta.dirname, '../fixtures/parquet');
  const written = JSON.parse(readFileSync(join(fixtures, 'rows.json'), 'utf8')) as {
    i32: number;
  }[];
  const ids = Array.from({ length: 9_000 }, (_, row) => row);
  const folder = tempFolder({
    'a.arrow': tableToIPC(new Table({ i32: vectorFromArray(ids, new Int32()) }), 'file'),
    'b.parquet': readFileSync(join(fixtures, 'plain.parquet')),
  });
  const struct = t.struct({ i32: t.int32().nullable() });
  const rows = [...ids, ...written.map((row) => row.i32)].map((i32) => rowText({ i32 }));
  return {
    source: files.source({ path: folder, format: columnar(struct) }),
    rows: rows.sort(),
    inputCount: 2,
    usesDisk: true,
    splitsMin: 2,
  };
}

function programRows(): SourceCase {
  const rows = Array.from({ length: 20_000 }, (_, row) => ({
    id: row,
    unused: `unused ${row}`,
    name: row % 5 === 0 ? null : `name ${row}`,
  }));
  const id = t.int32();
  const name = t.utf8().nullable();
  const source = memory.source(rows, t.struct({ name, unused: t.utf8(), id }));
  return {
    source: {
      ...source,
      schema: { fields: source.schema.fields.filter((f) => f.name !== 'unused') },
    },
    rows: rows.map((row) => rowText({ name: row.name, id: row.id })).sort(),
    inputCount: 1,
    usesDisk: false,
    splitsMin: 1,
    programRing: async (slotMemory) => {
      const { ring, feed, bell } = ringScene(slotMemory, source.schema, 1 << 20, 8);
      await feedRows(feed, rows);
      return { ring, wakeProgram: () => bell.ring() };
    },
  };
}

function somePersons(): SourceCase {
  const settings = { events: 150_000, seed: 3, outOfOrderGroup: 10 };
  const source = nexmark.persons(settings);
  const names = ['id', 'state'];
  const fields = source.schema.fields.filter(({ name }) => names.includes(name));
  const options = {
    seed: BigInt(settings.seed),
    baseTimeMs: 1_700_000_000_000,
    eventsPerSecond: 10_000,
    group: settings.outOfOrderGroup,
  };
  const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
  const rows: string[] = [];
  for (let id = 0n; id < settings.events; id += 50n) {
    const person = nexmarkPerson(id, options);
    rows.push(rowText({ id: Number(person.id), state: states[person.state] }));
  }
  return {
    source: { ...source, schema: { fields } },
    rows: rows.sort(),
    inputCount: 1,
    usesDisk: false,
    splitsMin: 3,
  };
}
