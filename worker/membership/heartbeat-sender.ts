/**
 * A worker's heartbeats, carried out: registers, sends one each interval with what its own event loop was
 * late, and keeps the lease that their answers renew. Lives on the supervisor's thread, where neither user
 * code nor data sockets can hold it up.
 *
 * A heartbeat is sent whether or not the one before was answered: one call that hangs must not look like
 * a dead worker. How many may hang is bounded by the deadline of a call.
 * Before: worker/membership/worker-lease.ts.
 */
import type { Env } from '../../base/env/env.ts';
import {
  initialWorkerLease,
  mayRun,
  stepWorkerLease,
  type WorkerLeaseConfig,
  type WorkerLeaseEvent,
  type WorkerLeaseLoss,
  type WorkerLeaseState,
} from './worker-lease.ts';

/** What the coordinator says to a worker. */
export type MembershipAnswer =
  | { readonly kind: 'registered'; readonly incarnation: number }
  | { readonly kind: 'answered' | 'fenced' | 'refused' | 'rejoin' };

/** The calls to the coordinator; each rejects when it has no answer within its deadline. */
export interface MembershipCalls {
  register(instance: string): Promise<MembershipAnswer>;
  heartbeat(incarnation: number, senderDelayMs: number): Promise<MembershipAnswer>;
}

export interface HeartbeatOptions extends WorkerLeaseConfig {
  readonly heartbeatMs: number;
  readonly calls: MembershipCalls;
  /** The life has begun: tasks may come. */
  readonly onJoined: (incarnation: number) => void;
  /** The life is over: all its tasks have to end now. */
  readonly onEnded: (incarnation: number, reason: WorkerLeaseLoss) => void;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepWorkerLease */
  readonly step?: typeof stepWorkerLease;
}

type EventBody = WorkerLeaseEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'nowMs'>
    : never
  : never;
type SenderEnv = Pick<Env, 'clock' | 'timers' | 'secrets' | 'observe'>;

export class HeartbeatSender {
  readonly #env: SenderEnv;
  readonly #options: HeartbeatOptions;
  readonly #stopBeats: () => void;
  #cancelEnd: () => void = () => undefined;
  #state: WorkerLeaseState = initialWorkerLease;
  /** Of this life; a life that ended registers under another one. */
  #instance: string;
  #isRegistering = false;
  #beatAtMs: number;

  constructor(env: SenderEnv, options: HeartbeatOptions) {
    this.#env = env;
    this.#options = options;
    this.#instance = env.secrets.hex(8);
    this.#beatAtMs = env.clock.mono();
    this.#stopBeats = env.timers.every(options.heartbeatMs, () => this.#beat());
    void this.#register();
  }

  /** The life whose tasks may run now; 0 while there is none. */
  incarnation(): number {
    const state = this.#state;
    return state.kind === 'member' && mayRun(state, this.#env.clock.mono()) ? state.incarnation : 0;
  }

  stop(): void {
    this.#cancelEnd();
    this.#stopBeats();
  }

  #beat(): void {
    const nowMs = this.#env.clock.mono();
    const delayMs = Math.max(0, nowMs - this.#beatAtMs - this.#options.heartbeatMs);
    this.#beatAtMs = nowMs;
    this.#take({ kind: 'tick' });
    if (this.#state.kind === 'outside') void this.#register();
    else void this.#send(this.#state.incarnation, delayMs);
  }

  async #register(): Promise<void> {
    if (this.#isRegistering) return;
    this.#isRegistering = true;
    const sentAtMs = this.#env.clock.mono();
    try {
      const answer = await this.#options.calls.register(this.#instance);
      if (answer.kind === 'registered') {
        this.#take({ kind: 'registered', incarnation: answer.incarnation, sentAtMs });
      } else {
        this.#env.observe.event('membership.not-registered', { answer: answer.kind });
      }
    } catch (error) {
      this.#env.observe.event('membership.register-failed', { error: String(error) });
    }
    this.#isRegistering = false; // The next beat asks again, if need be.
  }

  async #send(incarnation: number, senderDelayMs: number): Promise<void> {
    const sentAtMs = this.#env.clock.mono();
    try {
      const { kind } = await this.#options.calls.heartbeat(incarnation, senderDelayMs);
      if (kind === 'answered') this.#take({ kind, incarnation, sentAtMs });
      if (kind === 'fenced') this.#take({ kind, incarnation });
      // Another coordinator leads, and knows this life from the log only.
      if (kind === 'rejoin') void this.#register();
    } catch (error) {
      this.#env.observe.event('membership.heartbeat-failed', { error: String(error) });
    }
  }

  #take(body: EventBody): void {
    const event = { ...body, nowMs: this.#env.clock.mono() } as WorkerLeaseEvent;
    const { step = stepWorkerLease, onJoined, onEnded } = this.#options;
    const before = this.#state;
    const { state, effects } = step(before, event, this.#options);
    this.#state = state;
    this.#armEnd(before);
    for (const effect of effects) {
      if (effect.kind !== 'endTasks') continue;
      this.#env.observe.event('membership.ended', { ...effect });
      onEnded(effect.incarnation, effect.reason);
    }
    // The coordinator must not take the next life for this one, whose tasks have ended.
    const hasEnded = before.kind === 'member' && state.kind === 'outside';
    if (hasEnded) this.#instance = this.#env.secrets.hex(8);
    const joined = state.kind === 'member' ? state.incarnation : 0;
    const known = before.kind === 'member' ? before.incarnation : 0;
    if (joined > 0 && joined !== known) onJoined(joined);
  }

  /** Trust ends when it ends, and not at the next heartbeat. */
  #armEnd(before: WorkerLeaseState): void {
    const [old, now] = [before, this.#state].map((state) => {
      return state.kind === 'member' ? state.trustedUntilMs : null;
    });
    if (old === now) return;
    this.#cancelEnd();
    this.#cancelEnd = () => undefined;
    if (now === null || now === undefined) return;
    // A timer may be early by less than a millisecond.
    const leftMs = Math.max(0, now - this.#env.clock.mono()) + 1;
    this.#cancelEnd = this.#env.timers.after(leftMs, () => this.#take({ kind: 'tick' }));
  }
}
