/**
 * Goal: a reader that is opened at the position of another goes on right behind the rows that this one gave out: over
 * borders of ranges, buffers, files and pieces, over records that can't be read, and in compressed files.
 *
 * The suite is the contract of `SplitReader.snapshot`, engine/contracts/source.ts, for each source that has it.
 */
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { splitOf } from '../../connectors/filesystem/file-range.ts';
import { type CsvOptions, plainCsvStyle } from '../../connectors/formats/csv-options.ts';
import { createCsvReader } from '../../connectors/formats/csv-records.ts';
import { createFixedReader } from '../../connectors/formats/fixed-records.ts';
import { createNdjsonReader } from '../../connectors/formats/ndjson-records.ts';
import { createTextReader } from '../../connectors/formats/text-reader.ts';
import { connectors } from '../../connectors/registry.ts';
import type { Connector, SlotContext } from '../../engine/contracts/connector.ts';
import type { SplitReader } from '../../engine/contracts/source.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { int32Type, int64Type, utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { type Row, rangesAt, readSplits, wholeFile } from '../support/read-records.ts';
import { readResumed } from '../support/resumed-reads.ts';
import { slotContext } from '../support/slot-context.ts';
import { sourceKinds } from '../support/source-cases.ts';
import { tempFolder } from '../support/temp-folder.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const shared = { memory, kernels };

const replayable = sourceKinds.filter(({ name }) => !name.startsWith('rows of a program'));

describe.each(replayable)('$name', ({ make }) => {
  test.each([1, 3])('a new reader after every %i moves', async (moves) => {
    const { source } = make();
    const connector = connectors.get(source.connector) as Required<Connector>;
    const role = { disk: createRealDisk(), attemptId: 'attempt' };
    const { splits } = await connector.enumerator(source.options, role).discover(2);
    const context = slotContext(source.schema, shared);
    const newReader = () => connector.reader(source.options, context);
    const whole = readSplits(newReader(), splits);
    const resumed = readResumed(newReader, splits, moves);
    expect(resumed.rows).toEqual(whole.rows);
    if (moves === 1) expect(resumed.resumedCount).toBeGreaterThanOrEqual(splits.length);
    for (const [at, { sizeBytes }] of splits.entries()) {
      // A generator's bytes are rounded.
      expect(Math.abs((resumed.bytesRead[at] ?? 0) - sizeBytes)).toBeLessThanOrEqual(1);
    }
    memory.assertEmpty();
  });
});

test('connectors say whether their readers know where they are', () => {
  for (const { make } of sourceKinds) {
    const { source } = make();
    const { reader, isReplayable = false } = connectors.get(
      source.connector,
    ) as Required<Connector>;
    const { snapshot } = reader(source.options, slotContext(source.schema, shared));
    expect([source.connector, isReplayable]).toEqual([source.connector, snapshot !== undefined]);
  }
});

test('rows that a program gives once can not be read from a position', () => {
  const programKind = sourceKinds.find(({ name }) => name.startsWith('rows of a program'));
  const { source } = (programKind ?? sourceKinds[0])?.make() ?? {};
  const { reader } = connectors.get('memory') as Required<Connector>;
  expect(source?.connector).toBe('memory');
  const context = slotContext(source?.schema ?? schemaOf(), shared);
  expect(reader(source?.options ?? null, context).snapshot).toBeUndefined();
});

/** A format with small buffers, and a record of it; some records can't be read. */
interface TinyFormat {
  readonly name: string;
  readonly newReader: (context: SlotContext) => SplitReader;
  readonly schema: SlotContext['schema'];
  readonly header: string;
  readonly recordOf: (id: number, text: string) => string;
}

const named = schemaOf(fieldOf('id', int32Type), fieldOf('text', utf8Type));
const sizes = { bufferBytes: 16, recordBytesMax: 60 };
const csvOptions: CsvOptions = {
  ...{ kind: 'csv', ...plainCsvStyle },
  ...{ columns: ['id', 'text'], split: true },
};
const tinyFormats: readonly TinyFormat[] = [
  {
    name: 'text',
    newReader: (context) =>
      createTextReader({ invalidUtf8: 'fail', pathColumn: 'path', ...textSizes }, context),
    schema: schemaOf(fieldOf('text', utf8Type), fieldOf('path', utf8Type)),
    header: '',
    recordOf: (id, text) => `${id}${text}`,
  },
  {
    name: 'NDJSON',
    newReader: (context) => createNdjsonReader(context, sizes),
    schema: named,
    header: '',
    recordOf: (id, text) =>
      text === '!' ? '{"id":' : JSON.stringify({ text: `${text}"\\`, id, other: [text] }),
  },
  {
    name: 'NDJSON, no text asked of it',
    newReader: (context) => createNdjsonReader(context, sizes),
    schema: schemaOf(fieldOf('id', int32Type)),
    header: '',
    recordOf: (id, text) => (text === '!' ? 'null' : JSON.stringify({ id, text })),
  },
  {
    name: 'CSV',
    newReader: (context) => createCsvReader(csvOptions, context, sizes),
    schema: named,
    header: 'text,id\n',
    // Where a record is too long what follows is read from its next line break on, in quotes or not.
    recordOf: (id, text) => {
      if (text === '!') return 'x,no number';
      return text.length > 60 ? `${text},${id}` : `"${text},\n""y""",${id}`;
    },
  },
  {
    name: 'CSV without a header',
    newReader: (context) => createCsvReader({ ...csvOptions, header: false }, context, sizes),
    schema: named,
    header: '',
    recordOf: (id, text) => (text === '!' ? '1,2,3' : `${id},${text}`),
  },
];
const textSizes = { bufferBytes: 16, lineBytesMax: 60 };

