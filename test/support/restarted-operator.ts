/**
 * Restarted operator: an operator that ends before each call and goes on as a new one from its snapshot. The operator
 * harness runs all that have `restore` in this way, too, with the cases they have.
 *
 * A barrier comes between two calls, never while one asks to be called again. Rows go through bytes
 * (test/support/snapshot-copy.ts). One task; several, and rows that are taken late, are in snapshot-harness.ts.
 */
import { expect } from 'vitest';
import { assert } from '../../base/assert.ts';
import { keyGroupCount } from '../../engine/keys/key-group.ts';
import type { Operator } from '../../engine/operators/operator.ts';
import type { Outbox } from '../../engine/stream/outbox.ts';
import { type CopyPlace, SnapshotCopies, SnapshotTaker } from './snapshot-copy.ts';

const allGroups = { start: 0, end: keyGroupCount };

/** Hands over what an operator keeps; the operator ends. Its rows are taken at once. */
export function takeOver(old: Operator, next: Operator, place: CopyPlace, outbox: Outbox): void {
  const taker = new SnapshotTaker(place, allGroups, 1);
  for (let calls = 0; old.snapshot?.(taker, outbox) === false; calls++) {
    assert(calls < 1_000_000, 'a snapshot comes to an end');
    assert(taker.isEmpty, 'nothing is told by a snapshot that is to be called again');
  }
  while (taker.take(1));
  old.close();
  const reader = new SnapshotCopies(place, [taker.copy], allGroups);
  for (let calls = 0; next.restore?.(reader) === false; calls++) {
    assert(calls < 1_000_000, 'restore comes to an end');
  }
  expect(reader.forgotten, 'parts that "restore" has not read to the end').toEqual([]);
}

/** @param build - Makes an operator that has done nothing yet. */
export function restarted(build: () => Operator, place: CopyPlace): Operator {
  let current = build();
  let isBetween = true;
  const call = (outbox: Outbox, work: (operator: Operator) => boolean): boolean => {
    if (isBetween) {
      const next = build();
      takeOver(current, next, place, outbox);
      current = next;
    }
    isBetween = work(current);
    return isBetween;
  };
  const rows = (name: 'process' | 'processRight'): Operator['process'] => {
    return (batch, fromRow, outbox) => {
      let next = fromRow;
      call(outbox, (operator) => {
        next = operator[name]?.(batch, fromRow, outbox) ?? batch.rowCount;
        return next === batch.rowCount;
      });
      return next;
    };
  };
  return new Proxy(current, {
    get(_, name) {
      if (name === 'process' || name === 'processRight') return rows(name);
      if (name === 'advance' || name === 'wake') {
        return (timeMs: number, outbox: Outbox) =>
          call(outbox, (operator) => operator[name]?.(timeMs, outbox) ?? true);
      }
      if (name === 'finish') {
        return (outbox: Outbox) => call(outbox, (operator) => operator.finish(outbox));
      }
      const member = Reflect.get(current, name, current);
      return typeof member === 'function' ? member.bind(current) : member;
    },
  });
}
