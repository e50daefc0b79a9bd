/** Goal: every line is read exactly once, whatever the splits, the buffers and the bytes. */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRealSyncDisk } from '../../../base/env/real-sync-disk.ts';
import { type FileRange, splitOf } from '../../../connectors/filesystem/file-range.ts';
import {
  createTextReader,
  type TextReaderOptions,
} from '../../../connectors/formats/text-reader.ts';
import type { Batch } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { SplitReader } from '../../../engine/contracts/source.ts';
import type { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { rangesAt, wholeFile } from '../../support/read-records.ts';
import { emptyAtEnd, slotContext } from '../../support/slot-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const schema = schemaOf(fieldOf('line', utf8Type));

/** The reference: JavaScript's own idea of text and lines. */
function linesOf(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

interface ReadOptions extends Partial<TextReaderOptions> {
  readonly memory?: SlotMemory;
}

function readAll(ranges: readonly (readonly FileRange[])[], options: ReadOptions = {}) {
  const { memory = emptyAtEnd(512 << 20), ...reading } = options;
  const reader = createTextReader(
    { invalidUtf8: 'fail', ...reading },
    slotContext(schema, { memory }),
  );
  const lines: string[] = [];
  const batchRows: number[] = [];
  try {
    for (const split of ranges) {
      reader.open(splitOf(split));
      for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
        if (typeof batch === 'string') continue;
        batchRows.push(batch.rowCount);
        for (const row of readRows(batch)) lines.push(String(row.line));
        batch.release();
      }
    }
    return { lines, batchRows, bytesRead: reader.bytesRead };
  } finally {
    reader.close();
  }
}

type Row = ReturnType<typeof readRows>[number];

function readWithLetters(reader: SplitReader, ranges: readonly FileRange[]) {
  const rows: Row[] = [];
  const letters: Row[] = [];
  const take = (batch: Batch, into: Row[]) => {
    into.push(...readRows(batch));
    batch.release();
  };
  reader.open(splitOf(ranges));
  for (let result = reader.read(); result !== 'end'; result = reader.read()) {
    if (typeof result !== 'string') take(result, rows);
    for (let bad = reader.takeDeadLetters?.(); bad; bad = reader.takeDeadLetters?.())
      take(bad, letters);
  }
  for (let bad = reader.takeDeadLetters?.(); bad; bad = reader.takeDeadLetters?.())
    take(bad, letters);
  return { rows, letters };
}

const withBytes = (row: Row) => ({ ...row, bytes: Buffer.from(row.bytes as Uint8Array) });

const oddBytes = fc.array(
  fc.constantFrom('\n', '\r', '\r\n', 'a', 'longer than eight', 'é', '語', '😀', '', '\ufeff'),
  { maxLength: 40 },
);

test('any text, any borders, any buffer: the lines of text.split, each once', () => {
  const file = path.join(tempFolder(), 'text');
  const memory = emptyAtEnd(16 << 20);
  fc.assert(
    fc.property(
      oddBytes,
      fc.array(fc.nat(120), { maxLength: 8 }),
      fc.integer({ min: 4, max: 80 }),
      (pieces, borders, bufferBytes) => {
        const bytes = new TextEncoder().encode(pieces.join(''));
        fs.writeFileSync(file, bytes);
        const ranges = rangesAt(file, borders).filter((range) => range.end > range.start);
        const { lines, bytesRead } = readAll(
          ranges.map((range) => [range]),
          { memory, bufferBytes },
        );
        expect(lines).toEqual(linesOf(bytes));
        expect(bytesRead).toBe(bytes.length);
      },
    ),
    { numRuns: 600 },
  );
});

test('any bytes read with "replace" are what TextDecoder makes of them', () => {
  const file = path.join(tempFolder(), 'bytes');
  const memory = emptyAtEnd(16 << 20);
  const anyByte = fc.constantFrom(0x0a, 0x0d, 0x61, 0x80, 0xbf, 0xc3, 0xe2, 0x82, 0xed, 0xf0, 0xff);
  fc.assert(
    fc.property(
      fc.array(anyByte, { maxLength: 60 }),
      fc.array(fc.nat(60), { maxLength: 4 }),
      fc.integer({ min: 4, max: 64 }),
      (values, borders, bufferBytes) => {
        fs.writeFileSync(file, Uint8Array.from(values));
        const ranges = rangesAt(file, borders).filter((range) => range.end > range.start);
        const { lines } = readAll(
          ranges.map((range) => [range]),
          { memory, bufferBytes, invalidUtf8: 'replace' },
        );
        expect(lines).toEqual(linesOf(Uint8Array.from(values)));
      },
    ),
    { numRuns: 600 },
  );
});

test('small files share batches, and each file has its own last line', () => {
  const folder = tempFolder({ a: 'one\ntwo', b: '', c: '\ufeffthree\r\n', d: 'four' });
  const ranges = ['a', 'c', 'd'].map((name) => wholeFile(path.join(folder, name)));
  const { lines, batchRows } = readAll([ranges]);
  expect(lines).toEqual(['one', 'two', 'three', 'four']);
  expect(batchRows).toEqual([4]);
});

test('many small files do not make one long call', () => {
  const names = Array.from({ length: 200 }, (_, index) => `f${String(index).padStart(3, '0')}`);
  const folder = tempFolder(Object.fromEntries(names.map((name) => [name, `${name}\n`])));
  const { lines, batchRows } = readAll([names.map((name) => wholeFile(path.join(folder, name)))]);
  expect(lines).toEqual(names);
  expect(batchRows).toEqual([64, 64, 64, 8]);
});

test('a batch has at most 8,192 rows, and a megabyte of short lines makes several', () => {
  const folder = tempFolder({ text: 'ab\n'.repeat(20_000) });
  const { lines, batchRows } = readAll([[wholeFile(path.join(folder, 'text'))]]);
  expect(lines).toHaveLength(20_000);
  expect(batchRows).toEqual([8192, 8192, 3616]);
});

test('a line of 60 MB is read, in one piece and cut by splits', { timeout: 60_000 }, () => {
  const size = 60_000_000;
  const folder = tempFolder({ text: `first\n${'x'.repeat(size)}\nlast\n` });
  const file = path.join(folder, 'text');
  const expected = [5, size, 4];
  const whole = readAll([[wholeFile(file)]]);
  expect(whole.lines.map((line) => line.length)).toEqual(expected);
  const cut = readAll(rangesAt(file, [1 << 20, 20 << 20, 40 << 20]).map((range) => [range]));
  expect(cut.lines.map((line) => line.length)).toEqual(expected);
});

test('a line above 64 MB is an error that says where it begins', { timeout: 60_000 }, () => {
  const folder = tempFolder({ text: `first\n${'x'.repeat(100_000_000)}\nlast\n` });
  const file = path.join(folder, 'text');
  expect(() => readAll([[wholeFile(file)]])).toThrow(
    `file "${file}" has a line longer than 64 MB, which begins at byte 6`,
  );
});

test.each`
  size  | what
  ${10} | ${'fits'}
  ${11} | ${'is too long'}
`('with a limit of 10 bytes a line of $size $what', ({ size, what }) => {
  for (const ending of ['\n', '', '\r\n', '\nmore\n']) {
    const folder = tempFolder({ text: `a\n${'x'.repeat(size)}${ending}` });
    const file = path.join(folder, 'text');
    for (const bufferBytes of [4, 7, 10]) {
      const read = () => readAll([[wholeFile(file)]], { bufferBytes, lineBytesMax: 10 });
      if (what === 'fits') expect(read().lines[1]).toHaveLength(size);
      else expect(read).toThrow('which begins at byte 2');
    }
  }
});

test.each`
  text                              | byteOffset
  ${[0xff]}                         | ${0}
  ${[0x61, 0x0a, 0x62, 0xc3]}       | ${3}
  ${[0x61, 0x0a, 0xc3, 0x0a]}       | ${2}
  ${[0xef, 0xbb, 0xbf, 0x61, 0x80]} | ${4}
`('bytes that are not UTF-8 end the job at byte $byteOffset', ({ text, byteOffset }) => {
  const folder = tempFolder({ text: Uint8Array.from(text) });
  const file = path.join(folder, 'text');
  const read = () => readAll([[wholeFile(file)]], { bufferBytes: 4 });
  expect(read).toThrow(
    expect.objectContaining({
      message: `file "${file}" has bytes that are not UTF-8, from byte ${byteOffset} on`,
      info: expect.objectContaining({
        code: 'TEXT_INVALID_UTF8',
        hint: expect.stringContaining('invalidUtf8: "replace"'),
        details: { path: file, byteOffset },
      }),
    }),
  );
});

test('with dead letters, bad lines are given out beside the good ones, with their place', () => {
  const long = 'x'.repeat(40);
  const bytes = Buffer.concat([
    Buffer.from('good\n'),
    Buffer.from([0x61, 0xff, 0x0a]),
    Buffer.from(`also good\r\n${long}\nfine\n`),
    Buffer.from([0xc3]),
  ]);
  const folder = tempFolder({ text: bytes });
  const file = path.join(folder, 'text');
  for (const bufferBytes of [4, 10, 64]) {
    const memory = emptyAtEnd(16 << 20);
    const context = slotContext(schema, { memory, hasDeadLetters: true });
    const limits = { bufferBytes: Math.min(bufferBytes, 10), lineBytesMax: 10 };
    const options = bufferBytes === 64 ? { bufferBytes, lineBytesMax: 1000 } : limits;
    const reader = createTextReader({ invalidUtf8: 'fail', ...options }, context);
    const { rows, letters } = readWithLetters(reader, [wholeFile(file)]);
    expect(rows.map(({ line }) => line)).toEqual(
      ['good', 'also good', long, 'fine'].filter((line) => line.length <= options.lineBytesMax),
    );
    const expected = [
      {
        origin: `${file}, byte 5`,
        reason: 'is not UTF-8',
        text: null,
        bytes: Buffer.from([0x61, 0xff]),
      },
      {
        origin: `${file}, byte 65`,
        reason: 'is not UTF-8',
        text: null,
        bytes: Buffer.from([0xc3]),
      },
    ];
    expect(letters.filter(({ text }) => text === null).map(withBytes)).toEqual(expected);
    const tooLong = letters.filter(({ text }) => text !== null);
    expect(tooLong.map(({ origin }) => origin)).toEqual(
      options.lineBytesMax === 10 ? [`${file}, byte 19`] : [],
    );
    expect(
      tooLong.every(
        ({ reason, text }) =>
          /longer than 10 bytes/.test(String(reason)) && long.startsWith(String(text)),
      ),
    ).toBe(true);
    reader.close();
  }
});

test('a split of bad lines only gives no rows, and all of them as dead letters', () => {
  const folder = tempFolder({ text: Buffer.from('\xff\n'.repeat(20_000), 'latin1') });
  const context = slotContext(schema, { hasDeadLetters: true });
  const reader = createTextReader({ invalidUtf8: 'fail' }, context);
  const { rows, letters } = readWithLetters(reader, [wholeFile(path.join(folder, 'text'))]);
  expect([rows.length, letters.length]).toEqual([0, 20_000]);
  reader.close();
});

test('a file that shrank or vanished since it was found is an error', () => {
  const folder = tempFolder({ text: 'one\ntwo\n' });
  const file = path.join(folder, 'text');
  const found = wholeFile(file);
  fs.truncateSync(file, 5);
  const code = 'SOURCE_CHANGED';
  const info = expect.objectContaining({ code });
  expect(() => readAll([[found]])).toThrow(
    expect.objectContaining({ message: expect.stringContaining('became shorter'), info }),
  );
  fs.unlinkSync(file);
  expect(() => readAll([[found]])).toThrow(
    expect.objectContaining({ message: expect.stringContaining('vanished'), info }),
  );
});

test('what is appended to a file after it was found is not read', () => {
  const folder = tempFolder({ text: 'one\ntwo' });
  const file = path.join(folder, 'text');
  const found = wholeFile(file);
  fs.appendFileSync(file, ' and\nmore\n');
  expect(readAll([[found]]).lines).toEqual(['one', 'two']);
});

test('a folder in place of a file is unreadable', () => {
  const folder = tempFolder();
  expect(() => readAll([[{ path: folder, start: 0, end: 1, fileSize: 1 }]])).toThrow(
    expect.objectContaining({ info: expect.objectContaining({ code: 'DISK_IS_A_FOLDER' }) }),
  );
});

test('the position names the file and the byte, and a reader is closed at any time', () => {
  const folder = tempFolder({ text: 'line\n'.repeat(10_000) });
  const file = path.join(folder, 'text');
  const context = slotContext(schema);
  const reader = createTextReader({ invalidUtf8: 'fail' }, context);
  expect(reader.position()).toBe('no file');
  reader.open(splitOf([wholeFile(file)]));
  const batch = reader.read();
  expect(reader.position()).toBe(`${file}, byte ${8192 * 5}`);
  reader.close();
  reader.close();
  if (typeof batch === 'object') {
    expect(readRows(batch)[8191]).toEqual({ line: 'line' });
    batch.release();
  }
});

test('a file that does not close is an error and leaves no memory', () => {
  const file = path.join(tempFolder(), 'text');
  fs.writeFileSync(file, 'a\nb\n'.repeat(100));
  const disk = createRealSyncDisk();
  const closeFile = disk.close.bind(disk);
  disk.close = (id) => {
    closeFile(id);
    throw new Error('it does not close');
  };
  const reader = createTextReader(
    { invalidUtf8: 'fail', bufferBytes: 64 },
    slotContext(schema, { disk }), // Whose memory must be empty at the end.
  );
  reader.open(splitOf([wholeFile(file)]));
  const batch = reader.read();
  if (typeof batch !== 'string') batch.release();
  expect(() => reader.close()).toThrow('it does not close');
  reader.close(); // Again, as after any failure: nothing is left to close.
});
