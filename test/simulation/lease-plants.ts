/**
 * Wrong parts for the leader lease: each is a mistake that a reader might let pass. The simulation
 * must notice every one, so that its silence about the right parts means something.
 */
import type { Disk } from '../../base/env/disk.ts';
import {
  type LeaseEvent,
  type LeaseState,
  stepLease,
} from '../../coordinator/lease/leader-lease.ts';
import type { LeaseRegister } from '../../coordinator/lease/lease-register.ts';
import type { LeasePlant } from '../../simulation/leader-lease-scenario.ts';

type Step = typeof stepLease;

/** Trust counts from the answer and not from sending. */
const trustFromAnswer: Step = (state, event, config) => {
  const next = stepLease(state, event, config);
  if (event.kind !== 'written' || next.state.kind !== 'leader') return next;
  const trustedUntilMs = event.nowMs + config.durationMs * (1 - config.driftMax);
  return { ...next, state: { ...next.state, trustedUntilMs } };
};

/** A new leadership keeps the token of the one before. */
const tokenNotRaised: Step = (state, event, config) => {
  const next = stepLease(state, event, config);
  if (next.state.kind !== 'candidate' || state.kind !== 'follower') return next;
  const { attempt } = next.state;
  const record = { ...attempt.record, token: Math.max(1, attempt.record.token - 1) };
  const effects = next.effects.map((effect) =>
    effect.kind === 'write' ? { ...effect, record } : effect,
  );
  return { state: { ...next.state, attempt: { ...attempt, record } }, effects };
};

/** A follower waits only nine tenths of the lease. */
const waitsTooShort: Step = (state, event, config) => {
  const next = stepLease(state, event, config);
  if (next.state.kind !== 'follower' || event.kind !== 'readDone') return next;
  const { observed } = next.state;
  const isNew = observed !== null && observed.sinceMs === event.nowMs;
  if (!isNew) return next;
  const sinceMs = observed.sinceMs - config.durationMs / 10;
  return { ...next, state: { ...next.state, observed: { ...observed, sinceMs } } };
};

/** The wait is not started anew when the record has changed. */
const waitsOnOldRecord: Step = (state, event, config) => {
  const next = stepLease(state, event, config);
  const before = state.kind === 'follower' ? state.observed : null;
  if (next.state.kind !== 'follower' || next.state.observed === null || before === null)
    return next;
  const observed = { ...next.state.observed, sinceMs: before.sinceMs };
  return { ...next, state: { ...next.state, observed } };
};

/** An unknown outcome of a write counts as success. */
const unknownIsSuccess: Step = (state, event, config) =>
  stepLease(state, asWritten(state, event), config);

function asWritten(state: LeaseState, event: LeaseEvent): LeaseEvent {
  if (event.kind !== 'writeUnknown') return event;
  const attempt = 'attempt' in state ? state.attempt : null;
  const version = (attempt?.expectedVersion ?? 0) + 1;
  return { kind: 'written', nowMs: event.nowMs, operation: event.operation, version };
}

/** A leader goes on although its trust has run out, until an answer tells it otherwise. */
const ignoresExpiry: Step = (state, event, config) => {
  if (state.kind !== 'leader') return stepLease(state, event, config);
  const trusting = { ...state, trustedUntilMs: Number.POSITIVE_INFINITY };
  return stepLease(trusting, event, config);
};

const withoutFsync = (disk: Disk): Disk => without(disk, { fsync: async () => {} });
const withoutSyncDir = (disk: Disk): Disk => without(disk, { syncDir: async () => {} });

/** The disk as a prototype keeps its own methods, whatever class it is. */
function without(disk: Disk, replaced: Partial<Disk>): Disk {
  return new Proxy(disk, {
    get(target, name) {
      const own = replaced[name as keyof Disk];
      const method = own ?? target[name as keyof Disk];
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

/** Swaps whatever the version is. */
const blindSwap = (register: LeaseRegister): LeaseRegister => ({
  read: () => register.read(),
  async compareAndSwap(_expectedVersion, record) {
    const { version } = await register.read();
    return await register.compareAndSwap(version, record);
  },
});

/** Answers before the swap is done. */
const answersEarly = (register: LeaseRegister): LeaseRegister => ({
  read: () => register.read(),
  async compareAndSwap(expectedVersion, record) {
    const { version } = await register.read();
    if (version !== expectedVersion) return { kind: 'conflict' };
    void register.compareAndSwap(expectedVersion, record);
    return { kind: 'ok', version: version + 1 };
  },
});

export const leasePlants: Readonly<Record<string, LeasePlant>> = {
  'no fsync before the rename': { disk: withoutFsync },
  'no sync of the folder after the rename': { disk: withoutSyncDir },
  'answer before the record is durable': { register: answersEarly },
  'swap without looking at the version': { register: blindSwap },
  'no drift margin': { driftMax: 0 },
  'lease counted from the answer': { step: trustFromAnswer },
  'token not raised': { step: tokenNotRaised },
  'takeover without the full wait': { step: waitsTooShort },
  'wait not started anew by a change': { step: waitsOnOldRecord },
  'unknown outcome treated as success': { step: unknownIsSuccess },
  'leader ignores that its trust ran out': { step: ignoresExpiry },
  'writes without a token': { isFenced: false },
};
