/**
 * Who is there, carried out: a member state per worker, stepped by what workers say and by a tick. The tick
 * measures how late it came itself, for what this process could not hear is no silence of others.
 *
 * Transport-neutral: whoever serves the calls of workers numbers their connections and says when one ends.
 * Before: coordinator/membership/member-state.ts. After: coordinator/scheduler/job-queue.ts.
 */
import type { Env } from '../../base/env/env.ts';
import {
  defaultMembershipConfig,
  isPlaceable,
  type MemberEffect,
  type MemberEvent,
  type MemberState,
  type MembershipConfig,
  restoredMember,
  stepMember,
  unknownMember,
} from './member-state.ts';

export interface MembershipOptions {
  readonly config?: Partial<MembershipConfig>;
  /** What is no answer to a worker: suspected, trusted, lost, left; called after the state has changed. */
  readonly onChange: (workerId: string, change: MemberChange) => void;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepMember */
  readonly step?: typeof stepMember;
}

type AnswerKind = 'registered' | 'refused' | 'answered' | 'fenced';
export type MemberAnswer = Extract<MemberEffect, { kind: AnswerKind }>;
export type MemberChange = Exclude<MemberEffect, { kind: AnswerKind }>;

type Body<E> = E extends unknown ? Omit<E, 'nowMs'> : never;
type EventBody = Body<MemberEvent>;
type BodyOf<K extends EventBody['kind']> = Omit<Extract<EventBody, { kind: K }>, 'kind'>;

export class MembershipKeeper {
  readonly config: MembershipConfig;
  readonly #env: Pick<Env, 'clock' | 'timers' | 'observe'>;
  readonly #options: MembershipOptions;
  readonly #members = new Map<string, MemberState>();
  readonly #stopTicks: () => void;
  #tickedAtMs: number;

  constructor(env: Pick<Env, 'clock' | 'timers' | 'observe'>, options: MembershipOptions) {
    this.#env = env;
    this.#options = options;
    this.config = { ...defaultMembershipConfig, ...options.config };
    this.#tickedAtMs = env.clock.mono();
    this.#stopTicks = env.timers.every(this.#tickMs, () => this.#tick());
  }

  /** Takes over what the metadata log knows; such a worker is suspect until it speaks. */
  restore(
    workerId: string,
    life: { readonly instance: string; readonly incarnation: number },
  ): void {
    this.#members.set(workerId, restoredMember(life, this.#env.clock.mono(), this.config));
  }

  /** A life that the metadata log knows to be over: the next one has a greater number. */
  restoreEnded(workerId: string, incarnation: number): void {
    this.#members.set(workerId, { kind: 'left', incarnation });
  }

  register(workerId: string, event: BodyOf<'register'>): MemberAnswer {
    return this.#ask(workerId, { kind: 'register', ...event });
  }

  heartbeat(workerId: string, event: BodyOf<'heartbeat'>): MemberAnswer {
    return this.#ask(workerId, { kind: 'heartbeat', ...event });
  }

  leave(workerId: string, incarnation: number): void {
    this.#take(workerId, { kind: 'leave', incarnation });
  }

  /** A connection has ended, whoever spoke on it. */
  disconnected(connection: number): void {
    for (const workerId of this.#members.keys()) {
      this.#take(workerId, { kind: 'disconnected', connection });
    }
  }

  stateOf(workerId: string): MemberState {
    return this.#members.get(workerId) ?? unknownMember;
  }

  /** Workers that new tasks may go to, by name. */
  placeable(): string[] {
    const found = [...this.#members].filter(([, state]) => isPlaceable(state));
    return found.map(([workerId]) => workerId).sort();
  }

  stop(): void {
    this.#stopTicks();
  }

  get #tickMs(): number {
    return this.config.heartbeatMs / 2;
  }

  #tick(): void {
    const nowMs = this.#env.clock.mono();
    const stallMs = Math.max(0, nowMs - this.#tickedAtMs - this.#tickMs);
    this.#tickedAtMs = nowMs;
    for (const workerId of this.#members.keys()) this.#take(workerId, { kind: 'tick', stallMs });
  }

  #ask(workerId: string, body: EventBody): MemberAnswer {
    return this.#take(workerId, body) ?? { kind: 'fenced' };
  }

  #take(workerId: string, body: EventBody): MemberAnswer | null {
    const event = { ...body, nowMs: this.#env.clock.mono() } as MemberEvent;
    const { step = stepMember } = this.#options;
    const { state, effects } = step(this.stateOf(workerId), event, this.config);
    // Who asks in the name of a worker that nobody knows is told so, and not remembered.
    if (state.kind !== 'unknown') this.#members.set(workerId, state);
    let answer: MemberAnswer | null = null;
    for (const effect of effects) {
      if (isAnswer(effect)) answer = effect;
      else this.#tell(workerId, effect);
    }
    return answer;
  }

  #tell(workerId: string, change: MemberChange): void {
    const why = 'reason' in change ? change.reason : 'cause' in change ? change.cause : '';
    this.#env.observe.event(`membership.${change.kind}`, { workerId, why });
    this.#options.onChange(workerId, change);
  }
}

function isAnswer(effect: MemberEffect): effect is MemberAnswer {
  switch (effect.kind) {
    case 'registered':
    case 'refused':
    case 'answered':
    case 'fenced':
      return true;
    default:
      return false;
  }
}