const records = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('', 'a', 'é', 'some words', '-'.repeat(30)) },
    { weight: 1, arbitrary: fc.constant('!') },
    { weight: 1, arbitrary: fc.constant('too long '.repeat(12)) },
  ),
  { maxLength: 14 },
);
const files = fc.array(
  fc.record({
    records,
    lineBreak: fc.constantFrom('\n', '\r\n'),
    hasMark: fc.boolean(),
    endsWithBreak: fc.boolean(),
    borders: fc.array(fc.nat(160), { maxLength: 3 }),
    ending: fc.constantFrom('', '', '.gz', '.zst'),
  }),
  { minLength: 1, maxLength: 3 },
);

const packedBy: Readonly<Record<string, (text: string) => Uint8Array>> = {
  '': (text) => new TextEncoder().encode(text),
  '.gz': (text) => gzipSync(text),
  '.zst': (text) => zstdCompressSync(text),
};

describe.each(tinyFormats)('$name in small buffers', (format) => {
  const { schema, header, recordOf } = format;
  test('whatever the records, borders and files, and wherever it stops', () => {
    fc.assert(
      fc.property(files, fc.integer({ min: 1, max: 3 }), fc.boolean(), (given, moves, joins) => {
        const folder: Record<string, Uint8Array> = {};
        given.forEach(({ records: texts, lineBreak, hasMark, endsWithBreak, ending }, at) => {
          const lines = texts.map((text, id) => recordOf(id, text));
          const end = endsWithBreak && lines.length > 0 ? lineBreak : '';
          const content = header + lines.join(lineBreak) + end;
          const packed = packedBy[ending]?.((hasMark ? '\ufeff' : '') + content);
          folder[`${at}.txt${ending}`] = packed ?? new Uint8Array();
        });
        const root = tempFolder(folder);
        const ranges = Object.keys(folder).flatMap((name, at) => {
          const file = path.join(root, name);
          if (given[at]?.ending !== '') return [wholeFile(file)];
          return rangesAt(file, cutsOf(format, given[at]?.borders ?? []));
        });
        const wanted = ranges.filter(({ fileSize }) => fileSize > 0);
        if (wanted.length === 0) return;
        const splits = joins ? [splitOf(wanted)] : wanted.map((range) => splitOf([range]));
        const context = slotContext(schema, { ...shared, hasDeadLetters: true });
        const newReader = () => format.newReader(context);
        const whole = readSplits(newReader(), splits);
        const resumed = readResumed(newReader, splits, moves);
        expect(resumed.rows).toEqual(whole.rows);
        expect(shown(resumed.letters)).toEqual(shown(whole.letters));
        memory.assertEmpty();
      }),
      { numRuns: 60 },
    );
  });
});

/** Of a record that is too long a dead letter has what a buffer had. */
function shown(letters: readonly Row[]) {
  return letters.map(({ text, ...letter }) =>
    String(letter.reason).includes('its beginning') ? letter : { ...letter, text },
  );
}

/** Borders in quotes, or in records that are too long, end the job: those of CSV are tested elsewhere. */
function cutsOf({ name }: TinyFormat, borders: readonly number[]): readonly number[] {
  return name.startsWith('CSV') ? [] : borders;
}

test('fixed records, the last one short, over borders of ranges and of files', () => {
  const fields = [
    { name: 'id', offset: 0, bytes: 4 },
    { name: 'text', offset: 4, bytes: 6 },
  ];
  const schema = schemaOf(
    fieldOf('id', int32Type),
    fieldOf('text', { kind: 'binary' }),
    fieldOf('byte', int64Type),
  );
  const options = { fields, recordBytes: 10, isLastShort: true, path: null, byte: 'byte' };
  const content = (count: number) => new Uint8Array(count * 10 - 3).map((_, at) => at * 7);
  const root = tempFolder({ 'a.bin': content(40), 'b.bin.gz': gzipSync(content(30)) });
  const [a, b] = [path.join(root, 'a.bin'), path.join(root, 'b.bin.gz')];
  const splits = [splitOf([...rangesAt(a, [105, 200, 333]), wholeFile(b)])];
  const context = slotContext(schema, shared);
  const newReader = () =>
    createFixedReader({ kind: 'fixedRecords', ...options } as never, context, { bufferBytes: 32 });
  const whole = readSplits(newReader(), splits);
  expect(whole.rows).toHaveLength(70);
  for (const moves of [1, 2, 5]) {
    const resumed = readResumed(newReader, splits, moves);
    expect(resumed.rows).toEqual(whole.rows);
    expect(resumed.bytesRead).toEqual([splits[0]?.sizeBytes]);
  }
  memory.assertEmpty();
});

test('a compressed file that has become shorter than the position is told', () => {
  const root = tempFolder({ 'a.txt.gz': gzipSync('one\ntwo\nthree\n') });
  const split = splitOf([wholeFile(path.join(root, 'a.txt.gz'))]);
  const context = slotContext(schemaOf(fieldOf('text', utf8Type)), shared);
  const reader = createTextReader({ invalidUtf8: 'fail' }, context);
  const place = { byteOffset: 100, isSkipping: false };
  reader.open({ ...split, position: { rangeIndex: 0, place } });
  expect(() => reader.read()).toThrow(/became shorter/);
  reader.close();
  memory.assertEmpty();
});
