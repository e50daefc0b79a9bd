/**
 * Partition join: both sides of a partition on disk, joined. The smaller side is read into memory, the other
 * one goes past it.
 *
 *     load: smaller run ─▶ build side ─▶ table ─▶ probe: larger run, batch by batch ─▶ rows ─▶ build rows alone
 *      ▲                                                                                            │
 *      └── what did not fit, when nothing else is left: the next part of the smaller run ───────────┘
 *
 * A run that does not fit is divided by who asked (engine/operators/spilled-join.ts), unless that would be of
 * no use: its rows have one key, or none. Then it is read in parts, and the larger run goes past each of them: a
 * nested loop of blocks, which ends whatever the keys are. A probe row has found its partners after the last
 * part only, so the bits of rows that have one are on disk as well, beside the run, and are read and written
 * anew with each part.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import { Batch } from '../batch/batch.ts';
import { joinRowsOf } from '../plan/join-type.ts';
import { boolType } from '../schema/field-type.ts';
import { fieldOf, schemaOf } from '../schema/schema.ts';
import type { SpillFiles } from '../spill/spill-files.ts';
import type { SpillReader } from '../spill/spill-reader.ts';
import type { SpillRun, SpillWriter } from '../spill/spill-writer.ts';
import { JoinBuild } from './join-build.ts';
import type { JoinCondition } from './join-condition.ts';
import type { HashJoinOptions } from './join-options.ts';
import { JoinProbe } from './join-probe.ts';
import type { OperatorContext } from './operator.ts';

export interface PartitionJoinOptions {
  readonly join: HashJoinOptions;
  readonly condition: JoinCondition | null;
  readonly files: SpillFiles;
  /** Read into memory; null: no row. */
  readonly build: SpillRun | null;
  readonly probe: SpillRun | null;
  /** What the build side may take. */
  readonly tableBytes: number;
  /** Whether a build side that does not fit is read in parts. */
  readonly isInParts: boolean;
}

const bitsSchema = schemaOf(fieldOf('hasPartner', boolType));

/** Work on one part of the build side; each is a state of its own. */
type Step = 'load' | 'table' | 'probe' | 'alone' | 'done';

export class PartitionJoin {
  readonly #context: OperatorContext;
  readonly #options: PartitionJoinOptions;
  /** Whether rows of the probe side are told apart by whether they have a partner. */
  readonly #asksProbe: boolean;
  #step: Step = 'load';
  #build: JoinBuild;
  #buildReader: SpillReader | null;
  /** What did not fit into the part. */
  #left: Batch | null = null;
  #isFirst = true;
  #isLast = false;
  #probe: JoinProbe | null = null;
  #probeReader: SpillReader | null = null;
  #batch: Batch | null = null;
  /** Bits of the part before, and of this one. */
  #bits: SpillRun | null = null;
  #bitsReader: SpillReader | null = null;
  #bitsWriter: SpillWriter | null = null;

