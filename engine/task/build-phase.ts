/**
 * The build phase of a join: reads the build side to its end and gives it to the operator, then hands the
 * probe side on as any gate does.
 *
 *     build gate ─▶ operator.build … buildEnded
 *     probe gate ─▶ side buffer, while the build side has nothing ─▶ read: the buffer first, then the gate
 *
 * Why a buffer: who sends to both sides may wait for room at the probe side before it goes on with the build
 * side. Then this task takes in what comes at the probe side, so that nobody waits for ever. Only plans where
 * that can happen ask for it (coordinator/planner/probe-buffers.ts), for it has no bound but the memory's.
 *
 * Before: engine/stream/input-gate.ts · After: engine/operators/hash-join-operator.ts
 */
import type { Batch } from '../batch/batch.ts';
import type { JoinOperator } from '../operators/operator.ts';
import type { ElementReader, StreamElement } from '../stream/stream-element.ts';

export interface BuildPhaseOptions {
  readonly operator: JoinOperator;
  readonly build: ElementReader;
  readonly probe: ElementReader;
  readonly isProbeBuffered: boolean;
}

/** Batches that are taken into the buffer before the build side is asked again. */
const bufferedAtOnce = 64;

export class BuildPhase implements ElementReader {
  readonly #options: BuildPhaseOptions;
  readonly #buffer: Batch[] = [];
  /** The batch that the operator has not finished, and its next row. */
  #batch: Batch | null = null;
  #row = 0;
  #rowCount = 0;
  #hasEnded = false;
  #isDone = false;

  constructor(options: BuildPhaseOptions) {
    this.#options = options;
  }

  /** Whether the probe side may be read. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Rows of the build side that the operator has taken. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Works for a moment: one batch, or one slice of the operator's. */
  step(): 'busy' | 'waiting' | 'failed' {
    const { operator, build } = this.#options;
    if (this.#batch !== null) {
      this.#build(this.#batch);
    } else if (this.#hasEnded) {
      this.#isDone = operator.buildEnded();
    } else {
      const element = build.read();
      if (element === 'failed') return 'failed';
      if (element === 'waiting') return this.#fillBuffer();
      if (element === 'end') this.#hasEnded = true;
      else this.#batch = element;
    }
    return 'busy';
  }

  /** The probe side; when `isDone`. */
  read(): StreamElement | 'waiting' {
    return this.#buffer.shift() ?? this.#options.probe.read();
  }

  close(): void {
    this.#batch?.release();
    for (const batch of this.#buffer.splice(0)) batch.release();
    this.#options.build.close();
    this.#options.probe.close();
  }

  #build(batch: Batch): void {
    const next = this.#options.operator.build(batch, this.#row);
    this.#rowCount += next - this.#row;
    this.#row = next;
    if (next < batch.rowCount) return;
    this.#batch = null;
    this.#row = 0;
    batch.release();
  }

  #fillBuffer(): 'busy' | 'waiting' | 'failed' {
    const { isProbeBuffered, probe } = this.#options;
    if (!isProbeBuffered) return 'waiting';
    for (let count = 0; count < bufferedAtOnce; count++) {
      const element = probe.read();
      if (element === 'failed') return 'failed';
      if (element === 'waiting' || element === 'end') return 'waiting';
      this.#buffer.push(element);
    }
    return 'busy';
  }
}
