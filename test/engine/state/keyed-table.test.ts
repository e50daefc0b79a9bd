/**
 * Keyed tables against a Map: random writes, reads, deletions, freezes, slices of work, time that goes on,
 * spills of a small base, and calls that are undone.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyedTable, type TimeToLive } from '../../../engine/state/keyed-table.ts';
import { UndoLog } from '../../../engine/state/undo-log.ts';
import { stateScene } from '../../support/state-scene.ts';

const key = fc.oneof(
  fc.integer({ min: 0, max: 30 }).map(String),
  fc.integer({ min: 0, max: 300 }).map((number) => `a key of some length, number ${number}`),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put'), key, size: fc.integer({ min: 0, max: 90 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete'), key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('get'), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('freeze') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('work') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('maintain') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('time'), ms: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undo') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('commit') }) },
);
type Step = {
  kind: string;
  key?: string;
  size?: number;
  ms?: number;
};

interface Entry {
  readonly text: string;
  expiresAtMs: number;
}

/** The same by a Map; what is undone is a copy from before. */
class Reference {
  entries = new Map<string, Entry>();
  #before = new Map<string, Entry>();
  nowMs = 0;
  readonly #ttl: TimeToLive | null;

  constructor(ttl: TimeToLive | null) {
    this.#ttl = ttl;
  }

