/** Goal: who is silent is noticed in time, who is not never is, and no message of a life that is over does anything. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DatanodeEffect,
  type DatanodeEvent,
  type DatanodeState,
  stepDatanode,
} from '../../../../dfs/namenode/blocks/datanode-state.ts';
import { datanodeTimes } from '../../../../dfs/protocol/datanode-protocol.ts';
import { locationOf } from '../../../support/writer-scene.ts';

const { datanode } = locationOf('a');
const storage = (storageId: string, isFailed = false) => ({
  ...{ storageId, isFailed, capacityBytes: 10, dfsUsedBytes: 1, remainingBytes: 9 },
});
const both = [storage('a-1'), storage('a-2')];
const register = (nowMs: number, session: number): DatanodeEvent => ({
  ...{ kind: 'register', nowMs, session, datanode, storages: both },
});
const heartbeat = (nowMs: number, session: number, storages = both): DatanodeEvent => ({
  ...{ kind: 'heartbeat', nowMs, session, storages, transferCount: 3 },
});
const tick = (nowMs: number, stallMs = 0): DatanodeEvent => ({ kind: 'tick', nowMs, stallMs });

/** The state after all events, and what the last one has brought about. */
function after(...events: readonly DatanodeEvent[]) {
  let state: DatanodeState | null = null;
  let effects: readonly DatanodeEffect[] = [];
  for (const event of events) ({ state, effects } = stepDatanode(state, event, datanodeTimes));
  return { liveness: state?.liveness ?? null, session: state?.session ?? null, effects };
}

const refuse = [{ kind: 'refuse' }];
const forgetAll = [{ kind: 'forgetAll', datanodeId: 'a' }];
const start = register(0, 1);
const dead = [start, tick(12_000)];

test.each`
  what                                  | events                                          | liveness   | session | effects
  ${'registers'}                        | ${[start]}                                      | ${'live'}  | ${1}    | ${[]}
  ${'is silent for less than 5 s'}      | ${[start, tick(4_999)]}                         | ${'live'}  | ${1}    | ${[]}
  ${'is silent for 5 s'}                | ${[start, tick(5_000)]}                         | ${'stale'} | ${1}    | ${[]}
  ${'is heard again'}                   | ${[start, tick(5_000), heartbeat(6_000, 1)]}    | ${'live'}  | ${1}    | ${[]}
  ${'is silent for 12 s'}               | ${dead}                                         | ${'dead'}  | ${1}    | ${forgetAll}
  ${'is silent for longer'}             | ${[...dead, tick(13_000)]}                      | ${'dead'}  | ${1}    | ${[]}
  ${'speaks after it was given up'}     | ${[...dead, heartbeat(12_001, 1)]}              | ${'dead'}  | ${1}    | ${refuse}
  ${'comes back'}                       | ${[...dead, register(12_001, 2)]}               | ${'live'}  | ${2}    | ${[]}
  ${'starts again before it is missed'} | ${[start, register(100, 2)]}                    | ${'live'}  | ${2}    | ${forgetAll}
  ${'is heard from a life before'}      | ${[start, register(100, 2), heartbeat(200, 1)]} | ${'live'}  | ${2}    | ${refuse}
  ${'registers late, from before'}      | ${[start, register(100, 3), register(200, 2)]}  | ${'live'}  | ${3}    | ${refuse}
  ${'was never registered'}             | ${[heartbeat(0, 1)]}                            | ${null}    | ${null} | ${refuse}
  ${'is listened to late'}              | ${[start, tick(60_000, 59_000)]}                | ${'live'}  | ${1}    | ${[]}
  ${'is silent beside a stall'}         | ${[start, tick(30_000, 10_000)]}                | ${'dead'}  | ${1}    | ${forgetAll}
`('a datanode that $what is $liveness', ({ events, liveness, session, effects }) => {
  expect(after(...events)).toEqual({ liveness, session, effects });
});

test.each`
  what                 | storages
  ${'fails'}           | ${[storage('a-1'), storage('a-2', true)]}
  ${'is not reported'} | ${[storage('a-1')]}
`('a volume that $what takes its replicas with it, once', ({ storages }) => {
  const lost = after(start, heartbeat(1_000, 1, storages));
  const effect = { kind: 'forgetStorage', datanodeId: 'a', storageId: 'a-2' };
  expect(lost).toMatchObject({ liveness: 'live', effects: [effect] });
  expect(
    after(start, heartbeat(1_000, 1, storages), heartbeat(2_000, 1, storages)).effects,
  ).toEqual([]);
});

test('whenever it is heard: dead within 12 s and a tick of silence, and never before 12 s of it', () => {
  // Ticks every second, some late; heartbeats whenever chance wants them.
  const beat = fc.record({
    gapMs: fc.integer({ min: 1, max: 9_000 }),
    lateMs: fc.constantFrom(0, 0, 700),
  });
  fc.assert(
    fc.property(fc.array(beat, { maxLength: 30 }), (beats) => {
      let state = stepDatanode(null, start, datanodeTimes).state;
      let nowMs = 0;
      let nextTickMs = 1_000;
      /** Silence that this process could have heard. */
      let silentMs = 0;
      for (const { gapMs, lateMs } of beats) {
        const beatMs = nowMs + gapMs;
        while (nextTickMs + lateMs <= beatMs) {
          silentMs += 1_000;
          state = stepDatanode(state, tick(nextTickMs + lateMs, lateMs), datanodeTimes).state;
          const isDead = state?.liveness === 'dead';
          if (silentMs <= datanodeTimes.deadAfterMs - 1_000) expect(isDead).toBe(false);
          if (silentMs >= datanodeTimes.deadAfterMs + 1_000) expect(isDead).toBe(true);
          nextTickMs += 1_000 + lateMs;
        }
        nowMs = beatMs;
        const isHeard = state?.liveness !== 'dead' && gapMs % 3 !== 0;
        if (!isHeard) continue;
        state = stepDatanode(state, heartbeat(nowMs, 1), datanodeTimes).state;
        silentMs = 0;
        expect(state?.liveness).toBe('live');
      }
    }),
    { numRuns: 300 },
  );
});
