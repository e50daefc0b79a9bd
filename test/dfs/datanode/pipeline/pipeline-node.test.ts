/** Goal: a node acknowledges what is here and on every node behind, in order, and nothing after a failure. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  newPipelineNode,
  type PipelineNodeEffect,
  type PipelineNodeEvent,
  type PipelineNodeState,
  stepPipelineNode,
} from '../../../../dfs/datanode/pipeline/pipeline-node.ts';

const times = { diskMs: 1_000, perNodeMs: 500 };

const packet = (sequence: number, isLast = false, nowMs = 0): PipelineNodeEvent => ({
  kind: 'packet',
  packet: { sequence, endBytes: sequence * 100, isLast },
  nowMs,
});
const written = (sequence: number) => ({ kind: 'written', sequence }) as const;
const acked = (sequence: number) => ({ kind: 'downstreamAck', sequence }) as const;
const failed = (index: number) => ({ kind: 'downstreamFailed', index, reason: 'dead' }) as const;
const tick = (nowMs: number) => ({ kind: 'tick', nowMs }) as const;
const downClosed = { kind: 'downstreamClosed' } as const;
const upClosed = { kind: 'upstreamClosed' } as const;
const writeFailed = { kind: 'writeFailed', reason: 'full' } as const;

function run(nodesBehind: number, events: readonly PipelineNodeEvent[]) {
  let state: PipelineNodeState = newPipelineNode(1, nodesBehind);
  let effects: readonly PipelineNodeEffect[] = [];
  for (const event of events) ({ state, effects } = stepPipelineNode(state, event, times));
  return { state, effects: effects.map(textOf).join(', ') };
}

function textOf(effect: PipelineNodeEffect): string {
  switch (effect.kind) {
    case 'ack':
      return `ack ${effect.sequence}`;
    case 'show':
      return `show ${effect.endBytes}`;
    case 'fail':
      return `fail ${effect.index}`;
    default:
      return effect.kind;
  }
}

test.each`
  behind | events                                                      | kind           | effects
  ${1}   | ${[packet(1)]}                                              | ${'receiving'} | ${'forward, write'}
  ${0}   | ${[packet(1)]}                                              | ${'receiving'} | ${'write'}
  ${0}   | ${[packet(1), written(1)]}                                  | ${'receiving'} | ${'show 100, ack 1'}
  ${1}   | ${[packet(1), written(1)]}                                  | ${'receiving'} | ${''}
  ${1}   | ${[packet(1), acked(1)]}                                    | ${'receiving'} | ${''}
  ${1}   | ${[packet(1), acked(1), written(1)]}                        | ${'receiving'} | ${'show 100, ack 1'}
  ${1}   | ${[packet(1), written(1), acked(1)]}                        | ${'receiving'} | ${'show 100, ack 1'}
  ${1}   | ${[packet(1), packet(2), written(1), written(2), acked(2)]} | ${'receiving'} | ${'show 200, ack 2'}
  ${1}   | ${[packet(1), packet(2), written(1), acked(2)]}             | ${'receiving'} | ${'show 100, ack 1'}
  ${1}   | ${[packet(1), written(1), acked(1), acked(1)]}              | ${'receiving'} | ${''}
  ${1}   | ${[packet(1, true), written(1), acked(1)]}                  | ${'ended'}     | ${'show 100, ack 1, closeDownstream'}
  ${1}   | ${[packet(1, true), acked(1), downClosed]}                  | ${'receiving'} | ${''}
  ${1}   | ${[packet(1, true), acked(1), downClosed, written(1)]}      | ${'ended'}     | ${'show 100, ack 1, closeDownstream'}
  ${0}   | ${[packet(2)]}                                              | ${'ended'}     | ${'fail 0, closeDownstream, stop'}
  ${0}   | ${[packet(1), packet(1)]}                                   | ${'ended'}     | ${'fail 0, closeDownstream, stop'}
  ${0}   | ${[packet(1, true), packet(2)]}                             | ${'ended'}     | ${'fail 0, closeDownstream, stop'}
  ${2}   | ${[packet(1), writeFailed]}                                 | ${'ended'}     | ${'fail 0, closeDownstream, stop'}
  ${2}   | ${[packet(1), failed(0)]}                                   | ${'failed'}    | ${'fail 1, closeDownstream'}
  ${2}   | ${[packet(1), failed(1)]}                                   | ${'failed'}    | ${'fail 2, closeDownstream'}
  ${2}   | ${[packet(1), downClosed]}                                  | ${'failed'}    | ${'fail 1, closeDownstream'}
  ${2}   | ${[downClosed]}                                             | ${'failed'}    | ${'fail 1, closeDownstream'}
  ${2}   | ${[packet(1), acked(2)]}                                    | ${'failed'}    | ${'fail 1, closeDownstream'}
  ${2}   | ${[packet(1), downClosed, written(1)]}                      | ${'failed'}    | ${''}
  ${2}   | ${[packet(1), downClosed, packet(2)]}                       | ${'failed'}    | ${''}
  ${2}   | ${[packet(1), downClosed, upClosed]}                        | ${'ended'}     | ${'closeDownstream, stop'}
  ${2}   | ${[packet(1), upClosed]}                                    | ${'ended'}     | ${'closeDownstream, stop'}
  ${2}   | ${[packet(1), upClosed, written(1), acked(1)]}              | ${'ended'}     | ${''}
  ${2}   | ${[packet(1), tick(1_000)]}                                 | ${'receiving'} | ${''}
  ${2}   | ${[packet(1), tick(1_001)]}                                 | ${'ended'}     | ${'fail 0, closeDownstream, stop'}
  ${2}   | ${[packet(1), written(1), tick(2_000)]}                     | ${'receiving'} | ${''}
  ${2}   | ${[packet(1), written(1), tick(2_001)]}                     | ${'failed'}    | ${'fail 1, closeDownstream'}
  ${1}   | ${[packet(1), written(1), tick(1_501)]}                     | ${'failed'}    | ${'fail 1, closeDownstream'}
  ${2}   | ${[tick(99_999)]}                                           | ${'receiving'} | ${''}
`('$behind behind, $events.length events: $kind, $effects', ({ behind, events, kind, effects }) => {
  const after = run(behind, events);
  expect([after.state.kind, after.effects]).toEqual([kind, effects]);
});

test('in whatever order disk and nodes behind answer, the acknowledgement is the lesser of both, and only grows', () => {
  const answers = fc.array(fc.constantFrom('here', 'behind'), { maxLength: 40 });
  fc.assert(
    fc.property(answers, (order) => {
      const packets = Array.from({ length: 20 }, (_, index) => packet(index + 1));
      let { state } = run(1, packets);
      let here = 0;
      let behind = 0;
      let told = 0;
      for (const side of order) {
        if (side === 'here') here = Math.min(20, here + 1);
        else behind = Math.min(20, behind + 1);
        const step = stepPipelineNode(
          state,
          side === 'here' ? written(here) : acked(behind),
          times,
        );
        state = step.state;
        for (const effect of step.effects) {
          if (effect.kind !== 'ack') continue;
          expect(effect.sequence).toBeGreaterThan(told);
          told = effect.sequence;
        }
        expect(told).toBe(Math.min(here, behind));
      }
    }),
  );
});
