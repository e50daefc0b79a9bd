/**
 * Goal: rows on their way, as checkpoints of every version of the format have them, are worked on, each once, at whatever
 * parallelism; and what is written has not changed unnoticed.
 *
 * `UPDATE_FIXTURES=1` writes the files of the present version anew: only while no release has written that version.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ChannelNote, ChannelSection } from '../../../engine/checkpoint/channel-state.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { isChannelKind } from '../../../engine/plan/channel-ref.ts';
import { SnapshotPartReader } from '../../../worker/snapshot/snapshot-part-reader.ts';
import { expectedOf, type JobName, jobNames, jobOf } from '../../support/cut-jobs.ts';
import { type Cut, CutAttempt } from '../../support/cut-world.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { lehmer } from '../../support/operator-harness.ts';
import { textsOf } from '../../support/plan-runner.ts';

const fixtures = resolve(import.meta.dirname, '../../fixtures/formats');
const versions = readdirSync(fixtures);
const memory = new SlotMemory({ budgetBytes: 4 << 20 });
const kernels = instantiateKernels(memory.memory);

interface Kept {
  readonly disk: MemoryDisk;
  readonly cut: Cut;
}

/** Sections with rows, and their places. */
function sectionsOf({ tasks }: Cut) {
  return tasks.flatMap(({ operators }) =>
    operators.flatMap(({ operatorId, kind, note, parts }) => {
      if (!isChannelKind(kind)) return [];
      const { sections } = note as unknown as ChannelNote;
      const withRows = sections.filter(({ part }) => part !== null);
      return withRows.map((section) => ({ operatorId, kind, section, parts }));
    }),
  );
}

/** Checkpoints that this version makes of a job; of each seed another order of what happens. */
function* cutsOf(name: JobName): Generator<Kept> {
  const job = jobOf(name);
  for (let seed = 1; seed <= 12; seed++) {
    const disk = new MemoryDisk();
    const attempt = new CutAttempt(job, { parallelism: 2, disk, from: null, seed, epoch: 1 });
    const random = lehmer(seed);
    try {
      while (!attempt.isOver) {
        attempt.step();
        if (random() < 0.03) attempt.trigger({ mode: 'unaligned' });
      }
    } finally {
      attempt.close();
    }
    for (const cut of attempt.cuts) yield { disk, cut };
  }
}

/** What a section looks like on disk, whatever its rows are. */
function shapesOf({ disk, cut }: Kept): string[] {
  return sectionsOf(cut).map(({ operatorId, kind, section, parts }) => {
    const part = parts.find((one) => one.part === section.part);
    if (part === undefined)
      throw new Error('assertion failed: a section names a part that is there');
    const scope = memory.scope('test');
    const reader = new SnapshotPartReader({ disk, scope, kernels, folder: 'chk' }, part);
    const columns = reader.schema.fields.map(({ name, type }) => `${name} ${JSON.stringify(type)}`);
    reader.close();
    const facts = Object.keys(section).sort().join(' ');
    return `${operatorId} ${kind} ${section.place} ${section.exchange}: ${facts}: ${columns.join(', ')}`;
  });
}

type Place = ChannelSection['place'];

/** Where rows of each job wait; whoever counts rules keeps nothing in its chain. */
const placesOf: Readonly<Record<JobName, readonly Place[]>> = {
  sums: ['chain', 'outbox', 'ring'],
  windows: ['chain', 'outbox', 'ring'],
  control: ['outbox', 'ring'],
};

function placesIn(cut: Cut): Place[] {
  return [...new Set(sectionsOf(cut).map(({ section }) => section.place))].sort();
}

/** The first with rows in all places. */
function fittingCut(name: JobName): Kept {
  const places = placesOf[name];
  for (const kept of cutsOf(name)) {
    const found = placesIn(kept.cut);
    if (places.every((place) => found.includes(place))) return kept;
  }
  throw new Error('no checkpoint has rows in all places');
}

function save(folder: string, { disk, cut }: Kept): void {
  const named = new Set(
    cut.tasks.flatMap(({ operators }) => operators.flatMap(({ parts }) => parts)),
  );
  const paths = new Set([...named].map(({ path }) => path));
  const text = { ...cut, splits: [...cut.splits] };
  const plain = (_: string, value: unknown) =>
    typeof value === 'bigint' ? { bigint: String(value) } : value;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cut.json'), `${JSON.stringify(text, plain, 1)}\n`);
  for (const path of paths) {
    const file = join(folder, 'chk', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, disk.files.get(`chk/${path}`) ?? new Uint8Array());
  }
}

function load(folder: string): Kept {
  const whole = (_: string, value: { readonly bigint?: string } | null) =>
    value?.bigint === undefined ? value : BigInt(value.bigint);
  const { splits, ...cut } = JSON.parse(readFileSync(join(folder, 'cut.json'), 'utf8'), whole);
  const disk = new MemoryDisk();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name);
    if (statSync(file).isFile()) disk.files.set(name, new Uint8Array(readFileSync(file)));
  }
  return { disk, cut: { ...cut, splits: new Map(splits) } };
}

const sorted = (texts: readonly string[]) => [...texts].sort();

describe.each(jobNames)('%s', (name) => {
  test('this version writes what its files have', () => {
    const folder = join(fixtures, 'v1/channels', name);
    if (process.env.UPDATE_FIXTURES === '1') {
      rmSync(folder, { recursive: true, force: true });
      save(folder, fittingCut(name));
    }
    const left = new Set(shapesOf(load(folder)));
    expect(left.size).toBeGreaterThan(2);
    for (const kept of cutsOf(name)) {
      for (const shape of shapesOf(kept)) left.delete(shape);
      if (left.size === 0) break;
    }
    expect([...left]).toEqual([]);
    memory.assertEmpty();
  });

  test.each(versions)('rows on their way of %s are worked on, each once', (version) => {
    const job = jobOf(name);
    const expected = sorted(textsOf(expectedOf(name)));
    for (const parallelism of [1, 2, 3]) {
      const { disk, cut } = load(join(fixtures, version, 'channels', name));
      expect(placesIn(cut)).toEqual(placesOf[name]);
      const options = { parallelism, disk, from: cut, seed: parallelism, epoch: 2 };
      const attempt = new CutAttempt(job, options);
      while (!attempt.isOver) attempt.step();
      expect(sorted(textsOf(attempt.written))).toEqual(expected);
      attempt.close();
    }
  });
});
