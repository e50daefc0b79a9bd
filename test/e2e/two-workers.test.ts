/**
 * Goal: jobs whose tasks are on two workers, with their own threads and rows between them over sockets, give what they give on one:
 * by hash, by range, gathered, and with checkpoints that overtake.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkpointOptions } from '../../coordinator/checkpoint/checkpoint-options.ts';
import type { CheckpointRequest } from '../../coordinator/job/checkpointed-job.ts';
import type { JobHandle } from '../../coordinator/job/job-handle.ts';
import ledger from '../../jobs/ledger/job.ts';
import sort from '../../jobs/sort/job.ts';
import { keyBytes, recordBytes } from '../../jobs/sort/records.ts';
import wordcount from '../../jobs/wordcount/job.ts';
import { projectFolder } from '../support/cli-process.ts';
import { auditLedger, nothingWrong, writeEntries } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { runOnWorkers } from '../support/two-workers.ts';

const fileOf = (job: string) => join(projectFolder, 'jobs', job, 'job.ts');

test('words of several files are counted and sorted', async () => {
  const folder = tempFolder();
  const counts = new Map<string, number>();
  const alphabet = 'abcdefghij';
  for (let file = 0; file < 4; file++) {
    const words = Array.from({ length: 100_000 }, (_, at) => {
      const number = (at * 7919 + file * 104_729) % 30_011;
      return [...String(number)].map((digit) => alphabet[Number(digit)]).join('');
    });
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    writeFileSync(join(folder, `in-${file}.txt`), words.join(' ').replaceAll('a b', 'a\nb'));
  }
  const output = join(folder, 'out.csv');
  const params = { input: join(folder, 'in-*.txt'), output };
  const { exchangedBytes } = await runOnWorkers({
    folder,
    definition: wordcount,
    file: fileOf('wordcount'),
    params,
  });
  const expected = [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([word, count]) => `${word},${count}`);
  expect(readFileSync(output, 'utf8').trimEnd().split('\n')).toEqual(['word,count', ...expected]);
  expect(exchangedBytes).toBeGreaterThan(100_000);
});

test('records are sorted by ranges', async () => {
  const folder = tempFolder();
  const count = 100_000;
  const records = Buffer.alloc(count * recordBytes, 65);
  for (let at = 0; at < count; at++) {
    const key = String((at * 48_271) % 2_147_483_647).padStart(keyBytes, '0');
    records.write(key, at * recordBytes, 'latin1');
  }
  writeFileSync(join(folder, 'in.bin'), records);
  const output = join(folder, 'sorted/');
  const params = { input: join(folder, 'in.bin'), output };
  const { exchangedBytes } = await runOnWorkers({
    folder,
    definition: sort,
    file: fileOf('sort'),
    params,
  });
  const parts = readdirSync(output)
    .filter((name) => !name.startsWith('_'))
    .sort();
  const sorted = Buffer.concat(parts.map((name) => readFileSync(join(output, name))));
  const keysOf = (bytes: Buffer) =>
    Array.from({ length: count }, (_, at) => {
      return bytes.toString('latin1', at * recordBytes, at * recordBytes + keyBytes);
    });
  expect(exchangedBytes).toBeGreaterThan(records.length / 4);
  expect(sorted.length).toBe(records.length);
  expect(keysOf(sorted)).toEqual(keysOf(records).sort());
});

test('barriers overtake rows between workers, and a job goes on with each entry once', async () => {
  const folder = tempFolder();
  const choice = { count: 80_000, fileCount: 4, keysPerFile: 300, seed: 11 };
  writeEntries(join(folder, 'in'), choice);
  const output = join(folder, 'out/');
  const checkpoints: CheckpointRequest = {
    folder: join(folder, 'chk'),
    from: { kind: 'latest' },
    options: checkpointOptions({ intervalMs: 50, mode: 'unaligned' }),
    restart: { kind: 'none' },
  };
  const options = {
    ...{ folder, definition: ledger, file: fileOf('ledger'), hasNetworkThreads: true },
    exchangeBytes: 1,
    params: { input: join(folder, 'in/'), output },
    submission: { checkpoints },
  };
  const cancelled = { rate: 10_000, onSubmitted: (job: JobHandle) => cancelAfter(job, 2) };
  const first = await runOnWorkers({ ...options, ...cancelled });
  const second = await runOnWorkers(options);
  const { lineCount, ...found } = auditLedger(output, choice);
  expect([first.outcome.status, second.outcome.status]).toEqual(['cancelled', 'finished']);
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
  const tasks = [first, second].flatMap(({ outcome }) =>
    (outcome.checkpoints?.ended ?? []).flatMap((checkpoint) => checkpoint.tasks),
  );
  expect(tasks.reduce((sum, { inFlightBytes = 0 }) => sum + inFlightBytes, 0)).toBeGreaterThan(
    10_000,
  );
});

/** Cancels a job when it has so many checkpoints. */
function cancelAfter(job: JobHandle, count: number): void {
  const look = setInterval(() => {
    if ((job.saved?.checkpoints().counts.committed ?? 0) < count) return;
    clearInterval(look);
    job.cancel('the test has seen enough');
  }, 10);
  void job.done.then(() => clearInterval(look));
}
