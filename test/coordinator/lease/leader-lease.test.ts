/** Goal: each rule of the lease holds at its edges; the table of transitions is tested beside. */
import { expect, test } from 'vitest';
import {
  initialLeaseState,
  isLeading,
  type LeaseConfig,
  type LeaseEvent,
  type LeaseState,
  stepLease,
  wakeAtOf,
} from '../../../coordinator/lease/leader-lease.ts';
import type { LeaseRecord } from '../../../coordinator/lease/lease-register.ts';

const config: LeaseConfig = {
  nodeId: 'a',
  instance: 'a-2',
  durationMs: 1_000,
  driftMax: 0.01,
  renewMs: 250,
  pollMs: 125,
};
const foreign: LeaseRecord = {
  holder: 'b',
  instance: 'b-1',
  token: 7,
  renewal: 3,
  durationMs: 1_000,
  isReleased: false,
};

/** Feeds events and keeps the last step; `operation` is filled in. */
class Walk {
  state: LeaseState = initialLeaseState;
  effects: readonly { kind: string }[] = [];

  take(nowMs: number, event: { kind: LeaseEvent['kind'] } & Record<string, unknown>): this {
    const full = { operation: this.state.operation, nowMs, ...event } as LeaseEvent;
    ({ state: this.state, effects: this.effects } = stepLease(this.state, full, config));
    return this;
  }

  read(nowMs: number, version: number, record: LeaseRecord | null): this {
    this.take(nowMs, { kind: 'wake' });
    return this.take(nowMs, { kind: 'readDone', snapshot: { version, record } });
  }

  get record(): LeaseRecord | undefined {
    const effect = this.effects.find(({ kind }) => kind === 'write');
    return (effect as { record?: LeaseRecord } | undefined)?.record;
  }
}

const leaderAt0 = (): Walk => new Walk().read(0, 0, null).take(10, { kind: 'written', version: 1 });

test('an empty register is taken at once, with token 1', () => {
  const walk = new Walk().read(0, 0, null);
  expect(walk.state.kind).toBe('candidate');
  expect(walk.record).toMatchObject({ holder: 'a', instance: 'a-2', token: 1, renewal: 0 });
});

test('trust counts from sending and ends by the slowest clock', () => {
  const { state } = leaderAt0(); // Sent at 0, answered at 10.
  expect(isLeading(state, 989.9)).toBe(true);
  expect(isLeading(state, 990)).toBe(false);
});

test('an answer that comes after the lease is over makes no leader', () => {
  const walk = new Walk().read(0, 0, null).take(990, { kind: 'written', version: 1 });
  expect(walk.state.kind).toBe('follower');
});

test('a follower takes over only after a full lease and margin of no change', () => {
  const walk = new Walk().read(0, 5, foreign);
  expect(wakeAtOf(walk.state)).toBe(125);
  for (let nowMs = 125; nowMs < 1_010; nowMs += 125) {
    expect(walk.read(nowMs, 5, foreign).state.kind).toBe('follower');
  }
  expect(wakeAtOf(walk.state)).toBe(1_010);
  walk.take(1_009, { kind: 'wake' });
  expect(walk.effects).toEqual([]);
  walk.take(1_010, { kind: 'wake' });
  expect(walk.record).toMatchObject({ token: 8, renewal: 0 });
});

test('a change starts the wait anew, and the record says how long it is', () => {
  const walk = new Walk().read(0, 5, foreign).read(900, 6, { ...foreign, durationMs: 5_000 });
  expect(walk.read(5_900, 6, { ...foreign, durationMs: 5_000 }).state.kind).toBe('follower');
  expect(walk.take(5_950, { kind: 'wake' }).state.kind).toBe('candidate');
});

test('an earlier run of the same node is a stranger; a released record binds nobody', () => {
  const earlier = { ...foreign, holder: 'a', instance: 'a-1' };
  expect(new Walk().read(0, 5, earlier).state.kind).toBe('follower');
  expect(new Walk().read(0, 5, { ...foreign, isReleased: true }).state.kind).toBe('candidate');
  const ownRun = { ...foreign, holder: 'a', instance: 'a-2' };
  expect(new Walk().read(0, 5, ownRun).record).toMatchObject({ token: 8 });
});

test('a renewal keeps the token and extends trust from its sending', () => {
  const walk = leaderAt0().take(250, { kind: 'wake' });
  expect(walk.record).toMatchObject({ token: 1, renewal: 1 });
  walk.take(400, { kind: 'written', version: 2 });
  expect(isLeading(walk.state, 1_239)).toBe(true);
  expect(isLeading(walk.state, 1_240)).toBe(false);
});

test('an unknown renewal extends nothing until a read has shown it', () => {
  const walk = leaderAt0().take(250, { kind: 'wake' });
  const sent = walk.record ?? null;
  walk.take(600, { kind: 'writeUnknown' });
  expect(walk.effects).toEqual([{ kind: 'read', operation: walk.state.operation }]);
  expect(isLeading(walk.state, 990)).toBe(false);
  walk.take(700, { kind: 'readDone', snapshot: { version: 2, record: sent } });
  expect(isLeading(walk.state, 1_239)).toBe(true);
});

test('an unknown renewal that did not arrive is sent again under a new number', () => {
  const walk = leaderAt0();
  const first = walk.state.kind === 'leader' ? walk.state.record : null;
  walk.take(250, { kind: 'wake' }).take(600, { kind: 'writeUnknown' });
  walk.take(610, { kind: 'readDone', snapshot: { version: 1, record: first } });
  expect(isLeading(walk.state, 990)).toBe(false);
  walk.take(610, { kind: 'wake' });
  expect(walk.record).toMatchObject({ token: 1, renewal: 2 });
});

test('a conflict is no end: the late renewal of our own may have been first', () => {
  const walk = leaderAt0().take(250, { kind: 'wake' });
  const late = walk.record ?? null;
  walk.take(260, { kind: 'conflict' });
  walk.take(270, { kind: 'readDone', snapshot: { version: 2, record: late } });
  expect(walk.state).toMatchObject({ kind: 'leader', version: 2, trustedUntilMs: 250 + 990 });
  walk.take(500, { kind: 'wake' }).take(510, { kind: 'conflict' });
  walk.take(520, { kind: 'readDone', snapshot: { version: 3, record: foreign } });
  expect(walk.effects).toEqual([{ kind: 'lost', token: 1, reason: 'replaced' }]);
});

test('once trust has run out the token is dead, even if the renewal arrives later', () => {
  const walk = leaderAt0().take(950, { kind: 'wake' }).take(995, { kind: 'written', version: 2 });
  expect(walk.state.kind).toBe('follower');
  expect(walk.effects).toEqual([{ kind: 'lost', token: 1, reason: 'expired' }]);
});

test('a late answer changes nothing', () => {
  const walk = new Walk().read(0, 0, null);
  const before = walk.state;
  const next = walk.take(5, { kind: 'written', version: 1, operation: before.operation - 1 });
  expect(next.state).toBe(before);
});

test('a leader that stops gives the lease back, unless it is in doubt', () => {
  const stopped = leaderAt0().take(20, { kind: 'stop' });
  expect(stopped.record).toMatchObject({ token: 1, renewal: 1, isReleased: true });
  expect(stopped.state.kind).toBe('stopped');
  expect(stopped.take(30, { kind: 'wake' }).effects).toEqual([]);
  const inDoubt = leaderAt0().take(250, { kind: 'wake' }).take(260, { kind: 'stop' });
  expect(inDoubt.effects).toEqual([{ kind: 'lost', token: 1, reason: 'stopped' }]);
});
