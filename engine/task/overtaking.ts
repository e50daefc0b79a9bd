/**
 * Overtaking: takes an unaligned barrier through a chain ahead of what waits in it.
 *
 *     rows ─▶ [ rest of a batch ] operator ─▶ [ rest ] operator ─▶ [ batch, messages ] channels
 *     barrier ──────┬────────────────┬──────────────────────────────────┬───────────▶ announced to readers
 *                   └─ kept ─ snapshot ─ kept ─ snapshot ── kept ───────┘      all of it is in the checkpoint
 *
 * An operator that can stop between two rows (`isStoppable`) keeps the rest of its batch in front of it; others finish theirs first. A mark
 * that an operator has begun with is finished as well. What comes out of all that lines up, in an overdraft that links and outputs have for
 * as long as this takes. Where it is used up, the barrier waits for room like any other.
 *
 * Rows that are kept stay where they are, too: a copy goes into the checkpoint. A mark that waits is in no
 * checkpoint: it promises something of rows, and what it promised holds or comes again (engine/task/restored-channels.ts).
 * Before: engine/task/operator-chain.ts. After: engine/task/task-outputs.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import type { SnapshotWriter } from '../contracts/snapshot.ts';
import type { Operator } from '../operators/operator.ts';
import type { ChainedOutbox, WaitingRows } from '../stream/outbox.ts';
import type { Link, MarkPassage } from './mark-passage.ts';

export interface OvertakingRoute {
  /** Where the operator that is counted under an index hands its snapshot. */
  readonly snapshotOf: (index: number, barrier: Barrier) => SnapshotWriter;
  /** Is told what waits in front of an operator, by its port: copies are kept. */
  readonly keepWaiting: (index: number, port: number, rows: readonly WaitingRows[]) => void;
  /** Whether outputs without room take rows all the same. */
  readonly setOverdraft: (hasOverdraft: boolean) => void;
  /** Sends the barrier ahead of all that the outputs hold; false when it has to be called again. */
  readonly overtakeOutputs: (barrier: Barrier) => boolean;
  /** Whether the slice of time is used up. */
  readonly isOver: () => boolean;
}

export interface OvertakingOptions extends OvertakingRoute {
  readonly marks: MarkPassage;
}

export class Overtaking {
  readonly #links: readonly Link[];
  readonly #options: OvertakingOptions;
  #barrier: Barrier | null = null;
  /** The link that it is at. */
  #place = 0;
  /** Whether what waits there is kept. */
  #isKept = false;

  constructor(links: readonly Link[], options: OvertakingOptions) {
    this.#links = links;
    this.#options = options;
  }

  /** The barrier on its way; null when there is none. */
  get barrier(): Barrier | null {
    return this.#barrier;
  }

  /** @param place - Links in front of it have been passed. */
  begin(barrier: Barrier, place = 0): void {
    assert(this.#barrier === null, 'one barrier goes through a chain at a time');
    this.#barrier = barrier;
    this.#place = place;
    this.#isKept = false;
  }

  /** Goes on; true when no barrier is left on its way. */
  step(): boolean {
    if (this.#barrier === null) return true;
    this.#setOverdraft(true);
    let isThrough = false;
    try {
      isThrough = this.#pass(this.#barrier);
    } finally {
      this.#setOverdraft(false);
    }
    if (isThrough) this.#barrier = null;
    else this.#makeRoom();
    return isThrough;
  }

  /** Links that the barrier has not come to work on as they do without one. */
  #makeRoom(): void {
    const first = this.#isKept ? this.#place + 1 : this.#place;
    for (let place = this.#links.length - 1; place >= first; place--) {
      for (const input of this.#links[place]?.inputs ?? []) input.pump();
    }
  }

  #pass(barrier: Barrier): boolean {
    const { marks, overtakeOutputs } = this.#options;
    if (!marks.settle()) return false;
    for (; this.#place < this.#links.length; this.#place++) {
      const link = this.#links[this.#place];
      if (link === undefined) continue;
      if (!this.#isKept) {
        if (!this.#drain(link)) return false;
        this.#keep(link);
      }
      if (!this.#snapshot(link, barrier)) return false;
      this.#isKept = false;
    }
    return overtakeOutputs(barrier);
  }

  /** Has the operator work on what waits for it, unless that can be kept. */
  #drain({ inputs, operator }: Link): boolean {
    return inputs.every((input) => {
      while (!canStop(operator, input)) {
        if (!advances(input)) return false;
        if (this.#options.isOver()) return canStop(operator, input);
      }
      return true;
    });
  }

  #keep({ inputs, index }: Link): void {
    this.#isKept = true;
    for (const [port, input] of inputs.entries()) {
      const rows = input.waiting();
      if (rows.length > 0) this.#options.keepWaiting(index, port, rows);
    }
  }

  #snapshot({ operator, index, output }: Link, barrier: Barrier): boolean {
    const { snapshotOf } = this.#options;
    return operator.snapshot?.(snapshotOf(index, barrier), output) !== false;
  }

  #setOverdraft(hasOverdraft: boolean): void {
    for (const { inputs } of this.#links) {
      for (const input of inputs) input.setOverdraft(hasOverdraft);
    }
    this.#options.setOverdraft(hasOverdraft);
  }
}

/** Whether a call gets the operator further. */
function advances(input: ChainedOutbox): boolean {
  const [before] = input.waiting();
  input.pump();
  const [after] = input.waiting();
  return before?.batch !== after?.batch || before?.fromRow !== after?.fromRow;
}

/** Whether the operator is in the midst of nothing. */
function canStop({ isStoppable }: Operator, input: ChainedOutbox): boolean {
  return input.isEmpty || isStoppable === true;
}
