/** Goal: the ready MapReduces give what plain JavaScript gives, however many tasks they have. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const jobOf = (name: string) => join(projectFolder, 'jobs', name, 'job.ts');

interface Link {
  readonly from: string;
  readonly to: string;
}

/** Made by arithmetic: pages with many links, with none, to themselves, and some twice. */
const links: Link[] = Array.from({ length: 3_000 }, (_, n) => ({
  from: `p${(n * n * 7) % 211}`,
  to: `p${(n * 13 + ((n * n) % 17)) % 251}`,
}));

function ranksOf(given: readonly Link[], iterations: number, damping: number) {
  const linked = new Map<string, Set<string>>();
  for (const { from, to } of given) {
    for (const page of [from, to]) if (!linked.has(page)) linked.set(page, new Set());
    if (from !== to) linked.get(from)?.add(to);
  }
  let ranks = new Map([...linked.keys()].map((page) => [page, 1]));
  for (let iteration = 0; iteration < iterations; iteration++) {
    const shares = new Map<string, number>();
    for (const [page, targets] of linked) {
      const share = (ranks.get(page) ?? 0) / targets.size;
      for (const to of targets) shares.set(to, (shares.get(to) ?? 0) + share);
    }
    ranks = new Map(
      [...linked.keys()].map((page) => [page, 1 - damping + damping * (shares.get(page) ?? 0)]),
    );
  }
  return ranks;
}

test.each(['1', '2', '3'])('pagerank with %s tasks', async (parallelism) => {
  const csv = ['from,to', ...links.map(({ from, to }) => `${from},${to}`)].join('\n');
  const cwd = tempFolder({ 'links.csv': `${csv}\n` });
  const args = ['--input', 'links.csv', '--output', 'ranks.ndjson', '--iterations', '6'];
  const flags = ['--damping', '0.8', '--parallelism', parallelism, '--json'];
  summaryOf(await runCli(['run', jobOf('pagerank'), ...args, ...flags], { cwd }));
  const lines = readFileSync(join(cwd, 'ranks.ndjson'), 'utf8').trim().split('\n');
  const found = lines.map((line) => JSON.parse(line) as { page: string; rank: number });
  const expected = ranksOf(links, 6, 0.8);
  expect(found.map(({ page }) => page).toSorted()).toEqual([...expected.keys()].toSorted());
  for (const { page, rank } of found) expect(rank).toBeCloseTo(expected.get(page) ?? 0, 9);
  expect(found.map(({ rank }) => rank)).toEqual(
    found.map(({ rank }) => rank).toSorted((a, b) => b - a),
  );
});

test('pagerank gives for its sample what its README says', async () => {
  const cwd = tempFolder({});
  const folder = join(projectFolder, 'jobs/pagerank');
  const args = ['--input', join(folder, 'sample.csv'), '--iterations', '20', '--json'];
  summaryOf(await runCli(['run', jobOf('pagerank'), ...args], { cwd }));
  const shown = /```csv\n([\s\S]*?)```/.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1];
  const valuesOf = (text = '') =>
    text
      .trim()
      .split('\n')
      .map((line) => line.split(','));
  const [found, expected] = [readFileSync(join(cwd, 'ranks.csv'), 'utf8'), shown].map(valuesOf);
  expect(found?.map(([page]) => page)).toEqual(expected?.map(([page]) => page));
  found?.slice(1).forEach(([, rank], index) => {
    expect(Number(rank)).toBeCloseTo(Number(expected?.[index + 1]?.[1]), 9);
  });
});

const stopWords = ['und', 'the', 'ÄRGER'];

/** Texts of words of several languages, some in many files. */
function textOf(file: number): string {
  const words = ['Und', 'the', 'ärger', 'engine', 'Maschine', 'слово', '語', 'word', 'x'];
  return Array.from({ length: 200 + file * 37 }, (_, n) => {
    const word = words[(n * (file + 3) + n * n) % words.length];
    return n % 11 === 0 ? `${word}${file % 4}\n` : `${word}, `;
  }).join('');
}

test.each(['1', '3'])('inverted-index with %s tasks', async (parallelism) => {
  const cwd = tempFolder({ 'stop.txt': stopWords.join('\n') });
  const texts = new Map(Array.from({ length: 9 }, (_, n) => [`texts/${n}.txt`, textOf(n)]));
  mkdirSync(join(cwd, 'texts'));
  for (const [file, text] of texts) writeFileSync(join(cwd, file), text);
  const args = ['--input', 'texts', '--output', 'index.ndjson', '--stop-words', 'stop.txt'];
  const flags = ['--top', '4', '--parallelism', parallelism, '--json'];
  const summary = summaryOf(
    await runCli(['run', jobOf('inverted-index'), ...args, ...flags], { cwd }),
  );
  const counts = new Map<string, Map<string, number>>();
  let stopped = 0;
  for (const [file, text] of texts) {
    for (const [found] of text.toLowerCase().matchAll(/\p{L}+/gu)) {
      if (stopWords.some((word) => word.toLowerCase() === found)) {
        stopped++;
        continue;
      }
      const files = counts.get(found) ?? new Map<string, number>();
      counts.set(found, files.set(file, (files.get(file) ?? 0) + 1));
    }
  }
  const expected = [...counts].map(([word, files]) => ({
    word,
    fileCount: files.size,
    files: [...files]
      .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, 4)
      .map(([file]) => file),
  }));
  const lines = readFileSync(join(cwd, 'index.ndjson'), 'utf8').trim().split('\n');
  const byWord = (a: { word: string }, b: { word: string }) => (a.word < b.word ? -1 : 1);
  expect(lines.map((line) => JSON.parse(line)).toSorted(byWord)).toEqual(expected.toSorted(byWord));
  expect(summary.counters).toEqual({ 'stop words': stopped, words: expected.length });
});
