/** Goal: the client goes on with the nodes that are left, under a stamp that the namenode knows, and loses no packet on the way. */
import { expect, test } from 'vitest';
import {
  newPipelineClient,
  type PipelineClientEffect,
  type PipelineClientEvent,
  type PipelineClientStep,
  stepPipelineClient,
} from '../../../dfs/client/pipeline-client.ts';

const times = { diskMs: 1_000, perNodeMs: 500 };

const packet = (sequence: number, isLast = false): PipelineClientEvent => ({
  kind: 'packet',
  packet: { sequence, endBytes: sequence * 100, isLast },
  nowMs: 0,
});
const ready = (attempt = 1) => ({ kind: 'ready', attempt, nowMs: 0 }) as const;
const ack = (sequence: number, attempt = 1) =>
  ({ kind: 'ack', sequence, attempt, nowMs: 0 }) as const;
const failed = (index: number, attempt = 1) =>
  ({ kind: 'nodeFailed', index, reason: 'dead', attempt, nowMs: 0 }) as const;
const renewed = (generationStamp: number) =>
  ({ kind: 'renewed', generationStamp, nowMs: 0 }) as const;
const updated = { kind: 'updated', nowMs: 0 } as const;
const refused = { kind: 'refused', reason: 'another writer' } as const;
const tick = (nowMs: number) => ({ kind: 'tick', nowMs }) as const;

function run(events: readonly PipelineClientEvent[], isAppend = false): PipelineClientStep {
  const nodes = ['a', 'b', 'c'];
  const block = { nodes, generationStamp: 1, lengthBytes: 0, isAppend, nowMs: 0 };
  let step = newPipelineClient(block);
  for (const event of events) step = stepPipelineClient(step.state, event, times);
  return step;
}

const textOf = (effect: PipelineClientEffect): string => {
  if (effect.kind === 'send') return `send ${effect.sequences.join(' ')}`;
  return effect.kind === 'acked' ? `acked ${effect.sequence}` : effect.kind;
};

const streams = [ready(), packet(1), packet(2), packet(3)];
const lost = [...streams, ack(1), failed(1)];
const again = [...lost, renewed(2), ready(2)];

test.each`
  events                                                | phase           | nodes    | effects
  ${[]}                                                 | ${'connecting'} | ${'abc'} | ${'connect'}
  ${[packet(1)]}                                        | ${'connecting'} | ${'abc'} | ${''}
  ${[packet(1), packet(2), ready()]}                    | ${'streaming'}  | ${'abc'} | ${'send 1 2'}
  ${[ready(), packet(1)]}                               | ${'streaming'}  | ${'abc'} | ${'send 1'}
  ${[...streams, ack(2)]}                               | ${'streaming'}  | ${'abc'} | ${'acked 2'}
  ${[...streams, ack(2), ack(2)]}                       | ${'streaming'}  | ${'abc'} | ${''}
  ${[...streams, ack(4)]}                               | ${'streaming'}  | ${'abc'} | ${''}
  ${[...streams, packet(4, true), ack(4)]}              | ${'finished'}   | ${'abc'} | ${'acked 4, disconnect'}
  ${[failed(2)]}                                        | ${'abandoned'}  | ${'ab'}  | ${'disconnect'}
  ${[packet(1), tick(2_501)]}                           | ${'abandoned'}  | ${'bc'}  | ${'disconnect'}
  ${[...streams, tick(2_500)]}                          | ${'streaming'}  | ${'abc'} | ${''}
  ${[...streams, tick(2_501)]}                          | ${'renewing'}   | ${'bc'}  | ${'disconnect, renew'}
  ${[ready(), tick(99_999)]}                            | ${'streaming'}  | ${'abc'} | ${''}
  ${lost}                                               | ${'renewing'}   | ${'ac'}  | ${'disconnect, renew'}
  ${[...lost, failed(0)]}                               | ${'renewing'}   | ${'ac'}  | ${''}
  ${[...lost, ack(2)]}                                  | ${'renewing'}   | ${'ac'}  | ${''}
  ${[...lost, packet(4)]}                               | ${'renewing'}   | ${'ac'}  | ${''}
  ${[...lost, renewed(2)]}                              | ${'connecting'} | ${'ac'}  | ${'connect'}
  ${[...lost, renewed(2), ready(1)]}                    | ${'connecting'} | ${'ac'}  | ${''}
  ${again}                                              | ${'updating'}   | ${'ac'}  | ${'update'}
  ${[...again, packet(4)]}                              | ${'updating'}   | ${'ac'}  | ${''}
  ${[...again, updated]}                                | ${'streaming'}  | ${'ac'}  | ${'send 2 3'}
  ${[...again, updated, ack(3, 1)]}                     | ${'streaming'}  | ${'ac'}  | ${''}
  ${[...again, updated, ack(3, 2)]}                     | ${'streaming'}  | ${'ac'}  | ${'acked 3'}
  ${[...again, failed(0, 2)]}                           | ${'renewing'}   | ${'c'}   | ${'disconnect, renew'}
  ${[...again, failed(0, 2), updated]}                  | ${'renewing'}   | ${'c'}   | ${''}
  ${[...lost, renewed(2), failed(1, 2), renewed(3)]}    | ${'connecting'} | ${'a'}   | ${'connect'}
  ${[...again, updated, failed(9, 2), renewed(3)]}      | ${'connecting'} | ${'a'}   | ${'connect'}
  ${[...again, failed(0, 2), renewed(3), failed(0, 3)]} | ${'failed'}     | ${''}    | ${'disconnect'}
  ${[...again, refused]}                                | ${'failed'}     | ${'ac'}  | ${'disconnect'}
  ${[...streams, packet(4, true), ack(3), failed(2)]}   | ${'renewing'}   | ${'ab'}  | ${'disconnect, renew'}
`('$events.length events: $phase with $nodes, $effects', ({ events, phase, nodes, effects }) => {
  const { state, effects: found } = run(events);
  expect([state.phase, state.nodes.join(''), found.map(textOf).join(', ')]).toEqual([
    phase,
    nodes,
    effects,
  ]);
});

test('an append asks for a stamp first, and tells the namenode before it sends', () => {
  expect(run([], true)).toMatchObject({
    state: { phase: 'renewing' },
    effects: [{ kind: 'renew' }],
  });
  expect(run([renewed(5), ready()], true).effects).toEqual([{ kind: 'update' }]);
  expect(run([renewed(5), ready(), updated, packet(1)], true).effects.map(textOf)).toEqual([
    'send 1',
  ]);
  expect(run([renewed(5), failed(0)], true).state).toMatchObject({
    phase: 'renewing',
    nodes: ['b', 'c'],
  });
});

test('what was acknowledged, and what the next pipeline must have, is in the state', () => {
  expect(run(again).state).toMatchObject({
    ...{ ackedSequence: 1, ackedBytes: 100, generationStamp: 2, attempt: 2, failedNodes: ['b'] },
  });
});
