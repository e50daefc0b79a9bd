/**
 * The build phase of a chain with joins: all build sides are read to their ends, whichever has rows, before the
 * first row goes through the chain. Then what comes in is handed on as any gate does.
 *
 *     build gates ─▶ joins of the chain
 *     gate ─▶ side buffer, while the build sides have nothing ─▶ read: the buffer first, then the gate
 *
 * Why a buffer: who sends to both sides may wait for room at the probe side before it goes on with a build
 * side. Then this task takes in what comes at the probe side, so that nobody waits for ever. Only plans where
 * that can happen ask for it (coordinator/planner/probe-buffers.ts), for it has no bound but the memory's. A
 * chain that begins with a source has no gate: the source waits.
 *
 * Before: engine/stream/input-gate.ts · After: engine/task/build-side.ts
 */
import type { Batch } from '../batch/batch.ts';
import {
  type ElementReader,
  isMark,
  type StreamElement,
  type StreamMark,
} from '../stream/stream-element.ts';
import type { ChannelTime } from '../time/watermark-coalescer.ts';
import type { BuildSide } from './build-side.ts';

export interface BuildPhaseOptions {
  /** None for a chain without joins. */
  readonly sides: readonly BuildSide[];
  /** What goes through the chain; null where that is a source. */
  readonly gate: ElementReader | null;
  readonly isProbeBuffered: boolean;
}

/** Batches that are taken into the buffer before the build sides are asked again. */
const bufferedAtOnce = 64;

export class BuildPhase implements ElementReader {
  readonly #options: BuildPhaseOptions;
  readonly #buffer: (Batch | StreamMark)[] = [];
  /** Those that are not done. */
  #sides: readonly BuildSide[];

  constructor(options: BuildPhaseOptions) {
    this.#options = options;
    this.#sides = options.sides;
  }

  /** Whether rows may go through the chain. */
  get isDone(): boolean {
    return this.#sides.length === 0;
  }

  /** The input of the vertex that the last batch came in at. */
  get port(): number {
    return this.#options.gate?.port ?? 0;
  }

  /** How far event time is in the channels of the gate. */
  times(): readonly ChannelTime[] {
    return this.#options.gate?.times?.() ?? [];
  }

  /** Works for a moment at each build side. */
  step(): 'busy' | 'waiting' | 'failed' {
    let isBusy = false;
    for (const side of this.#sides) {
      const state = side.step();
      if (state === 'failed') return state;
      if (state === 'busy') isBusy = true;
    }
    this.#sides = this.#sides.filter((side) => !side.isDone);
    return isBusy ? 'busy' : this.#fillBuffer();
  }

  /** What goes through the chain; when `isDone`. */
  read(): StreamElement | 'waiting' {
    return this.#buffer.shift() ?? this.#options.gate?.read() ?? 'end';
  }

  close(): void {
    for (const element of this.#buffer.splice(0)) if (!isMark(element)) element.release();
    for (const side of this.#options.sides) side.close();
    this.#options.gate?.close();
  }

  #fillBuffer(): 'busy' | 'waiting' | 'failed' {
    const { isProbeBuffered, gate } = this.#options;
    if (!isProbeBuffered || gate === null) return 'waiting';
    for (let count = 0; count < bufferedAtOnce; count++) {
      const element = gate.read();
      if (element === 'failed') return 'failed';
      if (element === 'waiting' || element === 'end') return 'waiting';
      this.#buffer.push(element);
    }
    return 'busy';
  }
}
