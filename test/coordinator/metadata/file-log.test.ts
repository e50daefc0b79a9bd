/**
 * Goal: what the log has shown or answered is never taken back, and what it has refused never appears, at
 * whatever call of the disk power goes, the process dies or the disk is full.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Env } from '../../../base/env/env.ts';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { openFileLog } from '../../../coordinator/metadata/file-log.ts';
import { decodeLog, encodeGroup, encodeLog } from '../../../coordinator/metadata/log-frames.ts';
import type { MetadataLog } from '../../../coordinator/metadata/metadata-log.ts';
import { Cluster } from '../../../simulation/cluster.ts';
import { inMacrotask } from '../../../simulation/drain.ts';
import type { DiskFault } from '../../../simulation/sim-disk-state.ts';
import { codeFrom } from '../../support/metadata-log-cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-file-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fixture = join(import.meta.dirname, '../../fixtures/formats/v1/metadata/jobs-of-v1');

type Aim = { readonly call?: number; readonly fsync?: number };

/**
 * Appends for ever, some at once and with a snapshot now and then. Judged: a life shows all that earlier ones
 * have shown or answered, unchanged, and nothing of what they said had failed.
 */
function judgeLives(aim: Aim, entry: DiskFault) {
  const cluster = new Cluster({ seed: (aim.call ?? aim.fsync ?? 0) + 1 });
  const { world } = cluster;
  const promised: string[] = [];
  const refused = new Set<string>();
  const counts = { lives: 0, failed: 0 };
  let history: string[] = []; // What the events up to a position come to, by position.
  const see = async (log: MetadataLog): Promise<void> => {
    const { snapshot, entries } = await log.read(0);
    const before = (snapshot?.state as string[] | undefined) ?? [];
    const shown = [...before, ...entries.map(({ event }) => String(event))];
    history.forEach((event, index) => {
      if (shown[index] !== event) world.fail('durable', `${event} was shown, now ${shown[index]}`);
    });
    const isThere = new Set(shown);
    for (const event of promised)
      if (!isThere.has(event)) world.fail('durable', `${event} is gone`);
    for (const event of shown) if (refused.has(event)) world.fail('refused', `${event} appeared`);
    history = shown;
  };
  const program = async (env: Env): Promise<void> => {
    const life = ++counts.lives;
    const log = await openFileLog(env, '/metadata.log').catch((error: unknown) => {
      if (['DISK_IO', 'DISK_FULL'].includes(codeOf(error) ?? '')) env.process.exit(70);
      throw error;
    });
    await see(log);
    for (let round = 0; round < 4; round++) {
      const { position } = await log.head();
      const appends = [0, 1, 2].map(async (index) => {
        const event = `${life}.${round}.${index}`.padEnd(8 + index * 40, '-');
        const { kind } = await log.append({ after: position + index, term: life, events: [event] });
        if (kind === 'ok') promised.push(event);
        if (kind === 'failed' || kind === 'conflict') refused.add(event);
        if (kind === 'failed') counts.failed++;
      });
      await Promise.all(appends);
      await see(log);
      if (round % 2 === 0) {
        await log.compact({
          position: position + 1,
          term: life,
          state: history.slice(0, position + 1),
        });
      }
    }
  };
  const node = cluster.addNode('node', { clocks: {}, faults: [] }, (env) => void program(env));
  if (aim.call !== undefined) node.diskState.faultOfCall.set(aim.call, entry);
  if (aim.fsync !== undefined) node.diskState.faultOfFsync.set(aim.fsync, entry);
  world.after(2_000, () => node.crashFor(10, 'test', 'powerCut'));
  world.run(6_000);
  expect(world.failure, JSON.stringify({ aim, entry })).toBeNull();
  return { ...counts, length: history.length };
}

test('power cuts and kills at every call of the disk, before it and after it', async () => {
  await inMacrotask(() => {
    for (let call = 0; call < 90; call++) {
      for (const kind of ['crashBefore', 'crashAfter'] as const) {
        for (const cause of ['powerCut', 'killed'] as const) {
          const { length } = judgeLives({ call }, { kind, cause, downMs: 10 });
          expect(length).toBeGreaterThanOrEqual(24);
        }
      }
    }
  });
});

test('a full disk and a broken one at every call: refused or ended, and never in between', async () => {
  const failed = await inMacrotask(() => {
    let sum = 0;
    for (let call = 0; call < 90; call++) {
      for (const isFull of [true, false]) {
        const { failed: count, length } = judgeLives({ call }, { kind: 'fail', isFull });
        expect(length).toBeGreaterThanOrEqual(18);
        sum += count;
      }
    }
    return sum;
  });
  expect(failed).toBeGreaterThan(10);
});

