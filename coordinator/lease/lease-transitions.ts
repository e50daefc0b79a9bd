/**
 * All transitions of the leader lease, in one table: `docs/states.md` prints it, and a test holds
 * the step function to it in both directions (nothing else happens, and each row does).
 *
 * Before: coordinator/lease/leader-lease.ts.
 */
import type { LeaseEvent, LeaseState } from './leader-lease.ts';

export interface LeaseTransition {
  readonly from: LeaseState['kind'];
  readonly on: LeaseEvent['kind'];
  readonly to: LeaseState['kind'];
  readonly when: string;
  readonly effect: '' | 'read' | 'write' | 'gained' | 'lost' | 'lost, write';
}

type Row = readonly [LeaseTransition['to'], LeaseTransition['effect'], string];
type Rows = Partial<Record<LeaseEvent['kind'], readonly Row[]>>;

const rowsOf: Readonly<Record<Exclude<LeaseState['kind'], 'stopped'>, Rows>> = {
  follower: {
    wake: [
      ['follower', 'read', 'time to look at the register'],
      ['candidate', 'write', 'the record did not change for a full lease and margin'],
    ],
    readDone: [
      ['follower', '', 'somebody may still trust the record'],
      ['candidate', 'write', 'no record, released, our own, or unchanged for long enough'],
    ],
    readFailed: [['follower', '', 'try again later']],
    stop: [['stopped', '', '']],
  },
  candidate: {
    wake: [['candidate', 'read', 'the outcome is still unknown']],
    written: [
      ['leader', 'gained', 'the record arrived in time'],
      ['follower', '', 'the answer took longer than the lease lasts'],
    ],
    conflict: [['follower', '', 'another write was first']],
    writeFailed: [['follower', '', 'try again later']],
    writeUnknown: [['candidate', 'read', 'never assume: look']],
    readDone: [
      ['leader', 'gained', 'the record is ours and still fresh'],
      ['follower', '', 'the record is not ours, or too old to trust'],
      ['candidate', 'write', 'nothing was written, and nobody has to be waited for'],
    ],
    readFailed: [
      ['candidate', '', 'try again later'],
      ['follower', '', 'too late to trust the write even if it arrived'],
    ],
    stop: [['stopped', '', '']],
  },
  leader: {
    wake: [
      ['leader', 'write', 'time to renew'],
      ['leader', 'read', 'in doubt about the last renewal'],
      ['follower', 'lost', 'trust has run out'],
    ],
    written: [
      ['leader', '', 'renewed; trust counts from sending'],
      ['follower', 'lost', 'trust has run out'],
    ],
    conflict: [
      ['leader', 'read', 'perhaps an earlier renewal of our own'],
      ['follower', 'lost', 'trust has run out'],
    ],
    writeFailed: [
      ['leader', '', 'try again later'],
      ['follower', 'lost', 'trust has run out'],
    ],
    writeUnknown: [
      ['leader', 'read', 'never assume: look'],
      ['follower', 'lost', 'trust has run out'],
    ],
    readDone: [
      ['leader', '', 'the record is ours'],
      ['follower', 'lost', 'trust has run out, or the record is not ours'],
    ],
    readFailed: [
      ['leader', '', 'try again later'],
      ['follower', 'lost', 'trust has run out'],
    ],
    stop: [
      ['stopped', 'lost, write', 'gives the lease back'],
      ['stopped', 'lost', 'the version of the register is in doubt'],
    ],
  },
};

export const leaseTransitions: readonly LeaseTransition[] = Object.entries(rowsOf).flatMap(
  ([from, rows]) =>
    Object.entries(rows).flatMap(([on, list]) =>
      list.map(([to, effect, when]) => ({
        from: from as LeaseTransition['from'],
        on: on as LeaseTransition['on'],
        to,
        effect,
        when,
      })),
    ),
);
