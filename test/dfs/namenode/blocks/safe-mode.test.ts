/** Goal: nothing is done before nearly all blocks are reported, and safe mode ends by itself only when it began so. */
import { expect, test } from 'vitest';
import {
  type SafeModeEvent,
  type SafeModeState,
  stepSafeMode,
} from '../../../../dfs/namenode/blocks/safe-mode.ts';

const limits = { shareMin: 0.999, datanodesMin: 2, settleMs: 100 };
const settling = (sinceMs: number): SafeModeState => ({ kind: 'settling', sinceMs });

/** `999/1000 2dn 50ms`, or the event's name. */
function eventOf(text: string): SafeModeEvent {
  if (text === 'enter' || text === 'leave') return { kind: text };
  const [reportedCount = 0, blockCount = 0, datanodeCount = 0, nowMs = 0] = (
    text.match(/\d+/g) ?? []
  ).map(Number);
  return { kind: 'counted', reportedCount, blockCount, datanodeCount, nowMs };
}

test.each`
  before                 | event                   | after
  ${{ kind: 'waiting' }} | ${'998/1000 3dn 50ms'}  | ${{ kind: 'waiting' }}
  ${{ kind: 'waiting' }} | ${'999/1000 1dn 50ms'}  | ${{ kind: 'waiting' }}
  ${{ kind: 'waiting' }} | ${'999/1000 2dn 50ms'}  | ${settling(50)}
  ${{ kind: 'waiting' }} | ${'0/1 3dn 50ms'}       | ${{ kind: 'waiting' }}
  ${{ kind: 'waiting' }} | ${'1/1 3dn 50ms'}       | ${settling(50)}
  ${{ kind: 'waiting' }} | ${'0/0 1dn 50ms'}       | ${{ kind: 'waiting' }}
  ${{ kind: 'waiting' }} | ${'0/0 2dn 50ms'}       | ${{ kind: 'off' }}
  ${settling(50)}        | ${'999/1000 2dn 149ms'} | ${settling(50)}
  ${settling(50)}        | ${'999/1000 2dn 150ms'} | ${{ kind: 'off' }}
  ${settling(50)}        | ${'998/1000 2dn 150ms'} | ${{ kind: 'waiting' }}
  ${settling(50)}        | ${'999/1000 1dn 150ms'} | ${{ kind: 'waiting' }}
  ${{ kind: 'off' }}     | ${'0/1000 0dn 150ms'}   | ${{ kind: 'off' }}
  ${{ kind: 'off' }}     | ${'enter'}              | ${{ kind: 'manual' }}
  ${settling(50)}        | ${'enter'}              | ${{ kind: 'manual' }}
  ${{ kind: 'manual' }}  | ${'9/9 3dn 999ms'}      | ${{ kind: 'manual' }}
  ${{ kind: 'manual' }}  | ${'leave'}              | ${{ kind: 'off' }}
  ${{ kind: 'waiting' }} | ${'leave'}              | ${{ kind: 'off' }}
`('$before.kind at $event is $after.kind', ({ before, event, after }) => {
  expect(stepSafeMode(before, eventOf(event), limits)).toEqual(after);
});
