/** Runs an operator in a memory of its share and a little, over a disk that may fail or lie. */
import { expect } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import type {
  JoinOperator,
  Operator,
  OperatorContext,
} from '../../../engine/operators/operator.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import { FaultPlan, faultySyncDisk } from '../../support/faulty-disk.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { batchOf, CollectingOutbox, feed, type Row } from '../../support/operator-harness.ts';
import { spillSpace } from '../../support/spill-space.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

/** For batches on their way. */
const headroomBytesDefault = 3 << 20;
/** A batch ends with so many rows or bytes of text, as those of sources do. */
const batchRows = 4000;
const batchTextBytes = 1 << 20;

export interface Input {
  readonly schema: Schema;
  readonly rows: Iterable<Row>;
}

export interface WithinShare extends Input {
  readonly build: (context: OperatorContext) => Operator;
  /** Of an operator with two inputs. */
  readonly buildSide?: Input;
  /** @defaultValue 3 MiB */
  readonly shareBytes?: number;
  /** Of the memory, besides the share. @defaultValue 3 MiB */
  readonly headroomBytes?: number;
  readonly plan?: FaultPlan;
  readonly disk?: MemoryDisk;
}

export function runWithinShare({
  build,
  buildSide,
  shareBytes = 3 << 20,
  headroomBytes = headroomBytesDefault,
  plan = new FaultPlan(),
  disk = new MemoryDisk(),
  ...input
}: WithinShare) {
  const memory = new SlotMemory({ budgetBytes: shareBytes + headroomBytes });
  const kernels = instantiateKernels(memory.memory);
  const spill = spillSpace(shareBytes, faultySyncDisk(disk, plan));
  const scope = memory.scope('tested');
  const operator = build({ name: 'tested', scope, kernels, spill, shouldYield: () => false });
  const outbox = new CollectingOutbox();
  const feedAll = ({ schema, rows }: Input, work: (batch: Batch) => void) => {
    for (const part of partsOf(rows)) {
      const batch = batchOf(memory.scope('input'), schema, part);
      try {
        work(batch);
      } finally {
        batch.release();
      }
    }
  };
  try {
    if (buildSide !== undefined) {
      const join = operator as JoinOperator;
      feedAll(buildSide, (batch) => {
        for (let row = 0; row < batch.rowCount; ) row = join.build(batch, row);
      });
      while (!join.buildEnded());
    }
    feedAll(input, (batch) => feed(operator, batch, outbox));
    while (!operator.finish(outbox));
  } finally {
    plan.heal();
    operator.close();
    memory.assertEmpty();
    expect([disk.files.size, disk.openFiles.size]).toEqual([0, 0]);
  }
  return { found: outbox.rows, spilledBytes: spill.writtenBytes, peakBytes: memory.peakBytes };
}

/** Fails with DISK_FULL at one call of the disk after the other: each is told, and nothing is left. */
export function expectDiskErrors(run: (plan: FaultPlan) => unknown): void {
  for (let at = 0; ; at += at < 6 ? 1 : 17 + (at >> 3)) {
    const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_FULL' });
    const error = typedErrorOf(() => run(plan));
    expect(at > 0 || plan.hasFired, 'the disk is used').toBe(true);
    if (!plan.hasFired) break;
    expect([plan.calls[at], error?.info.code]).toEqual([
      plan.calls[at],
      expect.stringMatching(/^(SPILL_)?DISK_FULL$/),
    ]);
  }
}

/** Loses the last byte of each block but the first of a file. */
export class TearingDisk extends MemoryDisk {
  override write(file: number, from: Uint8Array, position: number): void {
    super.write(file, position > 0 ? from.subarray(0, from.length - 1) : from, position);
  }
}

function* partsOf(rows: Iterable<Row>): Generator<Row[]> {
  let part: Row[] = [];
  let textBytes = 0;
  for (const row of rows) {
    part.push(row);
    for (const value of Object.values(row)) {
      textBytes += typeof value === 'string' ? value.length : 0;
    }
    if (part.length < batchRows && textBytes < batchTextBytes) continue;
    yield part;
    part = [];
    textBytes = 0;
  }
  yield part;
}