test('after a failed fsync the process ends, and the next life goes on', async () => {
  const lives = await inMacrotask(() =>
    [1, 2, 3, 5, 8].map((fsync) => judgeLives({ fsync }, { kind: 'fail' }).lives),
  );
  expect(lives).toEqual([3, 3, 3, 3, 3]);
});

const group = (after: number, ...events: string[]) => ({ after, term: 1, atMs: 5, events });
const head = encodeLog({ position: 0, term: 0, state: null }, []);
const first = encodeGroup(group(0, 'one', 'two'));
const second = encodeGroup(group(2, 'three'));
const whole = new Uint8Array([...head, ...first, ...second]);

test('a log cut at any byte keeps its whole lines', () => {
  for (let length = head.length; length < whole.length; length++) {
    const { entries, tornBytes } = decodeLog(whole.subarray(0, length), 'log');
    const isFirstWhole = length >= head.length + first.length;
    expect(entries.length).toBe(isFirstWhole ? 2 : 0);
    expect(tornBytes).toBe(length - head.length - (isFirstWhole ? first.length : 0));
  }
});

test('every bit flip before the last line is an error, and one in it shows nothing else', () => {
  const lastAt = head.length + first.length;
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const read = () => decodeLog(flipped, 'log');
    if (bit >> 3 >= lastAt) expect(read().entries.length, `bit ${bit}`).toBe(2);
    else expect(() => read(), `bit ${bit}`).toThrow(/is damaged/);
  }
});

test.each`
  what                      | bytes                                                                 | code
  ${'a hole'}               | ${[...head, ...first, ...encodeGroup(group(3, 'four'))]}              | ${'METADATA_LOG_DAMAGED'}
  ${'a line twice'}         | ${[...head, ...first, ...first]}                                      | ${'METADATA_LOG_DAMAGED'}
  ${'a term that falls'}    | ${[...head, ...first, ...encodeGroup({ ...group(2, 'x'), term: 0 })]} | ${'METADATA_LOG_DAMAGED'}
  ${'no snapshot in front'} | ${[...first]}                                                         | ${'METADATA_LOG_DAMAGED'}
  ${'an empty file'}        | ${[]}                                                                 | ${'METADATA_LOG_DAMAGED'}
`('$what is refused with $code', async ({ what, bytes, code }) => {
  const path = join(folder, what.replaceAll(' ', '-'));
  writeFileSync(path, new Uint8Array(bytes));
  expect(await codeFrom(openFileLog(createRealEnv(), path))).toBe(code);
  // Nothing was written over: somebody may still mend it.
  expect([...readFileSync(path)]).toEqual(bytes);
});

test('a log of a newer version is refused', async () => {
  const path = join(folder, 'newer');
  const { encodeChecked } = await import('../../../base/checked-text.ts');
  const newer = encodeChecked('millrace-metadata-2', JSON.stringify({ version: 2 }));
  writeFileSync(path, new Uint8Array([...head, ...first, ...newer]));
  expect(await codeFrom(openFileLog(createRealEnv(), path))).toBe('METADATA_VERSION');
});

test('a log of version 1 is read for ever', async () => {
  const path = join(folder, 'v1');
  writeFileSync(path, readFileSync(fixture));
  const log = await openFileLog(createRealEnv(), path);
  const { snapshot, entries } = await log.read(0);
  expect(snapshot).toEqual({ position: 2, term: 1, state: { jobs: ['a'] } });
  expect(entries.map(({ position, term, event }) => [position, term, event])).toEqual([
    [3, 1, { kind: 'x', v: 1 }],
    [4, 2, 'ä'],
    [5, 2, null],
  ]);
  await log.close();
});

test('a log that another living process owns is refused, and that of a dead one taken over', async () => {
  const path = join(folder, 'owned');
  mkdirSync(folder, { recursive: true });
  const env = createRealEnv();
  const as = (identity: string, hasEnded: boolean) => ({
    ...env,
    process: { ...env.process, identity, hasEnded: () => hasEnded },
  });
  const log = await openFileLog(as('host_1_1', false), path);
  await log.append({ after: 0, term: 1, events: ['a'] });
  const refused = openFileLog(as('host_2_2', false), path);
  await expect(refused).rejects.toThrow(/belongs to host_1_1/);
  expect(await codeFrom(refused)).toBe('METADATA_LOG_IN_USE');
  const next = await openFileLog(as('host_2_2', true), path);
  expect(await next.head()).toEqual({ position: 1, term: 1 });
  await next.close();
  await (await openFileLog(as('host_3_3', false), path)).close();
});
