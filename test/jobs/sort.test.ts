/** Goal: what the generator makes and the checker says can be trusted, and the sample is what its README says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import { factsOf, wholeOf } from '../../jobs/sort/check.ts';
import { writeRecord } from '../../jobs/sort/generate.ts';
import job from '../../jobs/sort/job.ts';
import { compareKeys, RecordSum, recordBytes } from '../../jobs/sort/records.ts';

const folder = join(import.meta.dirname, '../../jobs/sort');

function recordsOf(numbers: readonly number[], seed = 1): Uint8Array {
  const bytes = new Uint8Array(numbers.length * recordBytes);
  numbers.forEach((number, index) => {
    writeRecord(bytes, index * recordBytes, { number, seed, isText: false });
  });
  return bytes;
}

const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);

function sumOf(bytes: Uint8Array): string {
  const sum = new RecordSum();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += recordBytes) sum.add(view, at);
  return sum.text;
}

/** Numbers of records, in the order of their keys. */
function inOrder(count: number): number[] {
  const bytes = recordsOf(upTo(count));
  return upTo(count).sort((a, b) => compareKeys(bytes, a * recordBytes, bytes, b * recordBytes));
}

test('records follow from seed and number, and differ by both', () => {
  expect(recordsOf([5], 1)).toEqual(recordsOf([5], 1));
  const keys = [recordsOf([5], 1), recordsOf([6], 1), recordsOf([5], 2), recordsOf([2 ** 40], 1)];
  expect(new Set(keys.map((bytes) => bytes.subarray(0, 10).join())).size).toBe(4);
  expect(new Set(upTo(5000).map((n) => recordsOf([n]).subarray(0, 10).join())).size).toBe(5000);
});

test('as text a record is a line', () => {
  const bytes = new Uint8Array(recordBytes * 50);
  for (const number of upTo(50)) {
    writeRecord(bytes, number * recordBytes, { number, seed: 1, isText: true });
  }
  expect(Buffer.from(bytes).toString('latin1')).toMatch(/^([ -~]{98}\r\n){50}$/);
});

test('the checksum sees what was lost, doubled or changed, and not the order', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(upTo(40)), (numbers) => {
      const bytes = recordsOf(numbers);
      expect(sumOf(recordsOf([...numbers].sort((a, b) => a - b)))).toBe(sumOf(bytes));
      if (numbers.length === 0) return;
      expect(sumOf(recordsOf(numbers.slice(1)))).not.toBe(sumOf(bytes));
      expect(sumOf(recordsOf([...numbers, numbers[0] ?? 0]))).not.toBe(sumOf(bytes));
      bytes[(numbers.length * 37) % bytes.length] = ((bytes[37] ?? 0) + 1) % 256;
    }),
  );
});

test('a checksum of parts is that of the whole', () => {
  const whole = new RecordSum();
  for (const part of [upTo(7), [7, 8], upTo(30).slice(9)]) whole.addText(sumOf(recordsOf(part)));
  expect(whole.text).toBe(sumOf(recordsOf(upTo(30))));
});

test('sorted chunks of several files are in order, in whatever order they come', () => {
  const numbers = inOrder(30);
  const chunks = [
    factsOf('part-1', 0, recordsOf(numbers.slice(20))),
    factsOf('part-0', 1000, recordsOf(numbers.slice(10, 20))),
    factsOf('part-0', 0, recordsOf(numbers.slice(0, 10))),
  ];
  const checksum = sumOf(recordsOf(upTo(30)));
  const expected = { records: 30, duplicateKeys: 0, checksum, order: 'ascending' };
  expect(wholeOf(chunks)).toEqual(expected);
});

test.each`
  what                     | order                       | message
  ${'within a chunk'}      | ${[0, 1, 3, 2, 4, 5, 6, 7]} | ${'record 3 of "part-0"'}
  ${'from chunk to chunk'} | ${[0, 1, 2, 4, 3, 5, 6, 7]} | ${'record 4 of "part-0"'}
  ${'from file to file'}   | ${[0, 1, 2, 3, 6, 7, 4, 5]} | ${'record 0 of "part-1"'}
`('a record that is out of order $what is found', ({ order, message }) => {
  const numbers = inOrder(8);
  const bytes = recordsOf((order as number[]).map((place) => numbers[place] ?? 0));
  const part = (from: number, to: number) => bytes.subarray(from * recordBytes, to * recordBytes);
  const chunks = [
    factsOf('part-0', 0, part(0, 4)),
    factsOf('part-0', 400, part(4, 6)),
    factsOf('part-1', 0, part(6, 8)),
  ];
  expect(() => wholeOf(chunks)).toThrow(message);
});

test('equal keys are counted, also from chunk to chunk', () => {
  const bytes = recordsOf([3, 3, 3]);
  const chunks = [factsOf('a', 0, bytes), factsOf('a', 300, bytes)];
  expect(wholeOf(chunks)).toMatchObject({ records: 6, duplicateKeys: 5 });
});

test('a piece of a record is an error', () => {
  expect(() => factsOf('a', 0, recordsOf([1]).subarray(0, 60))).toThrow('middle of a record');
});

test('it is one sort per task and a merge', () => {
  const { graph, functions } = buildJob(job, parseParams(job.params, { input: 'a.bin' }));
  expect(functions.size).toBe(0);
  const { vertices } = planJob(graph, { parallelism: 2 });
  expect(vertices.flatMap(({ chain }) => chain.map(({ kind }) => kind))).toContain('sort');
});

test('the sample is the first records of seed 1, with the checksum that the README shows', () => {
  const sample = readFileSync(join(folder, 'sample.bin'));
  expect(Buffer.compare(sample, recordsOf(upTo(20)))).toBe(0);
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`│ ${sumOf(sample)} │ asc`);
});
