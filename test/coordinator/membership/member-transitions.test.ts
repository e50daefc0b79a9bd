/**
 * Goal: the step function makes exactly the transitions of the table, and docs/states.md shows that table.
 * `UPDATE_DOCS=1` writes the page anew.
 */
import { expect, test } from 'vitest';
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import {
  defaultMembershipConfig,
  type MemberEvent,
  type MemberState,
  type MemberStep,
  stepMember,
  unknownMember,
} from '../../../coordinator/membership/member-state.ts';
import { memberTransitions } from '../../../coordinator/membership/member-transitions.ts';
import { statesPage } from '../../support/states-page.ts';

const rng = createSeededRngSource(1).stream('events');
const pick = <T>(...values: readonly T[]): T => values[rng.int(0, values.length)] as T;

/** Random events; returns each step that says or changes something as "from on to effects". */
function walk(steps: number): Set<string> {
  const seen = new Set<string>();
  let state: MemberState = unknownMember;
  let nowMs = 0;
  for (let count = 0; count < steps; count++) {
    if (rng.int(0, 40) === 0) state = unknownMember;
    nowMs += pick(0, 100, 500, 2_000);
    const event = randomEvent(state, nowMs);
    const next: MemberStep = stepMember(state, event, defaultMembershipConfig);
    const effects = next.effects.map((effect) => effect.kind).join(', ');
    if (effects !== '' || next.state.kind !== state.kind) {
      seen.add(`${state.kind} ${event.kind} ${next.state.kind} ${effects}`);
    }
    state = next.state;
  }
  return seen;
}

function randomEvent(state: MemberState, nowMs: number): MemberEvent {
  const incarnation = 'incarnation' in state ? state.incarnation - pick(0, 0, 1) : 1;
  const connection = pick(1, 2);
  switch (pick('register', 'heartbeat', 'heartbeat', 'disconnected', 'leave', 'tick', 'tick')) {
    case 'register':
      return { kind: 'register', nowMs, instance: pick('a', 'b'), connection };
    case 'heartbeat':
      return { kind: 'heartbeat', nowMs, incarnation, connection, senderDelayMs: 0 };
    case 'disconnected':
      return { kind: 'disconnected', nowMs, connection };
    case 'leave':
      return { kind: 'leave', nowMs, incarnation };
    default:
      return { kind: 'tick', nowMs, stallMs: pick(0, 0, 1_000) };
  }
}

test('the step function makes exactly the transitions of the table', () => {
  const table = memberTransitions.map((row) => `${row.from} ${row.on} ${row.to} ${row.effect}`);
  expect([...walk(50_000)].sort()).toEqual([...table].sort());
});

test('docs/states.md shows the table', () => {
  const { page, expected } = statesPage('worker membership', memberTransitions);
  expect(page).toBe(expected);
});
