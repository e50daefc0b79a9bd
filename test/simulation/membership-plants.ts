/** Wrong parts for membership: each is a mistake that a reader might let pass, and the simulation must notice it. */
import { stepMember } from '../../coordinator/membership/member-state.ts';
import type { MembershipPlant } from '../../simulation/membership-scenario.ts';
import { stepWorkerLease } from '../../worker/membership/worker-lease.ts';

type Step = typeof stepMember;
type WorkerStep = typeof stepWorkerLease;

/** What this process was stopped for counts as silence of others. */
const stallsCount: Step = (state, event, config) =>
  stepMember(state, event.kind === 'tick' ? { ...event, stallMs: 0 } : event, config);

/** Lost as soon as it is unlikely, without a least silence. */
const noLeastSilence: Step = (state, event, config) =>
  stepMember(state, event, { ...config, lostMsMin: 0, lostPhi: 1 });

/** A sender that says that it was late is waited for without a bound. */
const noBound: Step = (state, event, config) =>
  stepMember(state, event, { ...config, lostMsMax: 1e9, lostPhi: 1e9 });

/** A heartbeat of any life will do. */
const anyLife: Step = (state, event, config) => {
  const isHeartbeat = event.kind === 'heartbeat' && 'incarnation' in state;
  return stepMember(
    state,
    isHeartbeat ? { ...event, incarnation: state.incarnation } : event,
    config,
  );
};

/** The lease is said to end when the last heartbeat was sent, so before the worker's own ends. */
const leaseFromSending: Step = (state, event, config) =>
  stepMember(state, event, { ...config, leaseMs: config.leaseMs * 0.9 });

/** The next life has the number of the one before. */
const sameNumber: Step = (state, event, config) => {
  const next = stepMember(state, event, config);
  if (event.kind !== 'register' || next.state.kind !== 'alive') return next;
  return { ...next, state: { ...next.state, incarnation: 1 } };
};

/** Trust counts from the answer and not from sending. */
const trustFromAnswer: WorkerStep = (state, event, config) =>
  stepWorkerLease(state, 'sentAtMs' in event ? { ...event, sentAtMs: event.nowMs } : event, config);

/** The worker's lease has no margin for clocks that differ. */
const noDrift: WorkerStep = (state, event, config) =>
  stepWorkerLease(state, event, { ...config, driftMax: -0.03 });

/** Tasks go on although nobody answers. */
const neverExpires: WorkerStep = (state, event, config) =>
  stepWorkerLease(state, event, { ...config, leaseMs: 1e9 });

/** Tasks go on although the life was given up. */
const ignoresFence: WorkerStep = (state, event, config) =>
  event.kind === 'fenced' ? { state, effects: [] } : stepWorkerLease(state, event, config);

export const membershipPlants: Readonly<Record<string, MembershipPlant>> = {
  'own stalls count as silence': { step: stallsCount },
  'no least silence': { step: noLeastSilence },
  'no bound of silence': { step: noBound },
  'heartbeats of any life count': { step: anyLife },
  'lease counted too short by the coordinator': { step: leaseFromSending },
  'incarnation not raised': { step: sameNumber },
  'trust counted from the answer': { workerStep: trustFromAnswer },
  'no drift margin': { workerStep: noDrift },
  'lease that never ends': { workerStep: neverExpires },
  'fence ignored': { workerStep: ignoresFence },
};
