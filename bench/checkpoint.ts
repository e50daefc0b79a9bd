/**
 * The checkpoint bench: what checkpoints of a job with much state cost it, and how soon it goes on.
 *
 *     state        15 million running sums by an int64 key, 1 GB in two tasks; rows come as fast as they are worked on
 *     changes      a million keys, drawn at random, and others from second to second
 *     measured     rows per second of the clock and of CPU time without checkpoints and with one each second; how long these
 *                  take and what they write; how long tasks stand still; the time from SIGKILL to the first row, and the
 *                  pause of a rescaling from two tasks to four; checkpoints where rows wait for a slow function
 *
 * Contestants run in turns: Millrace, Flink with its state on the heap, Flink with RocksDB. Rows per CPU second are what to
 * compare on a machine that others use.
 *
 * Expectation before the first figure: a row costs Millrace 250 ns of a core, a changed key 250 ns more; so of two cores, with
 * six million rows a second, a million changed keys take an eighth. A full snapshot, each ninth, takes another.
 *
 * Before: bench/main.ts. After: bench/checkpoint-millrace.ts, bench/checkpoint-flink.ts, bench/checkpoint-report.ts.
 */
import { formatCount } from '../base/units.ts';
import { flinkCheckpointPeer, measureFlink } from './checkpoint-flink.ts';
import { measureBackpressure, measureMillrace } from './checkpoint-millrace.ts';
import type { CheckpointMeasure, CheckpointResult, CheckpointTask } from './checkpoint-result.ts';
import { type CheckpointSize, checkpointSizes, prepareKeys } from './checkpoint-rows.ts';
import { prepareMaven } from './prepare-maven.ts';

export const checkpointBenchName = 'checkpoint';
export const checkpointContestants = ['millrace', 'flink-heap', 'flink-rocksdb'] as const;
type CheckpointContestant = (typeof checkpointContestants)[number];

export interface CheckpointBenchOptions {
  readonly size: CheckpointSize;
  readonly runs: number;
  /** Empty: all take part. */
  readonly only: readonly string[];
}

export async function runCheckpointBench(
  { size, runs, only }: CheckpointBenchOptions,
  tell: (line: string) => void,
): Promise<CheckpointResult[]> {
  const chosen = checkpointContestants.filter((one) => only.length === 0 || only.includes(one));
  if (chosen.some((one) => one !== 'millrace')) prepareMaven(flinkCheckpointPeer, tell);
  const { keys, changed, seconds } = checkpointSizes[size];
  const task = { keys, changed, seconds, input: prepareKeys(size, tell) };
  const results = chosen.map((contestant): CheckpointResult => {
    return { contestant, measured: [], backpressure: [] };
  });
  for (let run = 1; run <= runs; run++) {
    for (const { contestant, measured, backpressure } of results) {
      tell(`${contestant}, run ${run} of ${runs}`);
      const measure = await measureOf(task, contestant as CheckpointContestant);
      measured.push(measure);
      tell(`${contestant}: ${textOf(measure)}`);
      if (contestant === 'millrace') backpressure.push(await measureBackpressure(task));
    }
  }
  return results;
}

/** Told as it is measured: a bench of many minutes may be ended before its table. */
function textOf({ without, with: beside, incremental, full }: CheckpointMeasure): string {
  const perSecond = [without, beside].map(({ rows, seconds }) =>
    formatCount(Math.round(rows / seconds)),
  );
  const durations = [incremental, full].map(({ durationMs }) => durationMs.toFixed(0));
  return `${perSecond.join(' and ')} rows/s, checkpoints ${durations.join(' and ')} ms`;
}

function measureOf(task: CheckpointTask, contestant: CheckpointContestant) {
  switch (contestant) {
    case 'millrace':
      return measureMillrace(task);
    case 'flink-heap':
      return measureFlink(task, 'hashmap');
    case 'flink-rocksdb':
      return measureFlink(task, 'rocksdb');
  }
}
