/**
 * Run merger: sorted runs on disk as one sorted stream, in bounded memory and in as many passes as that takes.
 *
 *     runs    r0 r1 r2 r3 r4 r5 r6        3 at once: three passes' work, but no row is written more than it must
 *             └───┬──┘ └───┬──┘ │         be: only so many runs are merged first that 3 are left
 *                m0       m1    r6 ─▶ rows
 *
 * Only neighbours are merged, so that of equal rows the one that came first stays first.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { SpillFiles } from '../spill/spill-files.ts';
import type { SpillRun, SpillWriter } from '../spill/spill-writer.ts';
import { MergingGate } from '../stream/merging-gate.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import { type MergeSize, runsToMerge, spareBatches } from './merge-size.ts';
import type { OperatorContext } from './operator.ts';

export interface RunMergerOptions {
  readonly schema: Schema;
  readonly order: readonly OrderColumn[];
  readonly files: SpillFiles;
  /** In the order in which their rows came; those that are merged go from the list, the new ones come into it. */
  readonly runs: SpillRun[];
  /** Says how many runs can be merged at once; two of them can. */
  readonly size: MergeSize;
}

/** Runs that are being merged into one. */
interface Pass {
  readonly gate: MergingGate;
  readonly writer: SpillWriter;
  readonly count: number;
}

export class RunMerger {
  readonly #context: OperatorContext;
  readonly #options: RunMergerOptions;
  /** Where in the list the next runs to be merged are. */
  #place = 0;
  #pass: Pass | null = null;
  /** The runs that are left, merged; null before. */
  #last: MergingGate | null = null;

  constructor(context: OperatorContext, options: RunMergerOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Works for a slice; true when `next` may be called. */
  prepare(): boolean {
    if (this.#last !== null) return true;
    if (this.#pass !== null) {
      this.#goOn(this.#pass);
      return false;
    }
    if (this.#place + 2 > this.#runs.length) this.#place = 0;
    const count = runsToMerge(this.#options.size, this.#runs, this.#place);
    if (count < this.#runs.length) {
      this.#pass = this.#beginPass(count);
      return false;
    }
    this.#last = this.#gateOf(this.#runs, false);
    return true;
  }

  /** The next rows, or null at the end. The caller owns the batch. */
  next(): Batch | null {
    assert(this.#last !== null, 'runs are merged down before their rows are read');
    const element = this.#last.read();
    assert(element !== 'waiting' && element !== 'failed', 'a run on disk has rows or has ended');
    return element === 'end' ? null : element;
  }

  /** Releases all memory; the files are left to their owner. */
  close(): void {
    const [pass, last] = [this.#pass, this.#last];
    this.#pass = null;
    this.#last = null;
    try {
      pass?.gate.close();
      last?.close();
    } finally {
      pass?.writer.close();
    }
  }

  get #runs(): SpillRun[] {
    return this.#options.runs;
  }

  #beginPass(count: number): Pass {
    assert(count >= 2, 'a merge makes fewer runs of several');
    const gate = this.#gateOf(this.#runs.slice(this.#place, this.#place + count), true);
    try {
      return { gate, writer: this.#options.files.create(), count };
    } catch (error) {
      gate.close();
      throw error;
    }
  }

  /** Writes one batch; at the end the new run takes the place of those it was made of. */
  #goOn({ gate, writer, count }: Pass): void {
    const element = gate.read();
    assert(element !== 'waiting' && element !== 'failed', 'a run on disk has rows or has ended');
    if (element !== 'end') {
      try {
        writer.append(element);
      } finally {
        element.release();
      }
      return;
    }
    this.#pass = null;
    gate.close();
    const merged = writer.finish();
    const old = this.#runs.splice(this.#place, count, merged);
    for (const run of old) this.#options.files.remove(run);
    this.#place++;
  }

  /** @param showsTexts - For rows that are written at once: their texts are copied once, not twice. */
  #gateOf(runs: readonly SpillRun[], showsTexts: boolean): MergingGate {
    const { scope, kernels } = this.#context;
    const { schema, order, files, size } = this.#options;
    const channels = runs.map((run) => files.open(run, schema));
    const spare = { spareSources: spareBatches, spareBytes: size.spareBytes };
    return new MergingGate({ scope, kernels, schema, order, channels, showsTexts, ...spare });
  }
}
