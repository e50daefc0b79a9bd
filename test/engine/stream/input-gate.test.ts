/** Goal: a gate gives every batch of all channels once, starves none, and ends or fails as it should. */
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { type ChannelPlace, InputGate } from '../../../engine/stream/input-gate.ts';
import { isMark } from '../../../engine/stream/stream-element.ts';
import { batchOf, newContext } from '../../support/operator-harness.ts';
import { scriptedChannel } from '../../support/scripted-channel.ts';

const schema = schemaOf(fieldOf('n', int32Type));
type Step = number | 'waiting' | 'failed';

function readAll(scripts: Step[][], readsMax: number): unknown[] {
  const { memory, scope } = newContext('tested');
  const channels = scripts.map((script) =>
    scriptedChannel(
      script.map((step) =>
        typeof step === 'number' ? batchOf(scope, schema, [{ n: step }]) : step,
      ),
    ),
  );
  const gate = new InputGate(channels);
  const found: unknown[] = [];
  for (let reads = 0; reads < readsMax; reads++) {
    const element = gate.read();
    if (typeof element === 'object' && !isMark(element)) {
      found.push(readRows(element)[0]?.n);
      element.release();
    } else found.push(element);
  }
  gate.close();
  memory.assertEmpty();
  return found;
}

test.each<{ scripts: Step[][]; found: unknown[] }>([
  { scripts: [], found: ['end', 'end'] },
  {
    scripts: [
      [1, 2, 3],
      [4, 5],
    ],
    found: [1, 4, 2, 5, 3, 'end', 'end'],
  },
  {
    scripts: [
      ['waiting', 1],
      [2, 3],
    ],
    found: [2, 1, 3, 'end'],
  },
  { scripts: [['waiting', 1], ['waiting']], found: ['waiting', 1, 'end'] },
  {
    scripts: [
      [1, 'failed'],
      [2, 3, 4],
    ],
    found: [1, 2, 'failed', 'failed'],
  },
])('$scripts gives $found', ({ scripts, found }) => {
  expect(readAll(scripts, found.length)).toEqual(found);
});

const watermark = (timeMs: number) => ({ kind: 'watermark', timeMs }) as const;

/** Rows by their number, marks as they are. */
function readMarks(
  scripts: (Step | ReturnType<typeof watermark> | { kind: 'idle' })[][],
  places: ChannelPlace[] = [],
) {
  const { memory, scope } = newContext('tested');
  const channels = scripts.map((script) =>
    scriptedChannel(
      script.map((step) =>
        typeof step === 'number' ? batchOf(scope, schema, [{ n: step }]) : step,
      ),
    ),
  );
  const gate = new InputGate(channels, places);
  const found: unknown[] = [];
  for (let element = gate.read(); element !== 'end'; element = gate.read()) {
    if (typeof element !== 'object' || isMark(element)) {
      found.push(element);
      continue;
    }
    found.push(readRows(element)[0]?.n);
    element.release();
  }
  gate.close();
  memory.assertEmpty();
  return found;
}

test('the watermark of all comes when the last channel has told its own', () => {
  expect(
    readMarks([
      [watermark(5), 1],
      [watermark(3), watermark(9), 2],
    ]),
  ).toEqual([watermark(3), 1, watermark(5), watermark(9), 2]);
});

test('a mark that changes nothing does not hide the rows behind it', () => {
  // Channel 0 has nothing; whoever wrote to channel 1 rang before, and will not ring again.
  expect(
    readMarks([
      ['waiting', 'waiting', 'waiting', 1],
      [watermark(3), 2],
    ])[0],
  ).toBe(2);
});

test('a channel that has no say in time holds none back and sends none on', () => {
  const idle = { kind: 'idle' } as const;
  const places = [
    { port: 0, isTimeless: false },
    { port: 1, isTimeless: true },
  ];
  const timed: Parameters<typeof readMarks>[0][number] = [watermark(5), 1, watermark(7), idle];
  expect(readMarks([timed, [2, 3, watermark(1), watermark(99), 4]], places)).toEqual([
    ...[watermark(5), 2, 1, 3, watermark(7), idle, 4],
  ]);
});

test('a channel that is ahead waits for the barrier of the others', () => {
  const { memory, scope } = newContext('tested');
  const row = (n: number) => batchOf(scope, schema, [{ n }]);
  const barrier = { kind: 'barrier', checkpointId: 1 } as const;
  let nowMs = 0;
  const channels = [
    scriptedChannel([row(1), barrier, row(2)]),
    scriptedChannel(['waiting', row(3), 'waiting', barrier]),
    scriptedChannel([row(4)]), // Its end counts.
  ];
  const gate = new InputGate(channels, [], () => nowMs++);
  const found: unknown[] = [];
  for (let element = gate.read(); element !== 'end'; element = gate.read()) {
    if (typeof element !== 'object' || isMark(element)) found.push(element);
    else {
      found.push(readRows(element)[0]?.n);
      element.release();
    }
  }
  gate.close();
  memory.assertEmpty();
  expect(found.filter((one) => one !== 'waiting')).toEqual([
    ...[1, 4, 3],
    { ...barrier, alignmentMs: 1 },
    2,
  ]);
});
