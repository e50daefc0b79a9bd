/**
 * Goal: the step function makes exactly the transitions of the table, and docs/states.md shows that
 * table. `UPDATE_DOCS=1` writes the page anew.
 */
import { expect, test } from 'vitest';
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import {
  initialLeaseState,
  type LeaseConfig,
  type LeaseEvent,
  type LeaseState,
  type LeaseStep,
  stepLease,
} from '../../../coordinator/lease/leader-lease.ts';
import { leaseTransitions } from '../../../coordinator/lease/lease-transitions.ts';
import { statesPage } from '../../support/states-page.ts';

const config: LeaseConfig = {
  nodeId: 'a',
  instance: 'a1',
  durationMs: 1_000,
  driftMax: 0.01,
  renewMs: 250,
  pollMs: 125,
};
const rng = createSeededRngSource(1).stream('events');
const pick = <T>(...values: readonly T[]): T => values[rng.int(0, values.length)] as T;

/** Walks with random answers of a random register; returns each step as "from on to effects". */
function walk(steps: number): Set<string> {
  const seen = new Set<string>();
  let state: LeaseState = initialLeaseState;
  let nowMs = 0;
  let awaited: 'read' | 'write' = 'read';
  for (let count = 0; count < steps; count++) {
    nowMs += pick(0, 1, 50, 130, 400, 1_100);
    const event = randomEvent(state, awaited, nowMs);
    const next: LeaseStep = stepLease(state, event, config);
    const isWithoutMeaning = next.state === state;
    if (!isWithoutMeaning) seen.add(rowOf(state, event, next));
    for (const { kind } of next.effects) if (kind === 'read' || kind === 'write') awaited = kind;
    state = next.state.kind === 'stopped' ? initialLeaseState : next.state;
    nowMs = next.state.kind === 'stopped' ? 0 : nowMs;
  }
  return seen;
}

function rowOf(state: LeaseState, event: LeaseEvent, next: LeaseStep): string {
  const effects = next.effects.map((effect) => effect.kind).join(', ');
  return `${state.kind} ${event.kind} ${next.state.kind} ${effects}`;
}

function randomEvent(state: LeaseState, awaited: 'read' | 'write', nowMs: number): LeaseEvent {
  if (rng.int(0, 60) === 0) return { kind: 'stop', nowMs };
  if (!state.isAwaiting) return { kind: 'wake', nowMs };
  const { operation } = state;
  if (rng.int(0, 10) === 0) return { kind: 'wake', nowMs };
  if (awaited === 'write') {
    const kind = pick('written', 'written', 'conflict', 'writeFailed', 'writeUnknown');
    if (kind === 'written') return { kind, nowMs, operation, version: rng.int(1, 50) };
    return { kind, nowMs, operation };
  }
  if (rng.int(0, 4) === 0) return { kind: 'readFailed', nowMs, operation };
  return { kind: 'readDone', nowMs, operation, snapshot: randomSnapshot(state) };
}

function randomSnapshot(state: LeaseState) {
  const attempt = 'attempt' in state ? state.attempt : null;
  const ours = attempt?.record ?? null;
  const foreign = {
    holder: 'b',
    instance: 'b1',
    token: 7,
    renewal: 1,
    durationMs: 1_000,
    isReleased: pick(false, false, true),
  };
  const record = pick(null, foreign, foreign, ours, ours && { ...ours, renewal: 99 });
  return { version: pick(3, 3, 3, 4), record };
}

test('the step function makes exactly the transitions of the table', () => {
  const table = new Set(
    leaseTransitions.map((row) => `${row.from} ${row.on} ${row.to} ${row.effect}`),
  );
  expect([...walk(200_000)].sort()).toEqual([...table].sort());
});

test('docs/states.md shows the table', () => {
  const { page, expected } = statesPage('leader lease', leaseTransitions);
  expect(page).toBe(expected);
});
