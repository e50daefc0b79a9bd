/** Goal: both word counts have the same parameters and result columns, and the plans that they should have. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import { noFunctionContext } from '../../engine/compile/function-context.ts';
import { schemaText } from '../../engine/schema/schema.ts';
import wordcount from '../../jobs/wordcount/job.ts';
import wordcountMapReduce from '../../jobs/wordcount-mapreduce/job.ts';

const raw = { input: 'in', output: 'out.csv', top: '20', 'invalid-utf8': 'replace' };

describe.each([wordcount, wordcountMapReduce])('$name', (job) => {
  test('takes the flags of its README', () => {
    expect(parseParams(job.params, raw)).toEqual({
      input: 'in',
      output: 'out.csv',
      top: 20,
      invalidUtf8: 'replace',
    });
    expect(parseParams(job.params, { input: 'in' })).toEqual({
      input: 'in',
      output: 'wordcount.csv',
      top: undefined,
      invalidUtf8: 'fail',
    });
    expect(() => parseParams(job.params, { inptu: 'in' })).toThrow('no parameter "inptu"');
  });

  test('writes word and count, sorted, by one task', () => {
    const { graph } = buildJob(job, parseParams(job.params, raw));
    const physical = planJob(graph, { parallelism: 4 });
    expect(schemaText(graph.nodes.at(-1)?.schema ?? { fields: [] })).toBe('word utf8, count int64');
    expect(physical.vertices.map((vertex) => vertex.parallelism)).toEqual([4, 4, 1]);
    expect(physical.edges.map((edge) => edge.exchange.kind)).toEqual(['hash', 'merge']);
  });

  test('reads and writes what its parameters say', () => {
    const { nodes } = buildJob(job, parseParams(job.params, raw)).graph;
    expect(nodes.map((node) => (node.kind === 'source' ? node.source.options : null))[0]).toEqual({
      path: 'in',
      format: { kind: 'text', invalidUtf8: 'replace' },
      extensions: null,
    });
    const last = nodes.at(-1);
    expect(last?.kind === 'sink' && last.sink.options).toEqual({
      path: 'out.csv',
      format: { kind: 'csv' },
      overwrite: false,
    });
  });
});

test('the functions of the MapReduce count the words of the sample as its README says', () => {
  const { functions } = buildJob(wordcountMapReduce, parseParams(wordcountMapReduce.params, raw));
  const parts = [...functions.values()][0];
  if (parts?.kind !== 'mapReduce') throw new Error('a mapReduce was expected');
  const sample = new URL('../../jobs/wordcount-mapreduce/sample.txt', import.meta.url);
  const pairs = new Map<unknown, unknown[]>();
  for (const text of readFileSync(sample, 'utf8').split('\n')) {
    const emit = (word: unknown, count: unknown) => {
      const counts = pairs.get(word) ?? [];
      pairs.set(word, [...counts, count]);
    };
    parts.map({ text }, emit, noFunctionContext);
  }
  const rows = [...pairs].flatMap(([word, counts]) => {
    const combined = parts.combine?.(word, counts.slice(1), noFunctionContext);
    return [...parts.reduce(word, [counts[0], combined], noFunctionContext)];
  });
  const sorted = rows
    .map(({ word, count }) => ({ word: String(word), count: Number(count) }))
    .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
  expect(sorted.slice(0, 3)).toEqual([
    { word: 'the', count: 7 },
    { word: 'a', count: 5 },
    { word: 'mill', count: 5 },
  ]);
});
