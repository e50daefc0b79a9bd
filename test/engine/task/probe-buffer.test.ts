/**
 * Goal: what goes into a probe buffer comes out in its order, at its input, whatever of it was on disk; in memory
 * is no more than it was told; a disk that fails leaves nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { isMark, type StreamMark } from '../../../engine/stream/stream-element.ts';
import { ProbeBuffer } from '../../../engine/task/probe-buffer.ts';
import { FaultPlan, faultySyncDisk } from '../../support/faulty-disk.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { batchOf, type Row } from '../../support/operator-harness.ts';
import { spillSpace } from '../../support/spill-space.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const schemas = [
  schemaOf(fieldOf('text', utf8Type, true), fieldOf('n', int32Type)),
  schemaOf(fieldOf('other', int32Type)),
];

type Given = { readonly port: 0 | 1; readonly rows: Row[] } | StreamMark;

const rowsOfPort = [
  fc.record({ text: fc.option(fc.string({ maxLength: 40 })), n: fc.integer({ min: -9, max: 9 }) }),
  fc.record({ other: fc.integer({ min: -9, max: 9 }) }),
] as const;
const batches = fc
  .constantFrom(0 as const, 1 as const)
  .chain((port) =>
    fc
      .array<Row>(rowsOfPort[port], { minLength: 1, maxLength: 20 })
      .map((rows) => ({ port, rows })),
  );
const marks = fc
  .integer({ min: 0, max: 99 })
  .map((timeMs): StreamMark => ({ kind: 'watermark', timeMs }));

/** What comes out: batches of one port that lie side by side as one, for a disk puts them together. */
function through(given: readonly Given[], bytesMax: number, plan = new FaultPlan()) {
  const memory = new SlotMemory({ budgetBytes: 16 << 20 });
  const disk = new MemoryDisk();
  const scope = memory.scope('tested');
  const spill = spillSpace(undefined, faultySyncDisk(disk, plan));
  const kernels = instantiateKernels(memory.memory);
  const buffer = new ProbeBuffer({ name: 'tested', scope, kernels, spill }, bytesMax);
  const out: Given[] = [];
  try {
    for (const one of given) {
      if ('kind' in one) {
        buffer.push(one, 0);
        continue;
      }
      const batch = batchOf(scope, schemas[one.port] as (typeof schemas)[0], one.rows);
      try {
        buffer.push(batch, one.port);
      } catch (error) {
        batch.release();
        throw error;
      }
      expect(buffer.heldBytes).toBeLessThanOrEqual(bytesMax);
    }
    for (let next = buffer.shift(); next !== null; next = buffer.shift()) {
      if (isMark(next)) out.push(next);
      else {
        out.push({ port: buffer.port as 0 | 1, rows: readRows(next) as Row[] });
        next.release();
      }
    }
  } finally {
    plan.heal();
    buffer.close();
    memory.assertEmpty();
    expect([disk.files.size, disk.openFiles.size]).toEqual([0, 0]);
  }
  return { out: joined(out), writtenBytes: spill.writtenBytes };
}

function joined(given: readonly Given[]): Given[] {
  const all: Given[] = [];
  for (const one of given) {
    const last = all.at(-1);
    const isSame = last !== undefined && 'port' in last && 'port' in one && last.port === one.port;
    if (isSame) last.rows.push(...one.rows);
    else all.push('port' in one ? { ...one, rows: [...one.rows] } : one);
  }
  return all;
}

test('what went in comes out, in order and at its input', () => {
  let writtenBytes = 0;
  fc.assert(
    fc.property(
      fc.array<Given>(fc.oneof({ weight: 4, arbitrary: batches }, marks), { maxLength: 25 }),
      fc.constantFrom(0, 2_000, 10_000, 1 << 20),
      (given, bytesMax) => {
        const found = through(given, bytesMax);
        expect(found.out).toEqual(joined(given));
        writtenBytes += found.writtenBytes;
      },
    ),
    { numRuns: 150 },
  );
  expect(writtenBytes).toBeGreaterThan(0);
});

test('each call of the disk may fail: a typed error, and nothing is left', () => {
  const rows = Array.from({ length: 2_000 }, (_, n): Row => ({ text: `row ${n}`, n }));
  const given = Array.from({ length: 6 }, (): Given => ({ port: 0, rows }));
  for (let at = 0; ; at++) {
    const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_FULL' });
    const error = typedErrorOf(() => through(given, 100_000, plan));
    expect(at > 0 || plan.hasFired, 'the disk is used').toBe(true);
    if (!plan.hasFired) break;
    expect(error?.info.code).toMatch(/^(SPILL_)?DISK_FULL$/);
  }
});
