/**
 * The build phase of a chain with joins: all build sides are read to their ends, whichever has rows, before the
 * first row goes through the chain. Then what comes in is handed on as any gate does.
 *
 *     build gates ─▶ joins of the chain
 *     gate ─▶ side buffer, while the build sides have nothing ─▶ read: the buffer first, then the gate
 *
 * Why a buffer: who sends to both sides may wait for room at the probe side before it goes on with a build
 * side. Then this task takes in what comes at the probe side, so that nobody waits for ever. Only plans where
 * that can happen ask for it (coordinator/planner/probe-buffers.ts), for what does not fit in it goes through the
 * disk. A chain that begins with a source has no gate: the source waits.
 *
 * Before: engine/stream/input-gate.ts · After: engine/task/build-side.ts, engine/task/probe-buffer.ts
 */
import { closeAll } from '../../base/close-all.ts';
import { type ElementReader, isMark, type StreamElement } from '../stream/stream-element.ts';
import type { ChannelTime } from '../time/watermark-coalescer.ts';
import type { BuildSide } from './build-side.ts';
import type { ProbeBuffer } from './probe-buffer.ts';

export interface BuildPhaseOptions {
  /** None for a chain without joins. */
  readonly sides: readonly BuildSide[];
  /** What goes through the chain; null where that is a source. */
  readonly gate: ElementReader | null;
  /** Keeps what the gate gives meanwhile, and is not closed here; null where nobody can wait for it. */
  readonly buffer: ProbeBuffer | null;
}

/** Batches that are taken into the buffer before the build sides are asked again. */
const bufferedAtOnce = 64;

export class BuildPhase implements ElementReader {
  readonly #options: BuildPhaseOptions;
  /** Whether all that was buffered has been read. */
  #isBufferRead: boolean;
  /** Those that are not done. */
  #sides: readonly BuildSide[];

  constructor(options: BuildPhaseOptions) {
    this.#options = options;
    this.#sides = options.sides;
    this.#isBufferRead = options.buffer === null;
  }

  /** Whether rows may go through the chain. */
  get isDone(): boolean {
    return this.#sides.length === 0;
  }

  /** The input of the vertex that the last batch came in at. */
  get port(): number {
    const { buffer, gate } = this.#options;
    return (this.#isBufferRead ? gate?.port : buffer?.port) ?? 0;
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
    if (!this.#isBufferRead) {
      const element = this.#options.buffer?.shift() ?? null;
      if (element !== null) return element;
      this.#isBufferRead = true;
    }
    return this.#options.gate?.read() ?? 'end';
  }

  close(): void {
    const { sides, gate } = this.#options;
    closeAll([...sides, gate]);
  }

  #fillBuffer(): 'busy' | 'waiting' | 'failed' {
    const { buffer, gate } = this.#options;
    if (buffer === null || gate === null) return 'waiting';
    for (let count = 0; count < bufferedAtOnce; count++) {
      const element = gate.read();
      if (element === 'failed') return 'failed';
      if (element === 'waiting' || element === 'end') return 'waiting';
      try {
        buffer.push(element, gate.port ?? 0);
      } catch (error) {
        if (!isMark(element)) element.release();
        throw error;
      }
    }
    return 'busy';
  }
}
