/**
 * Goal: a view gives a table as it was, whatever is written, merged, spilled and expires while it is read; and views of
 * changes on top of each other give the same.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  entryHeaderBytes,
  entryWord,
  expiryOf,
  isDeleted,
  valueAddressOf,
  valueSizeIn,
} from '../../../engine/state/entry-record.ts';
import { KeyedTable } from '../../../engine/state/keyed-table.ts';
import type { TableView } from '../../../engine/state/table-view.ts';
import { stateScene } from '../../support/state-scene.ts';

interface Entry {
  readonly text: string;
  readonly expiresAtMs: number;
}

type Step =
  | { readonly kind: 'put'; readonly key: string; readonly size: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'read' | 'work'; readonly count: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'view' | 'maintain' | 'freeze' };

const key = fc.integer({ min: 0, max: 40 }).map((number) => `key number ${number}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('put'), key, size: fc.integer({ min: 0, max: 90 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete'), key }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('read', 'work'),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('time'), ms: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('view', 'maintain', 'freeze') }) },
);

interface Open {
  readonly view: TableView;
  readonly isChanges: boolean;
  readonly expected: Map<string, string>;
}

interface Limits {
  readonly deltaBytesMax: number;
  readonly baseBytesMax: number;
}

function run(steps: readonly Step[], afterMs: number | null, limits: Limits): void {
  const scene = stateScene();
  const { memory } = scene;
  const clock = { nowMs: 0, writtenAtMs: 0 };
  const ttl = afterMs === null ? null : { afterMs, isRenewedOnRead: false };
  const table = new KeyedTable(scene.scope, {
    ...{ ttl, clock, limits, undo: null, files: scene.files, kernels: scene.kernels },
  });
  const live = new Map<string, Entry>();
  /** What is on disk, so to say: views on top of each other. */
  const chain = new Map<string, Entry>();
  let open: Open | null = null;
  let count = 0;

  const alive = (entries: Iterable<[string, Entry]>, nowMs: number) =>
    new Map(
      [...entries].flatMap(([name, { text, expiresAtMs }]) =>
        expiresAtMs > nowMs ? [[name, text] as const] : [],
      ),
    );
  const textAt = (at: number, size: number) =>
    new TextDecoder().decode(memory.bytes.slice(at, at + size));
  let found = new Map<string, Entry | null>();
  let viewedAtMs = 0;

  /** The view has been read: what it gave, on top of what the views before gave, is the table as it was. */
  const compare = ({ view: ended, isChanges, expected }: Open) => {
    if (!isChanges) chain.clear();
    for (const [name, entry] of found) {
      if (entry === null) chain.delete(name);
      else chain.set(name, entry);
    }
    expect(alive(chain, viewedAtMs)).toEqual(expected);
    ended.close();
  };
  const note = (record: number, isChanges: boolean) => {
    const keySize = memory.uint32[(record >>> 2) + entryWord.keySize] ?? 0;
    const name = textAt(record + entryHeaderBytes, keySize);
    expect(found.has(name), `${name} comes once`).toBe(false);
    const isGone = isDeleted(memory, record);
    expect(isGone && !isChanges).toBe(false);
    const text = isGone ? '' : textAt(valueAddressOf(memory, record), valueSizeIn(memory, record));
    found.set(name, isGone ? null : { text, expiresAtMs: expiryOf(memory, record) });
  };
  /** Reads records of the open view. */
  const read = (records: number) => {
    for (let left = records; left > 0 && open !== null; ) {
      const some = scene.recordsOf(open.view, Math.min(left, 7));
      for (const record of some) note(record, open.isChanges);
      left -= some.length;
      if (some.length > 0) continue;
      compare(open);
      open = null;
    }
  };
  const view = () => {
    read(Number.POSITIVE_INFINITY);
    const isChanges = table.knowsChanges && count % 5 > 0;
    found = new Map();
    viewedAtMs = clock.nowMs;
    const expected = alive(live, clock.nowMs);
    open = { view: table.view(isChanges ? 'changes' : 'everything'), isChanges, expected };
  };

  for (const one of steps) {
    count++;
    switch (one.kind) {
      case 'put': {
        const text = `${count}`.padEnd(one.size, '.').slice(0, one.size);
        memory.bytes.set(new TextEncoder().encode(text), table.put(scene.load(one.key), one.size));
        live.set(one.key, {
          text,
          expiresAtMs: clock.nowMs + (afterMs ?? Number.POSITIVE_INFINITY),
        });
        break;
      }
      case 'delete':
        table.delete(scene.load(one.key));
        live.delete(one.key);
        break;
      case 'read':
        read(one.count);
        break;
      case 'work':
        for (let at = 0; at < one.count; at++) table.work();
        break;
      case 'time':
        clock.nowMs += one.ms;
        clock.writtenAtMs = clock.nowMs;
        break;
      case 'view':
        view();
        break;
      case 'maintain':
        table.maintain();
        break;
      default:
        table.freeze();
    }
  }
  view();
  read(3);
  // Whatever was held back goes on when the view has been read.
  for (let at = 0; at < 50; at++) table.work();
  read(Number.POSITIVE_INFINITY);
  for (let at = 0; at < 50; at++) table.work();
  expect(table.work()).toBe(true);
  for (const [name, text] of alive(live, clock.nowMs)) {
    const at = table.get(scene.load(name));
    expect(textAt(at, table.valueSize)).toBe(text);
  }
  view();
  table.close();
  scene.close();
}

