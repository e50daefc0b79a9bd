/** Goal: an answer of the stream benches that differs is told, by its question and both sums. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { knownSums, readStreamSums, sumsDifferenceOf } from '../../bench/stream-sums.ts';
import { tempFolder } from '../support/temp-folder.ts';

const sums = { q1: [2, 30, 4], q2: [1, 7] };

test('equal sums do not differ, whatever their order', () => {
  expect(sumsDifferenceOf(sums, { q2: [1, 7], q1: [2, 30, 4] })).toBeNull();
});

test('each question that differs is named with both sums', () => {
  expect(sumsDifferenceOf(sums, { q1: [2, 31, 4], q2: [1, 8] })).toBe(
    'q1 is [2, 31, 4], not [2, 30, 4]; q2 is [1, 8], not [1, 7]',
  );
});

test('a question without an answer differs', () => {
  expect(sumsDifferenceOf(sums, { q1: [2, 30, 4] })).toBe('q2 is [], not [1, 7]');
});

test('sums that a contestant made itself are read as they are', () => {
  const folder = tempFolder({ 'sums.json': JSON.stringify(sums) });
  expect(readStreamSums(folder, 'nexmark')).toEqual(sums);
  writeFileSync(join(folder, 'sums.json'), JSON.stringify({ q1: [0] }));
  expect(sumsDifferenceOf(sums, readStreamSums(folder, 'nexmark'))).toContain('q1 is [0]');
});

test('known sums are whole numbers that a double has exactly', () => {
  const all = Object.values(knownSums).flatMap((sizes) => Object.values(sizes));
  const values = all.flatMap((one) => Object.values(one).flat());
  expect(values.length).toBeGreaterThan(20);
  for (const value of values) expect(Number.isSafeInteger(value)).toBe(true);
});
