/**
 * The simulated world: virtual time, one queue of events, and judges that look after each of them.
 *
 *     pop the next event ─▶ fire it ─▶ drain promise jobs ─▶ ask every judge ─▶ …
 *
 * One thread, one order, all chance from the seed: so a run is a function of its seed and options,
 * and its trace hash says whether two runs were the same. True time is the world's; nodes see it
 * only through clocks of their own (sim-time.ts).
 */
import type { Rng, RngSource } from '../base/env/rng.ts';
import { createSeededRngSource } from '../base/env/seeded-rng.ts';
import { assertCanDrain, drainPromiseJobs, withRejectionsTo } from './drain.ts';
import { EventQueue } from './event-queue.ts';
import { withGuard } from './guard.ts';
import { TraceHash } from './trace-hash.ts';

/** Looks at the world at rest; a sentence when something is wrong, null when all is well. */
export type Judge = () => string | null;

export interface Failure {
  readonly judge: string;
  readonly message: string;
  readonly atMs: number;
}

/** Thrown to leave the code of a node that just went down; never a failure of the run. */
export class NodeExit extends Error {}

export class World {
  readonly seed: number;
  readonly rng: RngSource;
  readonly trace = new TraceHash();
  /** True time since the start, in milliseconds. */
  nowMs = 0;
  eventCount = 0;
  failure: Failure | null = null;
  readonly #queue = new EventQueue();
  readonly #judges: { readonly name: string; readonly judge: Judge }[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.rng = createSeededRngSource(seed);
  }

  /** A stream of chance that belongs to one purpose. */
  stream(purpose: string): Rng {
    return this.rng.stream(purpose);
  }

  /** Fires after `delayMs` of true time, unless cancelled first. */
  after(delayMs: number, fire: () => void): () => void {
    const event = this.#queue.push(this.nowMs + Math.max(0, delayMs), fire);
    return () => {
      event.fire = nothing;
    };
  }

  /** Adds a judge of safety: asked after every event. */
  addJudge(name: string, judge: Judge): void {
    this.#judges.push({ name, judge });
  }

  /** Ends the run as failed; the first failure counts. */
  fail(judge: string, message: string): void {
    this.failure ??= { judge, message, atMs: this.nowMs };
  }

  /** Notes in the trace that something happened. */
  note(node: string, name: string, detail: string): void {
    this.trace.addNumber(this.nowMs);
    this.trace.addText(node);
    this.trace.addText(name);
    this.trace.addText(detail);
  }

  /** Runs until `untilMs` of true time or the first failure; call it inside `inMacrotask`. */
  run(untilMs: number): void {
    assertCanDrain();
    const onRejection = (reason: unknown): void => {
      if (!(reason instanceof NodeExit)) this.fail('unhandled rejection', String(reason));
    };
    withRejectionsTo(onRejection, () =>
      withGuard(() => {
        drainPromiseJobs();
        while (this.failure === null && this.#queue.nextAtMs <= untilMs) this.#step();
      }),
    );
    if (this.failure === null) this.nowMs = untilMs;
  }

  #step(): void {
    const event = this.#queue.pop();
    if (event === undefined || event.fire === nothing) return;
    this.nowMs = event.atMs;
    this.eventCount++;
    this.trace.addNumber(event.atMs);
    try {
      event.fire();
    } catch (error) {
      if (!(error instanceof NodeExit)) this.fail('uncaught error', String(error));
    }
    drainPromiseJobs();
    for (const { name, judge } of this.#judges) {
      const message = judge();
      if (message !== null) this.fail(name, message);
    }
  }
}

function nothing(): void {}
