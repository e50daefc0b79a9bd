/** Goal: what tasks of a stage read is all that was written, and each pair of a join's two sides once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { adaptiveDefaults } from '../../../coordinator/adaptive/adaptive-options.ts';
import {
  type EdgeBytes,
  readOfEdge,
  stageReads,
} from '../../../coordinator/adaptive/stage-reads.ts';
import type { AdaptableJoin, AdaptableStage } from '../../../engine/plan/adaptable.ts';
import type { Span } from '../../../engine/plan/map-output-read.ts';
import type { Edge } from '../../../engine/plan/physical-graph.ts';

const [left, more, right] = ['left', 'more', 'right'].map((id) => ({ id }) as unknown as Edge) as [
  Edge,
  Edge,
  Edge,
];
const options = {
  ...adaptiveDefaults,
  ...{ taskBytesMin: 10, taskBytesMax: 100, skewFactor: 3, skewBytesMin: 20, splitBytesMin: 10 },
};

function stageOf(taskCount: number, splits: Partial<AdaptableJoin>): AdaptableStage {
  const sides = { probe: [left, more], build: [right], maySplitProbe: true, maySplitBuild: true };
  const join = { vertexId: 'j', ...sides, mayStay: null, ...splits };
  return { id: 's1', vertexIds: ['j'], taskCount, edges: [left, more, right], join };
}

type Bytes = Readonly<Record<string, EdgeBytes>>;

function readsOf(stage: AdaptableStage, bytes: Bytes) {
  return stageReads(stage, { slotCount: 2, options, bytesOf: (id) => bytes[id] ?? [] });
}

function textOf({ from, to }: Span): string {
  if (from === to) return 'none';
  return to - from === 1 ? `${from}` : `${from}-${to - 1}`;
}

/** `0-1: all`, or `2: left 0`. */
function texts(stage: AdaptableStage, bytes: Bytes): string[] | null {
  const reads = readsOf(stage, bytes);
  if (reads === null) return null;
  return reads.readers.map(({ partitions, senders }) => {
    const parts = [...senders].map(([id, span]) => ` ${id} ${textOf(span)}`);
    return `${textOf(partitions)}:${parts.join('')}`;
  });
}

const even = { left: [[1, 1, 1, 1]], more: [[1, 1, 1, 1]], right: [[1, 1, 1, 1]] };

test('small partitions are joined, those of a good size stay', () => {
  expect(texts(stageOf(4, {}), even)).toEqual(['0-1:', '2-3:']);
  const large = { left: [[90, 90, 90, 90]], more: [[1, 1, 1, 1]], right: [[9, 9, 9, 9]] };
  expect(texts(stageOf(4, {}), large)).toBeNull();
});

test('a skewed partition is split by the senders of the side that is skewed', () => {
  const bytes = {
    ...even,
    left: [
      [1, 1, 30, 1],
      [1, 1, 30, 1],
    ],
  };
  expect(texts(stageOf(4, {}), bytes)).toEqual([
    '0-1:',
    '2: left 0 more none',
    '2: left 1 more 0',
    '3:',
  ]);
  expect(readsOf(stageOf(4, {}), bytes)?.splits).toEqual([{ partition: 2, taskCount: 2 }]);
});

test('a side is not split where it may not be, nor what one sender has written', () => {
  const bytes = {
    ...even,
    left: [
      [1, 1, 30, 1],
      [1, 1, 30, 1],
    ],
  };
  expect(readsOf(stageOf(4, { maySplitProbe: false }), bytes)?.splits).toEqual([]);
  expect(readsOf({ ...stageOf(4, {}), join: null }, bytes)?.splits).toEqual([]);
  expect(readsOf(stageOf(4, {}), { ...even, right: [[1, 1, 90, 1]] })?.splits).toEqual([]);
});

test('each pair of what two senders have put into a partition meets in one task', () => {
  const size = fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 5 }) }, fc.nat({ max: 200 }));
  const edge = (partitions: number) =>
    fc.array(fc.array(size, { minLength: partitions, maxLength: partitions }), {
      minLength: 1,
      maxLength: 5,
    });
  const cases = fc.integer({ min: 1, max: 6 }).chain((taskCount) =>
    fc.record({
      taskCount: fc.constant(taskCount),
      bytes: fc.record({ left: edge(taskCount), more: edge(taskCount), right: edge(taskCount) }),
      maySplitProbe: fc.boolean(),
      maySplitBuild: fc.boolean(),
    }),
  );
  let splitCount = 0;
  fc.assert(
    fc.property(cases, ({ taskCount, bytes, ...splits }) => {
      const reads = readsOf(stageOf(taskCount, splits), bytes);
      if (reads === null) return;
      splitCount += reads.splits.length;
      const met = new Map<string, number>();
      for (const reader of reads.readers) {
        const probes = [left, more].flatMap((one) => placesOf(reader, one, bytes));
        for (const probe of probes) {
          for (const build of placesOf(reader, right, bytes)) {
            if (probe.partition !== build.partition) continue;
            const key = `${probe.partition}: ${probe.text} ${build.text}`;
            met.set(key, (met.get(key) ?? 0) + 1);
          }
        }
      }
      const pairs = taskCount * (bytes.left.length + bytes.more.length) * bytes.right.length;
      expect(met.size).toBe(pairs);
      expect(new Set(met.values())).toEqual(new Set([1]));
    }),
    { numRuns: 500 },
  );
  expect(splitCount).toBeGreaterThan(20);
});

/** What the reader reads of an edge, sender by sender and partition by partition. */
function placesOf(reader: Parameters<typeof readOfEdge>[0], edge: Edge, bytes: Bytes) {
  const { partitions, senders } = readOfEdge(reader, edge, bytes[edge.id]?.length ?? 0);
  const found = [];
  for (let sender = senders.from; sender < senders.to; sender++) {
    for (let partition = partitions.from; partition < partitions.to; partition++) {
      found.push({ partition, text: `${edge.id} ${sender}` });
    }
  }
  return found;
}
