/** Goal: parallelism and memory are checked, and their defaults fit the machine. */
import { expect, test } from 'vitest';
import {
  memoryBytesOf,
  parseAdaptive,
  parseParallelism,
  parsePartitions,
  parseRate,
} from '../../cli/engine-flags.ts';

const mb = 1024 ** 2;
const gb = 1024 ** 3;

test.each`
  text     | parallelism
  ${'1'}   | ${1}
  ${'128'} | ${128}
`('parallelism "$text" is taken', ({ text, parallelism }) => {
  expect(parseParallelism(text)).toBe(parallelism);
});

test.each(['0', '-1', '1.5', '129', 'two', '', ' 2', '1e1'])(
  'parallelism "%s" is refused',
  (text) => {
    expect(() => parseParallelism(text)).toThrow(/no whole number from 1 to 128/);
  },
);

test('plans change unless that is off', () => {
  expect([undefined, 'on', 'off'].map(parseAdaptive)).toEqual([true, true, false]);
  expect(() => parseAdaptive('no')).toThrow(/"no" is not on or off/);
});

test('partitions are counted on disk only', () => {
  expect(parsePartitions(undefined, 'memory')).toBeNull();
  expect(parsePartitions('64', 'disk')).toBe(64);
  expect(() => parsePartitions('64', 'memory')).toThrow(/on disk only/);
  for (const text of ['0', '129', 'many', '']) {
    expect(() => parsePartitions(text, 'disk')).toThrow(/no whole number from 1 to 128/);
  }
});

test.each`
  text         | slots | machine    | bytes
  ${undefined} | ${2}  | ${16 * gb} | ${4 * gb}
  ${undefined} | ${8}  | ${8 * gb}  | ${4 * gb}
  ${undefined} | ${4}  | ${mb}      | ${128 * mb}
  ${'64MB'}    | ${2}  | ${gb}      | ${64 * mb}
  ${'100GB'}   | ${2}  | ${gb}      | ${8 * gb}
`('--memory $text with $slots slots is $bytes', ({ text, slots, machine, bytes }) => {
  expect(memoryBytesOf(text, slots, { memoryBytes: machine })).toBe(bytes);
});

test('too little memory names the least that would do', () => {
  expect(() => memoryBytesOf('100MB', 4, { memoryBytes: gb })).toThrow(
    expect.objectContaining({
      info: expect.objectContaining({ hint: expect.stringContaining('--memory 128MB') }),
    }),
  );
  expect(() => memoryBytesOf('much', 4, { memoryBytes: gb })).toThrow(/no size/);
});

test('a rate is a number of rows per second', () => {
  expect([parseRate(undefined), parseRate('100000'), parseRate('0.5')]).toEqual([
    undefined,
    100_000,
    0.5,
  ]);
  for (const text of ['0', '-1', '1e3', 'fast', true]) {
    expect(() => parseRate(text)).toThrow(`--rate: "${text}" is no number of rows per second`);
  }
});