const steps = fc.array(step, { minLength: 1, maxLength: 300, size: 'max' });
const memoryOnly = { deltaBytesMax: 6_000, baseBytesMax: Number.POSITIVE_INFINITY };
const onDisk = { deltaBytesMax: 6_000, baseBytesMax: 0 };
/** All changes since the last view are more than what is kept of them, now and then. */
const tiny = { deltaBytesMax: 5_000, baseBytesMax: 8_000 };

describe('a view gives the table as it was', () => {
  test.each([
    ['in memory', null, memoryOnly],
    ['with a base that goes to disk whenever it can', null, onDisk],
    ['with deltas that are frozen for their size', null, tiny],
    ['with entries that expire', 15, memoryOnly],
    ['with entries that expire, on disk', 15, onDisk],
  ])('%s', (_, afterMs, limits) => {
    fc.assert(
      fc.property(steps, (all) => run(all, afterMs, limits)),
      { numRuns: 100 },
    );
  });
});

test.each([
  ['in memory', memoryOnly],
  ['on disk', onDisk],
])('views at the same time give what there was at each, %s', (_, limits) => {
  const which = fc.nat(3);
  fc.assert(
    fc.property(fc.array(fc.tuple(step, which), { maxLength: 200, size: 'max' }), (all) => {
      const scene = stateScene();
      const clock = { nowMs: 0, writtenAtMs: 0 };
      const options = {
        ttl: null,
        clock,
        limits,
        undo: null,
        files: scene.files,
        kernels: scene.kernels,
      };
      const table = new KeyedTable(scene.scope, options);
      const { uint32 } = scene.memory;
      const live = new Map<string, number>();
      const open: { view: TableView; expected: Map<string, number>; found: Map<string, number> }[] =
        [];
      /** Reads records of a view; whether there are more. */
      const read = (at: number, records: number) => {
        const one = open[at % open.length];
        if (one === undefined) return;
        const some = scene.recordsOf(one.view, records);
        if (some.length === 0) {
          expect(one.found).toEqual(one.expected);
          one.view.close();
          open.splice(at % open.length, 1);
        }
        for (const record of some) {
          const start = record + entryHeaderBytes;
          const size = uint32[(record >>> 2) + entryWord.keySize] ?? 0;
          const name = new TextDecoder().decode(scene.memory.bytes.slice(start, start + size));
          one.found.set(name, uint32[valueAddressOf(scene.memory, record) >>> 2] ?? 0);
        }
      };
      for (const [number, [one, at]] of all.entries()) {
        if (one.kind === 'put') {
          uint32[table.put(scene.load(one.key), 4) >>> 2] = number;
          live.set(one.key, number);
        } else if (one.kind === 'delete') {
          table.delete(scene.load(one.key));
          live.delete(one.key);
        } else if (one.kind === 'view') {
          const view = table.view('everything');
          open.push({ view, expected: new Map(live), found: new Map() });
        } else if (one.kind === 'read') read(at, one.count);
        else if (one.kind === 'freeze') table.freeze();
        else table.maintain();
      }
      while (open.length > 0) read(open.length, 7);
      table.close();
      scene.close();
    }),
    { numRuns: 60 },
  );
});
