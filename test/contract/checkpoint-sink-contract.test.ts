/**
 * Goal: whatever call of the disk is the last of a process, and whatever a process that has been overtaken still does, a
 * sink shows each row once, and none before the checkpoint that it belongs to is complete.
 *
 * The suite is the contract of `CheckpointCommitter`, engine/contracts/sink.ts, over a simulated disk; each row of
 * `checkpointSinks` is one implementation. What is complete is decided by a log that only grows, here a variable.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assert } from '../../base/assert.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkWriter } from '../../engine/contracts/sink.ts';
import { Cluster } from '../../simulation/cluster.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { Fault } from '../../simulation/faults.ts';
import type { SimNode } from '../../simulation/sim-node.ts';
import { SimSyncDisk } from '../../simulation/sim-sync-disk.ts';
import { NodeExit } from '../../simulation/world.ts';
import {
  type CheckpointSink,
  checkpointSinks,
  type SinkProcess,
  sinkMemory,
  writeNumbers,
} from '../support/checkpoint-sink.ts';
import { runOnNode } from '../support/run-on-node.ts';

const taskCount = 2;
const rowsPerTask = 3;
const checkpointCount = 3;

/** The last complete checkpoint. */
interface Complete {
  readonly id: number;
  readonly prepared: readonly Json[];
  /** Rows that are in it, and in those before. */
  readonly rowCount: number;
}

/** What survives all processes. */
interface JobLog {
  complete: Complete | null;
  hasEnded: boolean;
}

const allRows = Array.from({ length: checkpointCount * taskCount * rowsPerTask }, (_, n) => n);

/** One attempt of a job, a step at a time: what each process of it does is up to the test. */
class Attempt {
  readonly #sink: CheckpointSink;
  readonly #process: SinkProcess;
  readonly #log: JobLog;
  readonly #from: Complete;
  readonly writers: SinkWriter[] = [];
  readonly committer;

  constructor(sink: CheckpointSink, process: SinkProcess, log: JobLog) {
    this.#sink = sink;
    this.#process = process;
    this.#log = log;
    this.#from = log.complete ?? { id: 0, prepared: [], rowCount: 0 };
    this.committer = sink.committer(process);
  }