  put(name: string, text: string): void {
    this.entries.set(name, { text, expiresAtMs: this.nowMs + (this.#ttl?.afterMs ?? Infinity) });
  }

  get(name: string): string | null {
    const entry = this.entries.get(name);
    if (entry === undefined || entry.expiresAtMs <= this.nowMs) return null;
    if (this.#ttl?.isRenewedOnRead) this.put(name, entry.text);
    return entry.text;
  }

  commit(): void {
    this.#before = new Map([...this.entries].map(([name, entry]) => [name, { ...entry }]));
  }

  undo(): void {
    this.entries = new Map(this.#before);
    this.commit();
  }
}

function run(steps: readonly Step[], ttl: TimeToLive | null, baseBytesMax: number): void {
  const scene = stateScene();
  const undo = new UndoLog(scene.scope);
  const clock = { nowMs: 0, writtenAtMs: 0 };
  const limits = { deltaBytesMax: 6_000, baseBytesMax };
  const table = new KeyedTable(scene.scope, {
    ttl,
    clock,
    limits,
    undo,
    files: scene.files,
    kernels: scene.kernels,
  });
  const reference = new Reference(ttl);
  const { memory } = scene;
  const found = (name: string): string | null => {
    const at = table.get(scene.load(name));
    if (at === 0) return null;
    return new TextDecoder().decode(memory.bytes.slice(at, at + table.valueSize));
  };
  const commit = () => {
    undo.clear();
    reference.commit();
  };
  let count = 0;
  for (const { kind, key: name = '', size = 0, ms = 0 } of steps) {
    count++;
    if (kind === 'put') {
      const text = `${count}`.padEnd(size, '.').slice(0, size);
      const at = table.put(scene.load(name), size);
      memory.bytes.set(new TextEncoder().encode(text), at);
      reference.put(name, text);
    } else if (kind === 'delete') {
      table.delete(scene.load(name));
      reference.entries.delete(name);
    } else if (kind === 'get') {
      expect(found(name), `step ${count}: ${name}`).toBe(reference.get(name));
    } else if (kind === 'undo') {
      undo.undo();
      table.forget();
      reference.undo();
    } else {
      commit();
      if (kind === 'freeze') table.freeze();
      if (kind === 'work') table.work();
      if (kind === 'maintain') table.maintain();
      clock.nowMs += ms;
      clock.writtenAtMs = clock.nowMs;
      reference.nowMs = clock.nowMs;
    }
  }
  commit();
  const names = new Set(steps.flatMap(({ key: name }) => (name === undefined ? [] : [name])));
  for (const name of names) expect(found(name), `at the end: ${name}`).toBe(reference.get(name));
  undo.close();
  table.close();
  scene.close();
}

const steps = fc.array(step, { minLength: 1, maxLength: 400, size: 'max' }) as fc.Arbitrary<Step[]>;

describe('a keyed table has what a Map has', () => {
  test.each([
    ['in memory', null, Number.POSITIVE_INFINITY],
    ['with a base that goes to disk whenever it can', null, 0],
    ['with entries that live for a while after they were written', 20, Number.POSITIVE_INFINITY],
    ['with entries that live for a while, on disk', 20, 0],
  ])('%s', (_, afterMs, baseBytesMax) => {
    const ttl = afterMs === null ? null : { afterMs, isRenewedOnRead: false };
    fc.assert(
      fc.property(steps, (all) => run(all, ttl, baseBytesMax)),
      { numRuns: 60 },
    );
  });
});

describe('large tables', () => {
  test.each([
    ['in memory', Number.POSITIVE_INFINITY],
    ['on disk', 40_000],
  ])('20,000 keys, written three times and deleted in part, %s', (_, baseBytesMax) => {
    const scene = stateScene(4096, 32 << 20);
    const clock = { nowMs: 0, writtenAtMs: 0 };
    const limits = { deltaBytesMax: 100_000, baseBytesMax };
    const options = {
      ttl: null,
      clock,
      limits,
      undo: null,
      files: scene.files,
      kernels: scene.kernels,
    };
    const table = new KeyedTable(scene.scope, options);
    const { memory } = scene;
    const hash = (number: number) => Math.imul(number + 1, 0x9e3779b1) >>> 0 || 1;
    for (let number = 0; number < 60_000; number++) {
      const name = String(number % 20_000);
      const at = table.put(scene.load(name, hash(number % 20_000)), 4);
      memory.view.setUint32(at, number, true);
      while (!table.maintain());
    }
    for (let number = 0; number < 20_000; number += 3) {
      table.delete(scene.load(String(number), hash(number)));
      while (!table.maintain());
    }
    if (baseBytesMax < 1e9) expect(table.runCount).toBeGreaterThan(0);
    for (let number = 0; number < 20_000; number++) {
      const at = table.get(scene.load(String(number), hash(number)));
      const value = at === 0 ? null : memory.view.getUint32(at, true);
      expect(value).toBe(number % 3 === 0 ? null : 40_000 + number);
    }
    table.close();
    scene.close();
  });

  test('an entry that is larger than a block, on disk', () => {
    const scene = stateScene();
    const clock = { nowMs: 0, writtenAtMs: 0 };
    const limits = { deltaBytesMax: 0, baseBytesMax: 0 };
    const options = {
      ttl: null,
      clock,
      limits,
      undo: null,
      files: scene.files,
      kernels: scene.kernels,
    };
    const table = new KeyedTable(scene.scope, options);
    for (const [name, size] of [
      ['a', 100],
      ['b', 100_000],
      ['c', 10],
    ] as const) {
      const at = table.put(scene.load(name), size);
      scene.memory.bytes.fill(size & 255, at, at + size);
      while (!table.maintain());
    }
    while (!table.work());
    expect(table.runCount).toBeGreaterThan(0);
    const at = table.get(scene.load('b'));
    expect(table.valueSize).toBe(100_000);
    expect(scene.memory.bytes[at + 99_999]).toBe(100_000 & 255);
    expect(table.get(scene.load('d'))).toBe(0);
    table.close();
    scene.close();
  });
});

describe('expired entries', () => {
  test('give their memory back when deltas are merged', () => {
    const scene = stateScene();
    const clock = { nowMs: 0, writtenAtMs: 0 };
    const limits = { deltaBytesMax: 20_000, baseBytesMax: Number.POSITIVE_INFINITY };
    const ttl = { afterMs: 100, isRenewedOnRead: false };
    const options = { ttl, clock, limits, undo: null, files: scene.files, kernels: scene.kernels };
    const table = new KeyedTable(scene.scope, options);
    let most = 0;
    for (let number = 0; number < 50_000; number++) {
      table.put(scene.load(String(number), Math.imul(number, 0x9e3779b1) >>> 0 || 1), 8);
      clock.nowMs = number;
      clock.writtenAtMs = number;
      while (!table.maintain());
      most = Math.max(most, table.sizeBytes);
    }
    // 50,000 entries would take more than 2 MB.
    expect(most).toBeLessThan(600_000);
    table.close();
    scene.close();
  });

  test('that are read stay, where reading renews them', () => {
    const scene = stateScene();
    const clock = { nowMs: 0, writtenAtMs: 0 };
    const limits = { deltaBytesMax: 1000, baseBytesMax: 0 };
    const ttl = { afterMs: 10, isRenewedOnRead: true };
    const options = { ttl, clock, limits, undo: null, files: scene.files, kernels: scene.kernels };
    const table = new KeyedTable(scene.scope, options);
    table.put(scene.load('read'), 0);
    table.put(scene.load('forgotten'), 0);
    for (let ms = 1; ms < 30; ms++) {
      clock.nowMs = ms;
      clock.writtenAtMs = ms;
      table.freeze();
      while (!table.work());
      expect(table.get(scene.load('read'))).not.toBe(0);
    }
    expect(table.get(scene.load('forgotten'))).toBe(0);
    table.close();
    scene.close();
  });
});
