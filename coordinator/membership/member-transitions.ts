/**
 * All transitions of a worker's membership, in one table: `docs/states.md` prints it, and a test holds the
 * step function to it in both directions. Events that change neither state nor are answered are left out.
 *
 * Before: coordinator/membership/member-state.ts.
 */
import type { MemberEvent, MemberState } from './member-state.ts';

export interface MemberTransition {
  readonly from: MemberState['kind'];
  readonly on: MemberEvent['kind'];
  readonly to: MemberState['kind'];
  readonly effect: string;
  readonly when: string;
}

type Row = readonly [MemberTransition['to'], string, string];
type Rows = Partial<Record<MemberEvent['kind'], readonly Row[]>>;

const fenced = 'of a life that nobody knows any more: it ends its tasks and registers';

const rowsOf: Readonly<Record<MemberState['kind'], Rows>> = {
  unknown: {
    register: [['alive', 'registered', 'incarnation 1']],
    heartbeat: [['unknown', 'fenced', fenced]],
  },
  alive: {
    register: [
      ['alive', 'registered', 'the same life, on a new connection'],
      ['alive', 'refused', 'another worker of that name is alive'],
    ],
    heartbeat: [
      ['alive', 'answered', 'the lease counts anew'],
      ['alive', 'fenced', fenced],
    ],
    disconnected: [['suspect', 'suspected', 'its connection has ended']],
    leave: [['left', 'left', 'it has handed its slots back']],
    tick: [['suspect', 'suspected', 'silent for longer than its rhythm explains']],
  },
  suspect: {
    register: [
      ['alive', 'trusted, registered', 'the same life is back'],
      ['alive', 'lost, registered', 'another life takes the name over, incarnation + 1'],
    ],
    heartbeat: [
      ['alive', 'trusted, answered', ''],
      ['suspect', 'fenced', fenced],
    ],
    disconnected: [['suspect', 'suspected', 'silent before, and now its connection has ended']],
    leave: [['left', 'left', '']],
    tick: [['lost', 'lost', 'not back in time after its connection ended, or silent for too long']],
  },
  lost: {
    register: [['alive', 'registered', 'incarnation + 1']],
    heartbeat: [['lost', 'fenced', fenced]],
  },
  left: {
    register: [['alive', 'registered', 'incarnation + 1']],
    heartbeat: [['left', 'fenced', fenced]],
  },
};

export const memberTransitions: readonly MemberTransition[] = Object.entries(rowsOf).flatMap(
  ([from, rows]) =>
    Object.entries(rows).flatMap(([on, list]) =>
      list.map(([to, effect, when]) => ({
        from: from as MemberTransition['from'],
        on: on as MemberTransition['on'],
        ...{ to, effect, when },
      })),
    ),
);
