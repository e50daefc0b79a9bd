/** Goal: the number of slots that work asks for is found in one step, does not swing, and says why. */
import { expect, test } from 'vitest';
import {
  type AutoscaleLook,
  type AutoscaleState,
  defaultAutoscaleConfig as config,
  initialAutoscale,
  type OperatorRates,
  stepAutoscale,
} from '../../../coordinator/scheduler/autoscale.ts';

const spanMs = 10_000;
const operator = (name: string, more: Partial<OperatorRates>): OperatorRates => ({
  ...{ name, parallelism: 2, rowsIn: 0, rowsOut: 0, busyMs: 0, inputs: [], backlogRows: 0 },
  ...more,
});
const look = (slots: number, ...operators: OperatorRates[]): AutoscaleLook => ({
  ...{ nowMs: 0, spanMs, slots, operators },
});
/** Wanted at once: for tables of what is needed. */
const atOnce = { ...config, upAfterMs: 0, downAfterMs: 0 };
// 1,000 rows/s come in; a task can do 500 a second of its time.
const source = operator('in', { rowsIn: 10_000, rowsOut: 10_000, busyMs: 2_000 });
const slow = operator('map', { rowsIn: 10_000, rowsOut: 5_000, busyMs: 20_000, inputs: ['in'] });

test.each`
  what                               | slots | operators                                                                                                                             | wanted  | why
  ${'nothing measured'}              | ${2}  | ${[operator('in', {})]}                                                                                                               | ${null} | ${/nothing was measured/}
  ${'the busiest decides'}           | ${2}  | ${[source, slow]}                                                                                                                     | ${3}    | ${/"map" has to handle 1,000 rows\/s at 500 a task, all operators are 2.20 slots' work: 3 slots/}
  ${'as it should be'}               | ${3}  | ${[source, slow]}                                                                                                                     | ${null} | ${/3 slots/}
  ${'far too many'}                  | ${9}  | ${[source, slow]}                                                                                                                     | ${3}    | ${/3 slots/}
  ${'backpressure hides the demand'} | ${2}  | ${[operator('in', { ...source, backlogRows: 300_000 }), slow]}                                                                        | ${6}    | ${/2,000 rows\/s/}
  ${'half of the rows go on'}        | ${2}  | ${[source, slow, operator('sum', { rowsIn: 5_000, busyMs: 20_000, inputs: ['map'] })]}                                                | ${6}    | ${/"map"/}
  ${'the second is slower still'}    | ${2}  | ${[source, slow, operator('sum', { rowsIn: 5_000, busyMs: 40_000, inputs: ['map'] })]}                                                | ${8}    | ${/"sum" has to handle 500 rows\/s at 125 a task/}
  ${'two inputs add up'}             | ${1}  | ${[source, operator('in2', { ...source, name: 'in2' }), operator('join', { rowsIn: 20_000, busyMs: 20_000, inputs: ['in', 'in2'] })]} | ${3}    | ${/"join" has to handle 2,000/}
  ${'more than there may be'}        | ${2}  | ${[source, operator('map', { ...slow, busyMs: 2_000_000 })]}                                                                          | ${64}   | ${/251 slots, bounded to 64/}
`('$what', ({ slots, operators, wanted, why }) => {
  const { recommendation } = stepAutoscale(initialAutoscale, look(slots, ...operators), atOnce);
  expect(recommendation.slots).toBe(wanted);
  expect(recommendation.why).toMatch(why);
});

/** Looks every ten seconds at a job whose input changes; acts as it is told. */
function follow(inputRates: readonly number[], firstSlots: number) {
  let state: AutoscaleState = initialAutoscale;
  let slots = firstSlots;
  let backlogRows = 0;
  const changes: string[] = [];
  inputRates.forEach((rate, index) => {
    const nowMs = index * spanMs;
    const arrived = (rate * spanMs) / 1_000 + backlogRows;
    const rowsIn = Math.min(arrived, slots * 500 * (spanMs / 1_000));
    backlogRows = arrived - rowsIn;
    const rates = { rowsIn, rowsOut: rowsIn, busyMs: rowsIn * 2, backlogRows };
    const step = stepAutoscale(
      state,
      { nowMs, spanMs, slots, operators: [operator('in', rates)] },
      config,
    );
    state = step.state;
    if (step.recommendation.slots === null) return;
    slots = step.recommendation.slots;
    changes.push(`${nowMs / 1_000}s:${slots}`);
  });
  return { changes, slots, backlogRows };
}

test('a load that rises is met by one change, and a while after it falls again by another', () => {
  const rates = [...Array(12).fill(700), ...Array(60).fill(2_900), ...Array(60).fill(700)];
  const { changes, slots, backlogRows } = follow(rates, 2);
  expect(slots).toBe(2);
  expect(backlogRows).toBe(0);
  // Up at once to what comes in and has piled up; down when that is done, and when less comes.
  expect(changes.length).toBeLessThanOrEqual(5);
  expect(changes[0]).toMatch(/^150s:/);
});

test('a load that swings around does not move it', () => {
  const rates = Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? 900 : 1_500));
  expect(follow(rates, 4).changes.length).toBeLessThanOrEqual(1);
});

test('after a change it rests, and a want has to last', () => {
  const busy = [source, slow];
  const first = stepAutoscale(initialAutoscale, look(2, ...busy), config);
  expect(first.recommendation).toMatchObject({
    slots: null,
    why: expect.stringMatching(/for 0 s of 30 s/),
  });
  const second = stepAutoscale(first.state, { ...look(2, ...busy), nowMs: 30_000 }, config);
  expect(second.recommendation.slots).toBe(3);
  const third = stepAutoscale(second.state, { ...look(2, ...busy), nowMs: 40_000 }, config);
  expect(third.recommendation).toEqual({ slots: null, why: 'changed 10 s ago' });
});
