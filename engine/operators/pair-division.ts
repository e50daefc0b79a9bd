/**
 * Pair division: both sides of a partition of a join, divided by other bits of the hash of their keys. Rows with
 * equal keys come into partitions of one index, so these are pairs again.
 *
 *     build run ─▶ partitions 0 1 2 …  ┐
 *     probe run ─▶ partitions 0 1 2 …  ┴▶ pairs of one index
 */
import { closeAll } from '../../base/close-all.ts';
import type { Schema } from '../schema/schema.ts';
import type { SpillFiles } from '../spill/spill-files.ts';
import type { SpillReader } from '../spill/spill-reader.ts';
import type { SpillRun } from '../spill/spill-writer.ts';
import type { HashJoinOptions } from './join-options.ts';
import { JoinSideWriter, type SpilledSide } from './join-side-writer.ts';
import type { OperatorContext } from './operator.ts';

/** What both sides of a join have in one partition; not null both. */
export interface Pair {
  readonly build: SpillRun | null;
  readonly probe: SpillRun | null;
  /** How often its rows have been divided. */
  readonly level: number;
  /** Whether dividing them again is of use. */
  readonly isDivisible: boolean;
}

export interface PairDivisionOptions {
  readonly join: HashJoinOptions;
  readonly files: SpillFiles;
  readonly partitionCount: number;
}

/** Where the smaller side keeps more of its rows than this, it is not divided again: most have one key. */
const shrinkPartMax = 0.75;
/** Where keys differ, each level leaves an eighth; what is left after so many has equal hashes. */
const levelMax = 8;

export class PairDivision {
  readonly #context: OperatorContext;
  readonly #options: PairDivisionOptions;
  readonly #pair: Pair;
  readonly #done: SpilledSide[] = [];
  #reader: SpillReader | null = null;
  #writer: JoinSideWriter | null = null;

  constructor(context: OperatorContext, pair: Pair, options: PairDivisionOptions) {
    this.#context = context;
    this.#pair = pair;
    this.#options = options;
  }

  /** Works for a slice; the pairs when all rows are written. The old runs are left to the caller. */
  step(): Pair[] | null {
    const { build, probe } = this.#pair;
    const { join } = this.#options;
    if (this.#done.length === 0) this.#write(build, join.build, join.buildKeys);
    else if (this.#done.length === 1) this.#write(probe, join.probe, join.probeKeys);
    const [builds, probes] = this.#done;
    if (builds === undefined || probes === undefined) return null;
    return pairsOf(builds, probes, this.#pair.level + 1);
  }

  /** Releases all memory; the files are left to their owner. */
  close(): void {
    closeAll([this.#reader, this.#writer]);
  }

  #write(run: SpillRun | null, schema: Schema, keys: readonly string[]): void {
    const { files, partitionCount } = this.#options;
    if (run === null) {
      this.#done.push({ partitions: [], keyless: null, rowCount: 0 });
      return;
    }
    const level = this.#pair.level + 1;
    const options = { files, schema, keys, partitionCount, level, keepsKeyless: false };
    this.#writer ??= new JoinSideWriter(this.#context, options);
    this.#reader ??= files.open(run, schema);
    do {
      const batch = this.#reader.read();
      if (batch === 'end') {
        this.#endSide(this.#reader, this.#writer);
        return;
      }
      try {
        this.#writer.append(batch);
      } finally {
        batch.release();
      }
    } while (!this.#context.shouldYield());
  }

  #endSide(reader: SpillReader, writer: JoinSideWriter): void {
    this.#done.push(writer.finish());
    this.#writer = null; // Not before: one that can't end its files is to be closed.
    this.#reader = null;
    reader.close();
  }
}

/** The partitions of both sides by index, and rows without a key alone. */
export function pairsOf(build: SpilledSide, probe: SpilledSide, level: number): Pair[] {
  const sides = [build, probe].map(({ partitions }) => {
    return new Map(partitions.map(({ index, run }) => [index, run]));
  });
  const indexes = new Set(sides.flatMap((runs) => [...runs.keys()]));
  const pairs = [...indexes].map((index): Pair => {
    const [builds = null, probes = null] = sides.map((runs) => runs.get(index) ?? null);
    const pair = { build: builds, probe: probes, level };
    const [kept, parent] = isProbeSmaller(pair) ? [probes, probe] : [builds, build];
    const hasShrunk = kept === null || kept.rowCount <= parent.rowCount * shrinkPartMax;
    return { ...pair, isDivisible: hasShrunk && level < levelMax };
  });
  const alone = { level, isDivisible: false };
  if (build.keyless !== null) pairs.push({ ...alone, build: build.keyless, probe: null });
  if (probe.keyless !== null) pairs.push({ ...alone, build: null, probe: probe.keyless });
  return pairs;
}

/** Whether the rows of the probe side are less to keep in memory. */
export function isProbeSmaller({ build, probe }: Pick<Pair, 'build' | 'probe'>): boolean {
  return bytesOf(probe) < bytesOf(build);
}

function bytesOf(run: SpillRun | null): number {
  return run === null ? 0 : run.endByte - run.startByte;
}
