/** Goal: the stream benches ask every engine the same, of the same files. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { peersFolder } from '../../bench/bench-cache.ts';
import type { Contestant } from '../../bench/bench-case.ts';
import { streamBenches } from '../../bench/streams.ts';

const [nexmark, windows, windowsArrow] = streamBenches;

/** What follows the program: data, answer, threads, bench and format. */
function askedOf(contestants: readonly Contestant[] | undefined, id: string): readonly string[] {
  const one = contestants?.find((contestant) => contestant.id === id);
  const command = one?.command('/data') ?? [];
  return command.slice(command.indexOf('/data') + 2);
}

test('the largest size is the default', () => {
  expect([nexmark, windows].map((bench) => bench?.sizes[0])).toEqual(['10M', '50M']);
});

test('each engine is asked for the bench, with as many threads', () => {
  for (const id of ['millrace', 'duckdb']) {
    expect(askedOf(nexmark?.contestants, id)).toEqual(['2', 'nexmark', 'parquet']);
    expect(askedOf(windows?.contestants, id)).toEqual(['2', 'windows', 'parquet']);
    expect(askedOf(windowsArrow?.contestants, id)).toEqual(['2', 'windows', 'arrow']);
  }
  expect(askedOf(nexmark?.contestants, 'duckdb-sums')).toEqual(['2', 'nexmark', 'parquet', 'sums']);
  expect(askedOf(nexmark?.contestants, 'flink')).toEqual(['2', 'nexmark']);
  expect(askedOf(windowsArrow?.contestants, 'flink')).toEqual(['2', 'windows']);
  expect(askedOf(nexmark?.contestants, 'millrace-1')[0]).toBe('1');
});

test('answers of benches and engines lie apart', () => {
  const paths = streamBenches.flatMap(({ contestants }) => contestants.map((one) => one.outPath));
  expect(new Set(paths).size).toBe(paths.length);
});

test('only the peers that are there are named', () => {
  const command = nexmark?.contestants.find(({ id }) => id === 'duckdb')?.command('/data') ?? [];
  expect(command[1]).toBe(join(peersFolder, 'stream_duckdb.py'));
});

test('an answer in words has the rows of each question', () => {
  expect(nexmark?.answerText({ q1: [9_200_000, 5], q4: [5, 60] })).toBe(
    'q1 9,200,000 rows, q4 5 rows',
  );
});
