/**
 * Slots for jobs, carried out: what the job queue's rules decide becomes calls to supervisors, and their answers
 * become its events.
 *
 *     acquire ─▶ waits ─▶ reserve ─▶ confirm ─▶ all of it is there       release ─▶ told until it was heard
 *
 * A release is repeated until it is answered or the worker's life is over: what nobody gives back nobody else gets.
 *
 * Before: coordinator/scheduler/job-queue.ts. After: coordinator/cluster/cluster-jobs.ts.
 */
import { assertNever } from '../../base/assert.ts';
import type { Env } from '../../base/env/env.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import type { OfSlots, ReserveRequest, SlotsAnswer } from '../protocol/members.ts';
import {
  type QueueContext,
  type QueueEffect,
  type QueueEvent,
  stepQueue,
} from '../scheduler/job-queue.ts';
import { textOfReason, type WaitReason, waitReasonOf } from '../scheduler/queue-reasons.ts';
import {
  emptyQueue,
  type QueuedJob,
  type QueueState,
  type SlotPlacement,
} from '../scheduler/queue-state.ts';

/** How to reach supervisors; each call has a deadline. */
export interface SlotCalls {
  reserve(request: ReserveRequest): Promise<SlotsAnswer>;
  confirm(request: OfSlots): Promise<SlotsAnswer>;
  release(request: OfSlots): Promise<SlotsAnswer>;
}

export interface SlotQueueOptions {
  readonly calls: SlotCalls;
  /** How long the workers of one try have to answer. @defaultValue 5,000 */
  readonly tryMs?: number;
  /** How long a worker that has refused is left alone. @defaultValue 1,000 */
  readonly avoidMs?: number;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepQueue */
  readonly step?: typeof stepQueue;
}

/** Slots that somebody has, until they are released by their key. */
export interface Holding {
  readonly key: string;
  readonly placement: SlotPlacement;
}

interface Waiting {
  readonly resolve: (holding: Holding) => void;
  readonly reject: (error: Error) => void;
}

const tickMs = 250;
const releaseAgainMs = 1_000;

type QueueEnv = Pick<Env, 'clock' | 'timers' | 'rng' | 'observe'>;
type BodyOf<K extends QueueEvent['kind']> = Omit<Extract<QueueEvent, { kind: K }>, 'kind'>;

export class SlotQueue {
  readonly #env: QueueEnv;
  readonly #options: SlotQueueOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #draw;
  readonly #stopTicks: () => void;
  #state: QueueState = emptyQueue;
  #isClosed = false;

  constructor(env: QueueEnv, options: SlotQueueOptions) {
    this.#env = env;
    this.#options = options;
    this.#draw = env.rng.stream('slot-queue');
    this.#stopTicks = env.timers.every(tickMs, () => this.#take({ kind: 'tick' }));
  }

  get state(): QueueState {
    return this.#state;
  }

  workerJoined(worker: BodyOf<'workerJoined'>): void {
    this.#take({ kind: 'workerJoined', ...worker });
  }

  workerTrusted(workerId: string, isTrusted: boolean): void {
    this.#take({ kind: 'workerTrusted', workerId, isTrusted });
  }

  workerLoad(workerId: string, load: number): void {
    this.#take({ kind: 'workerLoad', workerId, load });
  }

  workerGone(workerId: string): void {
    this.#take({ kind: 'workerGone', workerId });
  }

  setQuota(quota: BodyOf<'quota'>): void {
    this.#take({ kind: 'quota', ...quota });
  }

  /**
   * Resolves with all the slots of a request; its `jobId` is the key that they are released by.
   * @throws SLOTS_NOT_THERE of one that is to fail fast; SLOTS_RELEASED when it was released meanwhile
   */
  acquire(job: QueuedJob): Promise<Holding> {
    const { promise, resolve, reject } = Promise.withResolvers<Holding>();
    this.#waiting.set(job.jobId, { resolve, reject });
    this.#take({ kind: 'submit', job });
    return promise;
  }

  /** Gives back what was acquired, or is being waited for. */
  release(key: string): void {
    this.#forget(key)?.reject(releasedError(key));
    this.#take({ kind: 'ended', jobId: key });
  }

  /** Whether somebody here has these slots, or is about to. */
  isHeld({ jobId: key, attempt, workerId }: OfSlots): boolean {
    const held = this.#state.running.get(key) ?? this.#state.reservations.get(key);
    return held?.attempt === attempt && Object.hasOwn(held.placement, workerId);
  }

  /** Why a request waits, null where it does not. */
  reasonOf(key: string): WaitReason | null {
    return waitReasonOf(this.#state, key, this.#env.clock.mono());
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTicks();
    for (const key of this.#waiting.keys()) this.#forget(key)?.reject(releasedError(key));
  }

  #take(event: QueueEvent): void {
    if (this.#isClosed) return;
    const { tryMs = 5_000, avoidMs = 1_000, step = stepQueue } = this.#options;
    const context: QueueContext = {
      ...{ nowMs: this.#env.clock.mono(), tryMs, avoidMs },
      draw: (count) => this.#draw.int(0, count),
    };
    const { state, effects } = step(this.#state, event, context);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: QueueEffect): void {
    switch (effect.kind) {
      case 'reserve':
        void this.#ask(effect, () => this.#options.calls.reserve(effect));
        return;
      case 'confirm':
        void this.#ask(effect, () => this.#options.calls.confirm(effect));
        return;
      case 'release':
        void this.#release(effect);
        return;
      case 'start':
        this.#forget(effect.jobId)?.resolve({ key: effect.jobId, placement: effect.placement });
        return;
      case 'refuse':
        this.#forget(effect.jobId)?.reject(notThereError(effect.reason));
        return;
      default:
        assertNever(effect);
    }
  }

  #forget(key: string): Waiting | undefined {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    return waiting;
  }

  /** Who does not answer has not granted; whatever it did comes back by itself. */
  async #ask(
    { kind, jobId, attempt, workerId }: OfSlots & { readonly kind: string },
    call: () => Promise<SlotsAnswer>,
  ): Promise<void> {
    const { answer } = await call().catch((error: unknown): SlotsAnswer => {
      this.#env.observe.event('slots.no-answer', { kind, workerId, code: codeOf(error) });
      return { answer: 'refused' };
    });
    if (answer === 'released') return;
    this.#take({ kind: answer, jobId, attempt, workerId });
  }

  async #release(request: OfSlots): Promise<void> {
    while (this.#isThere(request)) {
      try {
        await this.#options.calls.release(request);
        return;
      } catch (error) {
        const { workerId } = request;
        this.#env.observe.event('slots.release-repeated', { workerId, code: codeOf(error) });
        await this.#env.timers.sleep(releaseAgainMs);
      }
    }
  }

  #isThere({ workerId, incarnation }: OfSlots): boolean {
    return this.#state.workers.get(workerId)?.incarnation === incarnation && !this.#isClosed;
  }
}

function releasedError(key: string) {
  return typedError('SLOTS_RELEASED', `the slots of "${key}" are not wanted any more`, {
    hint: 'The job was ended while it waited.',
  });
}

function notThereError(reason: WaitReason) {
  return typedError('SLOTS_NOT_THERE', `the job can't have its slots: ${textOfReason(reason)}`, {
    hint: 'Start more workers, ask for less --parallelism, or leave out --fail-fast to have it wait.',
  });
}
