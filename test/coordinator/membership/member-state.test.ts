/**
 * Goal: a worker whose heartbeats come in time is never lost, one that is silent always is within a bound,
 * a process that was stopped itself blames nobody, and a life that was given up never comes back.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  defaultMembershipConfig as config,
  type MemberEffect,
  type MemberEvent,
  type MemberState,
  restoredMember,
  stepMember,
  unknownMember,
} from '../../../coordinator/membership/member-state.ts';

type Body = MemberEvent extends infer E ? (E extends unknown ? Omit<E, 'nowMs'> : never) : never;
type Line = readonly [nowMs: number, body: Body];

const register = (instance = 'a', connection = 1): Body => ({
  kind: 'register',
  instance,
  connection,
});
const heartbeat = (incarnation = 1, senderDelayMs = 0): Body => ({
  ...{ kind: 'heartbeat', incarnation, connection: 1, senderDelayMs },
});
const tick = (stallMs = 0): Body => ({ kind: 'tick', stallMs });
const reset = (connection = 1): Body => ({ kind: 'disconnected', connection });
const leave = (incarnation = 1): Body => ({ kind: 'leave', incarnation });

function run(lines: readonly Line[], from: MemberState = unknownMember) {
  let state = from;
  const effects: MemberEffect[] = [];
  for (const [nowMs, body] of lines) {
    const step = stepMember(state, { ...body, nowMs } as MemberEvent, config);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects, text: effects.map(textOf).join(' ') };
}

function textOf(effect: MemberEffect): string {
  const { kind } = effect;
  if (kind === 'registered') return `${kind}:${effect.incarnation}${effect.isNew ? '' : '='}`;
  if (kind === 'suspected') return `${kind}:${effect.cause}`;
  if (kind === 'lost') return `${kind}:${effect.incarnation}:${effect.reason}`;
  return kind;
}

const steady: Line[] = Array.from({ length: 100 }, (_, index) => [500 * (index + 1), heartbeat()]);
const alive: Line[] = [[0, register()], ...steady];

test.each`
  what                                   | lines                                                                                              | effects
  ${'the first registration'}            | ${[[0, register()]]}                                                                               | ${'registered:1'}
  ${'a heartbeat of nobody'}             | ${[[0, heartbeat()]]}                                                                              | ${'fenced'}
  ${'the same life again'}               | ${[[0, register()], [9, register('a', 2)]]}                                                        | ${'registered:1 registered:1='}
  ${'a second worker of the name'}       | ${[[0, register()], [9, register('b', 2)]]}                                                        | ${'registered:1 refused'}
  ${'the end of an old connection'}      | ${[[0, register()], [9, register('a', 2)], [10, reset(1)]]}                                        | ${'registered:1 registered:1='}
  ${'a reset, and back'}                 | ${[[0, register()], [9, reset()], [99, heartbeat()]]}                                              | ${'registered:1 suspected:disconnected trusted answered'}
  ${'a reset, and registered again'}     | ${[[0, register()], [9, reset()], [99, register('a', 2)]]}                                         | ${'registered:1 suspected:disconnected trusted registered:1='}
  ${'a reset, not back just in time'}    | ${[[0, register()], [9, reset()], [2_008, tick()]]}                                                | ${'registered:1 suspected:disconnected'}
  ${'a reset, not back'}                 | ${[[0, register()], [9, reset()], [2_009, tick()]]}                                                | ${'registered:1 suspected:disconnected lost:1:disconnected'}
  ${'a reset, this process stopped'}     | ${[[0, register()], [9, reset()], [2_009, tick(1_000)]]}                                           | ${'registered:1 suspected:disconnected'}
  ${'a reset, and started anew'}         | ${[[0, register()], [9, reset()], [99, register('b', 2)]]}                                         | ${'registered:1 suspected:disconnected lost:1:replaced registered:2'}
  ${'a lost life speaks'}                | ${[[0, register()], [9, reset()], [2_009, tick()], [2_100, heartbeat()]]}                          | ${'registered:1 suspected:disconnected lost:1:disconnected fenced'}
  ${'a lost life registers'}             | ${[[0, register()], [9, reset()], [2_009, tick()], [2_100, register()]]}                           | ${'registered:1 suspected:disconnected lost:1:disconnected registered:2'}
  ${'an old life speaks beside the new'} | ${[[0, register()], [9, leave()], [10, register('b', 2)], [11, heartbeat(1)], [12, heartbeat(2)]]} | ${'registered:1 left registered:2 fenced answered'}
  ${'an old life leaves beside the new'} | ${[[0, register()], [9, leave()], [10, register('b', 2)], [11, leave(1)]]}                         | ${'registered:1 left registered:2'}
  ${'a calm worker, one interval late'}  | ${[[0, register()], [500, heartbeat()], [1_499, tick()]]}                                          | ${'registered:1 answered'}
  ${'silence before any rhythm'}         | ${[[0, register()], [1_500, tick()], [3_999, tick()], [4_000, tick()]]}                            | ${'registered:1 suspected:silent lost:1:silent'}
  ${'silence, then a heartbeat'}         | ${[[0, register()], [1_500, tick()], [3_000, heartbeat()]]}                                        | ${'registered:1 suspected:silent trusted answered'}
  ${'silence of a late sender'}          | ${[[0, register()], [500, heartbeat(1, 2_000)], [3_000, tick()]]}                                  | ${'registered:1 answered'}
  ${'silence of a sender for too long'}  | ${[[0, register()], [500, heartbeat(1, 9e9)], [5_000, tick()], [8_500, tick()]]}                   | ${'registered:1 answered suspected:silent lost:1:silent'}
  ${'this process was stopped for 60 s'} | ${[[0, register()], [500, heartbeat()], [60_500, tick(59_500)]]}                                   | ${'registered:1 answered'}
`('$what', ({ lines, effects }) => {
  expect(run(lines).text).toBe(effects);
});

test('an end of the connection names it, whatever it was suspected of', () => {
  const { state, text } = run([...alive, [51_500, tick()], [51_600, reset()], [53_600, tick()]]);
  expect(text).toMatch(/suspected:silent suspected:disconnected lost:1:disconnected$/);
  // The lease counts from the last heartbeat, and from the slowest clock.
  expect(state).toMatchObject({ kind: 'lost', mayRunUntilMs: 50_000 + 120_000 * 1.01 });
});

describe('a worker that the log knows of', () => {
  const restored = () => restoredMember({ instance: 'a', incarnation: 7 }, 0, config);

  test.each`
    what                  | lines                          | effects
    ${'comes back'}       | ${[[3_000, register('a', 4)]]} | ${'trusted registered:7='}
    ${'is heard'}         | ${[[3_000, heartbeat(7)]]}     | ${'trusted answered'}
    ${'was started anew'} | ${[[3_000, register('b', 4)]]} | ${'lost:7:replaced registered:8'}
    ${'has time'}         | ${[[7_999, tick()]]}           | ${''}
    ${'does not come'}    | ${[[8_000, tick()]]}           | ${'lost:7:silent'}
  `('$what', ({ lines, effects }) => {
    expect(run(lines, restored()).text).toBe(effects);
  });
});

test('never lost while no silence reaches the least one, whatever the rhythm and the delays', () => {
  const gap = fc.integer({ min: 0, max: config.lostMsMin - config.heartbeatMs });
  fc.assert(
    fc.property(fc.array(fc.tuple(gap, fc.integer({ min: 0, max: 5_000 }))), (gaps) => {
      let nowMs = 0;
      const lines: Line[] = [[0, register()]];
      for (const [gapMs, senderDelayMs] of gaps) {
        for (let atMs = 250; atMs < gapMs; atMs += 250) lines.push([nowMs + atMs, tick()]);
        nowMs += gapMs;
        lines.push([nowMs, heartbeat(1, senderDelayMs)]);
      }
      expect(run(lines).text).not.toContain('lost');
    }),
  );
});

test('always lost within the bound after the last heartbeat, whatever came before', () => {
  const event = fc.tuple(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 0, max: 60_000 }));
  fc.assert(
    fc.property(fc.array(event), (events) => {
      let nowMs = 0;
      const lines: Line[] = [[0, register()]];
      for (const [gapMs, senderDelayMs] of events) {
        nowMs += gapMs;
        lines.push([nowMs, heartbeat(1, senderDelayMs)]);
      }
      for (let atMs = 250; atMs <= config.lostMsMax + 500; atMs += 250) {
        lines.push([nowMs + atMs, tick()]);
      }
      expect(run(lines).state.kind).toBe('lost');
    }),
  );
});

test('what this process was stopped for is no silence, however it is cut into ticks', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 20 }), (stalls) => {
      let nowMs = 50_000;
      const lines = [...alive];
      for (const stallMs of stalls) {
        nowMs += stallMs + 10;
        lines.push([nowMs, tick(stallMs)]);
      }
      expect(run(lines).state.kind).toBe('alive');
    }),
  );
});
