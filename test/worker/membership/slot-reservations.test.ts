/** Goal: a worker promises what it has, once, and takes back what nobody confirmed, whatever comes twice or late. */
import { expect, test } from 'vitest';
import {
  emptyReservations,
  type ReservationCall,
  stepReservations,
} from '../../../worker/membership/slot-reservations.ts';

const reserve = (jobId: string, slots: number, nowMs = 0, memoryBytes = 0): ReservationCall => ({
  ...{ kind: 'reserve', nowMs, jobId, attempt: 1, slots, memoryBytes, keepMs: 100 },
});
const confirm = (jobId: string, nowMs = 0): ReservationCall => ({
  ...{ kind: 'confirm', nowMs, jobId, attempt: 1 },
});
const release = (jobId: string, nowMs = 0): ReservationCall => ({
  ...{ kind: 'release', nowMs, jobId, attempt: 1 },
});
const nextTry = (call: ReservationCall): ReservationCall => ({ ...call, attempt: 2 });

test.each`
  what                                  | calls                                                              | answers
  ${'as many as there are'}             | ${[reserve('a', 3), reserve('b', 1), reserve('c', 1)]}             | ${'granted granted refused'}
  ${'no more memory than there is'}     | ${[reserve('a', 1, 0, 600), reserve('b', 1, 0, 600)]}              | ${'granted refused'}
  ${'the same call twice'}              | ${[reserve('a', 3), reserve('a', 3), reserve('b', 1)]}             | ${'granted granted granted'}
  ${'what nobody confirms comes back'}  | ${[reserve('a', 4), reserve('b', 1, 99), reserve('c', 1, 100)]}    | ${'granted refused granted'}
  ${'what was confirmed stays'}         | ${[reserve('a', 4), confirm('a', 99), reserve('b', 1, 1e9)]}       | ${'granted confirmed refused'}
  ${'confirmed too late'}               | ${[reserve('a', 4), confirm('a', 100)]}                            | ${'granted refused'}
  ${'confirmed twice'}                  | ${[reserve('a', 4), confirm('a', 1), confirm('a', 500)]}           | ${'granted confirmed confirmed'}
  ${'released'}                         | ${[reserve('a', 4), confirm('a'), release('a'), reserve('b', 4)]}  | ${'granted confirmed released granted'}
  ${'released before it was reserved'}  | ${[release('a'), reserve('a', 4), confirm('a')]}                   | ${'released refused refused'}
  ${'both late, behind their release'}  | ${[reserve('a', 4), release('a'), reserve('a', 4), confirm('a')]}  | ${'granted released refused refused'}
  ${'the next try is another one'}      | ${[reserve('a', 4), release('a'), nextTry(reserve('a', 4))]}       | ${'granted released granted'}
  ${'an old release, and the next try'} | ${[nextTry(reserve('a', 4)), release('a'), nextTry(confirm('a'))]} | ${'granted released confirmed'}
`('$what', ({ calls, answers }) => {
  let state = emptyReservations(4, 1_000);
  const given = (calls as ReservationCall[]).map((call) => {
    const step = stepReservations(state, call);
    state = step.state;
    return step.answer;
  });
  expect(given.join(' ')).toBe(answers);
});

test.each`
  reserved | processSlots | endingSlots | asked | answer
  ${0}     | ${0}         | ${0}        | ${4}  | ${'granted'}
  ${2}     | ${2}         | ${0}        | ${2}  | ${'granted'}
  ${2}     | ${2}         | ${0}        | ${3}  | ${'refused'}
  ${0}     | ${2}         | ${2}        | ${3}  | ${'refused'}
  ${0}     | ${2}         | ${2}        | ${2}  | ${'granted'}
  ${2}     | ${3}         | ${1}        | ${2}  | ${'refused'}
  ${2}     | ${3}         | ${1}        | ${1}  | ${'granted'}
  ${0}     | ${3}         | ${0}        | ${2}  | ${'refused'}
`(
  'with $reserved of 4 reserved, and processes with $processSlots slots of which $endingSlots end, $asked are $answer',
  ({ reserved, processSlots, endingSlots, asked, answer }) => {
    const before = stepReservations(emptyReservations(4, 0), reserve('a', reserved)).state;
    const inUse = { slots: processSlots, endingSlots };
    const call = { ...reserve('b', asked), inUse } as ReservationCall;
    expect(stepReservations(before, call).answer).toBe(answer);
  },
);

test('what was released is not remembered for ever', () => {
  const { state } = stepReservations(emptyReservations(4, 0), release('a'));
  expect(state.released.size).toBe(1);
  expect(stepReservations(state, release('b', 600_000)).state.released.has('a')).toBe(false);
});
