/**
 * Goal: of attempts that begin or complete at the same time one goes on; what was answered counts for ever, what was not
 * is decided once; a process that slept through all that can do no harm.
 */
import { expect, test } from 'vitest';
import { encodeChecked } from '../../../../base/checked-text.ts';
import type { Disk } from '../../../../base/env/disk.ts';
import { createWholeFile } from '../../../../base/env/whole-files.ts';
import { codeOf } from '../../../../base/typed-error.ts';
import {
  appendEntry,
  beginAttempt,
  type LogEntry,
  type Numbered,
  readLog,
} from '../../../../coordinator/checkpoint/store/checkpoint-log.ts';
import { runOnNode } from '../../../support/run-on-node.ts';

const from = { kind: 'latest' } as const;
const complete = (number: number, epoch: number, oldest = 1): Numbered<LogEntry> => ({
  ...{ kind: 'complete', number, epoch, oldest, atMs: 0, checkpointId: number },
  ...{ checkpointKind: 'checkpoint', manifest: `chk-${number}-${epoch}/manifest.json` },
  ...{ manifestBytes: 1, manifestChecksum: 2, durationMs: 3, sizeBytes: 4 },
});
const code = (work: Promise<unknown>) => work.then(() => null, codeOf);

async function put(disk: Disk, path: string, text: string, position = 0): Promise<void> {
  const file = await disk.open(path, 'update');
  await disk.write(file, new TextEncoder().encode(text), position);
  await disk.close(file);
}

async function textOf(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  const into = new Uint8Array(4_096);
  const count = await disk.read(file, into, 0);
  await disk.close(file);
  return new TextDecoder().decode(into.subarray(0, count));
}

/** The same disk, for a process that is held up between making a file and writing it. */
function slowWrites(disk: Disk, wait: () => Promise<void>): Disk {
  const write: Disk['write'] = async (...args) => {
    await wait();
    await disk.write(...args);
  };
  return new Proxy(disk, {
    get: (target, name) => (name === 'write' ? write : Reflect.get(target, name)?.bind(target)),
  });
}

test('attempts that begin at the same time: one goes on, the others are told', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    await runOnNode(async ({ disk }) => {
      await disk.makeDir('/log');
      const begun = await Promise.allSettled(
        [1, 2, 3].map(() => beginAttempt(disk, '/log', { from, atMs: 0 })),
      );
      const epochs = begun.flatMap((one) => (one.status === 'fulfilled' ? [one.value.begin] : []));
      // Each may complete one as long as nobody has come after it.
      const completed = await Promise.all(
        epochs.map(({ epoch, number }) =>
          code(appendEntry(disk, '/log', complete(number + 1, epoch))),
        ),
      );
      expect(completed.filter((one) => one === null)).toHaveLength(1);
      const { entries } = await readLog(disk, '/log');
      const last = entries.at(-1);
      expect([last?.kind, last?.epoch]).toEqual([
        'complete',
        Math.max(...epochs.map((one) => one.epoch)),
      ]);
    }, seed);
  }
});

test('a checkpoint that completes while another attempt takes over: both say the same of it', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    await runOnNode(async ({ disk, timers, rng }) => {
      await disk.makeDir('/log');
      const { begin } = await beginAttempt(disk, '/log', { from, atMs: 0 });
      const second = timers
        .sleep(rng.stream('late').float() * 8)
        .then(() => beginAttempt(disk, '/log', { from, atMs: 1 }));
      const slow = slowWrites(disk, () => timers.sleep(rng.stream('slow').float() * 40));
      const isAnswered = (await code(appendEntry(slow, '/log', complete(2, begin.epoch)))) === null;
      const { log } = await second;
      const isSeen = log.entries.some(({ kind }) => kind === 'complete');
      outcomes.add(`answered ${isAnswered}, seen ${isSeen}`);
      // What the first was told must be seen; what the second saw is so for every reader after it.
      if (isAnswered) expect(isSeen, `seed ${seed}`).toBe(true);
      const { entries, torn } = await readLog(disk, '/log');
      expect(
        entries.some(({ kind }) => kind === 'complete'),
        `seed ${seed}`,
      ).toBe(isSeen);
      expect(torn).toEqual([]);
    }, seed);
  }
  expect([...outcomes].sort()).toEqual([
    'answered false, seen false',
    'answered false, seen true',
    'answered true, seen true',
  ]);
});

test('a torn entry is void from the next attempt on, even if the rest of it comes later', () =>
  runOnNode(async ({ disk }) => {
    await disk.makeDir('/log');
    await beginAttempt(disk, '/log', { from, atMs: 0 });
    await appendEntry(disk, '/log', complete(2, 1));
    const whole = await textOf(disk, '/log/0000000002');
    await put(disk, '/log/0000000003', whole.slice(0, 60));
    const { begin, log } = await beginAttempt(disk, '/log', { from, atMs: 0 });
    // The fence is 4: without it the writer of 3 might still be at it, and not know.
    expect([begin.number, begin.voids, begin.epoch]).toEqual([5, [3], 3]);
    expect(log.entries.map(({ number }) => number)).toEqual([1, 2, 4]);
    await put(disk, '/log/0000000003', whole);
    const { entries } = await readLog(disk, '/log');
    expect(entries.map(({ number }) => number)).toEqual([1, 2, 4, 5]);
  }));

test('an entry of a process that slept counts for nothing, also where its number is free again', () =>
  runOnNode(async ({ disk }) => {
    await disk.makeDir('/log');
    const old = await beginAttempt(disk, '/log', { from, atMs: 0 });
    const next = await beginAttempt(disk, '/log', { from, atMs: 0 });
    expect(await code(appendEntry(disk, '/log', complete(2, old.begin.epoch)))).toBe(
      'CHECKPOINT_FENCED',
    );
    await appendEntry(disk, '/log', complete(3, next.begin.epoch, 3));
    await disk.unlink('/log/0000000001');
    await disk.unlink('/log/0000000002');
    expect(await code(appendEntry(disk, '/log', complete(2, old.begin.epoch)))).toBe(
      'CHECKPOINT_FENCED',
    );
    const { entries } = await readLog(disk, '/log');
    expect(entries.map(({ number }) => number)).toEqual([3]);
  }));

test('an entry of a newer version is refused, and not taken for a torn one', () =>
  runOnNode(async ({ disk }) => {
    await disk.makeDir('/log');
    await beginAttempt(disk, '/log', { from, atMs: 0 });
    const newer = encodeChecked('millrace-checkpoint-log-2', '{"version":2}');
    await createWholeFile(disk, '/log/0000000002', newer);
    expect(await code(beginAttempt(disk, '/log', { from, atMs: 0 }))).toBe('CHECKPOINT_VERSION');
  }));