  async prepare(): Promise<void> {
    const { complete } = this.#log;
    const prepared = await this.committer.prepare(complete === null ? null : complete.prepared);
    for (let task = 0; task < taskCount; task++) {
      this.writers.push(this.#sink.writer(this.#process, prepared, task));
    }
  }

  /** The rows of one checkpoint, up to what writers have prepared. */
  write(number: number): Complete {
    const id = this.#from.id + number;
    let { rowCount } = this.#from;
    rowCount += (number - 1) * taskCount * rowsPerTask;
    const isLast = rowCount + taskCount * rowsPerTask === allRows.length;
    const prepared = this.writers.map((writer) => {
      const rows = Array.from({ length: rowsPerTask }, () => rowCount++);
      writeNumbers(writer, rows.slice(0, 1));
      writeNumbers(writer, rows.slice(1));
      return isLast ? writer.finish() : (writer.prepareCommit?.(id) ?? null);
    });
    // As a checkpoint has it.
    return JSON.parse(JSON.stringify({ id, prepared, rowCount }));
  }

  /** From preparation to the last commit. */
  async run(): Promise<void> {
    await this.prepare();
    const left = checkpointCount - this.#from.id;
    for (let number = 1; number <= left; number++) {
      const complete = this.write(number);
      this.#log.complete = complete;
      await this.committer.commit(complete.prepared);
    }
    this.#log.hasEnded = true;
  }

  close(): void {
    for (const writer of this.writers) writer.close();
  }
}

function processOf(node: SimNode, attemptId: string): SinkProcess {
  const { incarnation, diskState } = node;
  assert(incarnation !== null, 'the program of a node runs while it is up');
  return {
    attemptId,
    disk: incarnation.env.disk,
    syncDisk: new SimSyncDisk(incarnation, diskState),
  };
}

function inOrder(rows: readonly number[]): number[] {
  return [...rows].sort((a, b) => a - b);
}

/**
 * Two tasks write; behind the first checkpoint one is gone, with rows of a checkpoint that failed and others that are in none,
 * and another takes its place while its neighbour writes on.
 */
async function runRestarted(sink: CheckpointSink, node: SimNode) {
  const process = processOf(node, 'job-1');
  const committer = sink.committer(process);
  const prepared = await committer.prepare(null);
  const [gone, other] = [sink.writer(process, prepared, 0), sink.writer(process, prepared, 1)];
  const written = (writer: SinkWriter, checkpointId: number, rows: readonly number[]) => {
    writeNumbers(writer, rows);
    return writer.prepareCommit?.(checkpointId) ?? null;
  };
  const hidden = () => sink.hidden(process.syncDisk).length;
  await committer.commit([written(gone, 1, [0, 1]), written(other, 1, [2, 3])]);
  // Of checkpoint 2 nothing comes: what the neighbour has prepared for it waits for the next one.
  const waiting = written(other, 2, [4]);
  written(gone, 2, [5, 6]);
  writeNumbers(gone, [7]);
  writeNumbers(other, [8]);
  gone.close();
  expect(hidden()).toBe(2);
  assert(committer.restart !== undefined, 'its tasks can be started again alone');
  const again = sink.writer(process, await committer.restart([0]), 0, 2);
  expect(hidden()).toBe(1);
  const third = [waiting, written(other, 3, []), written(again, 3, [5, 6, 7])];
  expect(inOrder(sink.visible(process.syncDisk))).toEqual([0, 1, 2, 3]);
  await committer.commit(third);
  for (const writer of [other, again]) writer.close();
  expect(inOrder(sink.visible(process.syncDisk))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(hidden()).toBe(0);
  sinkMemory.assertEmpty();
}

/** What is seen is in complete checkpoints, each row once. */
function expectCommitted(rows: readonly number[], { complete }: JobLog): void {
  const seen = inOrder(rows);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.every((row) => row < (complete?.rowCount ?? 0))).toBe(true);
}

/** Runs a job on one node that goes on after each crash; answers how many calls of the disk the first life has made. */
async function runWith(sink: CheckpointSink, seed: number, faults: readonly Fault[]) {
  const log: JobLog = { complete: null, hasEnded: false };
  const attempts: Attempt[] = [];
  let callsOfFirst = 0;
  let failure: unknown = null;
  const cluster = new Cluster({ seed });
  let seen: { visible: number[]; hidden: readonly string[] } = { visible: [], hidden: [] };
  await inMacrotask(() => {
    const node = cluster.addNode('node', { clocks: {}, faults: [] }, () => {
      const process = processOf(node, `job-${attempts.length + 1}`);
      const look = () => ({
        visible: sink.visible(process.syncDisk),
        hidden: sink.hidden(process.syncDisk),
      });
      if (attempts.length > 0) expectCommitted(look().visible, log);
      if (log.hasEnded) {
        seen = look();
        return;
      }
      const attempt = new Attempt(sink, process, log);
      attempts.push(attempt);
      const running = attempt.run();
      const end = () => {
        if (attempts.length === 1) callsOfFirst = node.diskState.callCount;
        // What has ended stays.
        node.crashFor(100, 'the end', 'powerCut');
      };
      running.then(end, (error: unknown) => {
        if (!(error instanceof NodeExit)) failure = error;
      });
    });
    cluster.armFaults(faults, 30_000);
    cluster.world.run(60_000);
  });
  for (const attempt of attempts) attempt.close();
  sinkMemory.assertEmpty();
  expect(cluster.world.failure).toBeNull();
  expect(failure).toBeNull();
  return { ...seen, log, callsOfFirst, attemptCount: attempts.length };
}

interface Overtaken {
  readonly steps: readonly ('newGoesOn' | 'oldCommits' | 'oldWrites')[];
  /** Checkpoints that the old attempt completes; it is held up before the commit of the last one. */
  readonly before: number;
}

/** Two attempts at once, of which only the new one can complete a checkpoint. */
async function runOvertaken(sink: CheckpointSink, node: SimNode, { steps, before }: Overtaken) {
  const log: JobLog = { complete: null, hasEnded: false };
  const disk = processOf(node, 'looking').syncDisk;
  const old = new Attempt(sink, processOf(node, 'job-1'), log);
  await old.prepare();
  let written = 0;
  while (written < before) {
    await old.committer.commit(log.complete?.prepared ?? []);
    log.complete = old.write(++written);
  }
  const heldUp = log.complete?.prepared ?? [];
  const next = new Attempt(sink, processOf(node, 'job-2'), log);
  const running = next.run();
  for (const step of steps) {
    if (step === 'newGoesOn') await node.incarnation?.env.timers.sleep(1);
    else if (step === 'oldCommits') await old.committer.commit(heldUp);
    else if (written < checkpointCount) old.write(++written);
    expectCommitted(sink.visible(disk), log);
  }
  await running;
  await old.committer.commit(heldUp);
  await old.committer.abort();
  expect(inOrder(sink.visible(disk))).toEqual(allRows);
  expect(sink.hidden(disk)).toEqual([]);
  for (const attempt of [old, next]) attempt.close();
}

describe.each(checkpointSinks)('$name', (sink) => {
  test('all rows are there once it has ended, and nothing else', async () => {
    const { visible, hidden, attemptCount } = await runWith(sink, 1, []);
    expect(inOrder(visible)).toEqual(allRows);
    expect([hidden, attemptCount]).toEqual([[], 1]);
  });

  test.each(['killed', 'powerCut'] as const)('dead at any call (%s), twice', async (cause) => {
    const { callsOfFirst } = await runWith(sink, 1, []);
    expect(callsOfFirst).toBeGreaterThan(30);
    for (let call = 0; call < callsOfFirst; call++) {
      for (const when of ['before', 'after'] as const) {
        const crash = { kind: 'crashAtDiskCall', node: 'node', when, downMs: 100, cause } as const;
        // The second life is cut off as well, somewhere else each time.
        const again = call + 5 + ((call * 7) % 40);
        const faults = [call, again].map((at) => ({ ...crash, call: at }));
        const { visible, hidden, log, attemptCount } = await runWith(sink, call, faults);
        const where = `${when} call ${call}`;
        expect(log.hasEnded, where).toBe(true);
        expect(inOrder(visible), where).toEqual(allRows);
        expect(hidden, where).toEqual([]);
        expect(attemptCount, where).toBeGreaterThan(1);
      }
    }
  });

  test('a task that is started again alone leaves nothing behind the checkpoint, and its neighbour loses nothing', async () => {
    await runOnNode((_env, node) => runRestarted(sink, node));
  });

  test('an attempt that has been overtaken does no harm, whatever it still does', async () => {
    const steps = fc.array(fc.constantFrom('newGoesOn', 'oldCommits', 'oldWrites'), {
      maxLength: 12,
    });
    const property = fc.asyncProperty(steps, fc.nat(2), async (all, before) => {
      await runOnNode((_env, node) => runOvertaken(sink, node, { steps: all, before }));
      sinkMemory.assertEmpty();
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test('what was prepared and never complete is gone with the attempt, what was committed stays', async () => {
    await runOnNode(async (_env, node) => {
      const log: JobLog = { complete: null, hasEnded: false };
      const attempt = new Attempt(sink, processOf(node, 'job-1'), log);
      await attempt.prepare();
      const first = attempt.write(1);
      await attempt.committer.commit(first.prepared);
      attempt.write(2);
      const { syncDisk } = processOf(node, '');
      expect(sink.hidden(syncDisk).length).toBeGreaterThan(0);
      attempt.close();
      await attempt.committer.abort();
      await attempt.committer.abort();
      expect(sink.hidden(syncDisk)).toEqual([]);
      expect(inOrder(sink.visible(syncDisk))).toEqual(allRows.slice(0, first.rowCount));
    });
    sinkMemory.assertEmpty();
  });
});