  constructor(context: OperatorContext, options: PartitionJoinOptions) {
    const { join, files, build } = options;
    this.#context = context;
    this.#options = options;
    this.#asksProbe = joinRowsOf(join.type, join.buildSide).probe !== 'none';
    this.#build = this.#newBuild();
    this.#buildReader = null;
    try {
      this.#buildReader = build === null ? null : files.open(build, join.build);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Works for a moment: rows, if any; `too large` when the build side does not fit. */
  next(): Batch | null | 'end' | 'too large' {
    switch (this.#step) {
      case 'load':
        return this.#load();
      case 'table':
        if (this.#build.end()) this.#beginProbe();
        return null;
      case 'probe':
        return this.#probeRows();
      case 'alone':
        return this.#buildRows();
      case 'done':
        return 'end';
    }
  }

  /** Releases all memory; the files are left to their owner. */
  close(): void {
    this.#left?.release();
    this.#left = null;
    this.#batch?.release();
    this.#batch = null;
    closeAll([this.#probe, this.#build, this.#buildReader]);
    closeAll([this.#probeReader, this.#bitsReader, this.#bitsWriter]);
  }

  get #part(): { readonly part?: { readonly isLast: boolean } } {
    return this.#isFirst && this.#isLast ? {} : { part: { isLast: this.#isLast } };
  }

  #newBuild(): JoinBuild {
    const { build: schema, buildKeys: keys } = this.#options.join;
    return new JoinBuild(this.#context, { schema, keys });
  }

  /** Reads rows of the build side, until a slice is over, or there is no room, or no row. */
  #load(): null | 'too large' {
    const { tableBytes, isInParts } = this.#options;
    const build = this.#build;
    do {
      const batch = this.#left ?? this.#buildReader?.read() ?? 'end';
      this.#isLast = batch === 'end';
      if (batch === 'end') {
        this.#step = 'table';
        return null;
      }
      this.#left = batch;
      // Each part has a batch, so that parts come to an end.
      if (build.rows.rowCount > 0 && build.peakBytesWith(batch) > tableBytes) {
        if (!isInParts) return 'too large';
        this.#step = 'table';
        return null;
      }
      build.append(batch);
      this.#left = null;
      batch.release();
    } while (!this.#context.shouldYield());
    return null;
  }

  #beginProbe(): void {
    const { join, condition, files, probe } = this.#options;
    const build = this.#build;
    this.#probe = new JoinProbe(this.#context, { join, build, condition, ...this.#part });
    this.#probeReader = probe === null ? null : files.open(probe, join.probe);
    if (this.#asksProbe && probe !== null) {
      if (this.#bits !== null) this.#bitsReader = files.open(this.#bits, bitsSchema);
      if (!this.#isLast) this.#bitsWriter = files.create();
    }
    this.#step = 'probe';
  }

  #probeRows(): Batch | null {
    const probe = this.#probe;
    assert(probe !== null, 'rows go past a build side');
    if (probe.current !== null) return probe.next();
    if (this.#batch !== null) {
      this.#writeBits(this.#batch.rowCount, probe.bits);
      this.#batch.release();
      this.#batch = null;
    }
    const batch = this.#probeReader?.read() ?? 'end';
    if (batch === 'end') {
      this.#endProbe();
      return null;
    }
    this.#batch = batch;
    const before = this.#bitsReader?.read() ?? 'end';
    if (before === 'end') {
      probe.begin(batch);
      return null;
    }
    try {
      assert(before.rowCount === batch.rowCount, 'bits lie beside the rows they are of');
      probe.begin(batch, before.columns[0]?.values);
    } finally {
      before.release();
    }
    return null;
  }

  #writeBits(rowCount: number, values: number): void {
    if (this.#bitsWriter === null) return;
    const columns = [{ type: boolType, values, validity: 0 }];
    const parts = { schema: bitsSchema, rowCount, columns, blocks: [] };
    this.#bitsWriter.append(new Batch(this.#context.scope.memory, parts));
  }

  #endProbe(): void {
    this.#probeReader?.close();
    this.#probeReader = null;
    this.#bitsReader?.close();
    this.#bitsReader = null;
    if (this.#bits !== null) this.#options.files.remove(this.#bits);
    this.#bits = null;
    this.#bits = this.#bitsWriter?.finish() ?? null;
    this.#bitsWriter = null;
    this.#step = 'alone';
  }

  /** Build rows that come alone; behind them the next part. */
  #buildRows(): Batch | null {
    assert(this.#probe !== null, 'build rows come alone after all probe rows');
    const rows = this.#probe.nextBuildRows();
    if (rows !== 'end') return rows;
    this.#step = this.#isLast ? 'done' : 'load';
    if (this.#isLast) return null;
    this.#probe.close();
    this.#probe = null;
    const old = this.#build;
    this.#build = this.#newBuild();
    old.close();
    this.#isFirst = false;
    return null;
  }
}
