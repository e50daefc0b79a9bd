/** Goal: replicas survive the loss of a rack where there are two, are near where they may be, and never where they may not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSeededRngSource } from '../../../../base/env/seeded-rng.ts';
import { type Candidate, chooseTargets } from '../../../../dfs/namenode/blocks/placement.ts';
import type { TargetRequest } from '../../../../dfs/namenode/operations/write-operation.ts';

interface Given {
  readonly isWritable?: boolean;
  readonly freeBytes?: readonly number[];
  readonly transferCount?: number;
}

function candidate(name: string, rack: string, given: Given = {}): Candidate {
  const { isWritable = true, freeBytes = [1_000], transferCount = 0 } = given;
  const addresses = { transferAddress: `${name}:1`, rpcAddress: `${name}:2`, httpAddress: null };
  const datanode = { datanodeId: name, host: name, networkLocation: rack, ...addresses };
  const storages = freeBytes.map((bytes, index) => ({
    storageId: `${name}-${index}`,
    freeBytes: bytes,
  }));
  return { datanode, isWritable, storages, transferCount };
}

const located = ({ datanode }: Candidate) => ({ datanode, storageId: `${datanode.datanodeId}-0` });
const wanted: TargetRequest = {
  ...{ count: 3, sizeBytes: 100, clientHost: null, existing: [], excludedDatanodeIds: [] },
};
const cluster = ['r1', 'r2', 'r3'].flatMap((rack) =>
  [1, 2, 3].map((index) => candidate(`${rack}-${index}`, rack)),
);

/** Racks, and names, of what is chosen with this seed. */
function chosen(seed: number, request: Partial<TargetRequest>, candidates = cluster) {
  const rng = createSeededRngSource(seed).stream('placement');
  const targets = chooseTargets({ ...wanted, ...request }, candidates, rng);
  const racks = targets.map(({ datanode }) => datanode.networkLocation);
  return { targets, racks, names: targets.map(({ datanode }) => datanode.datanodeId) };
}

const seeds = Array.from({ length: 50 }, (_, index) => index + 1);

test.each(seeds.slice(0, 10))(
  'the first where the writer is, two more on one other rack (seed %d)',
  (seed) => {
    const { names, racks } = chosen(seed, { clientHost: 'r2-3' });
    expect(names[0]).toBe('r2-3');
    expect(racks[1]).not.toBe('r2');
    expect(racks[2]).toBe(racks[1]);
  },
);

test('a writer elsewhere, and every writer over time, spreads first replicas over all', () => {
  const firsts = new Set(seeds.map((seed) => chosen(seed, { clientHost: 'laptop' }).names[0]));
  expect(firsts.size).toBeGreaterThan(6);
});

test.each`
  what                                 | existing            | racks
  ${'one of two on one rack is lost'}  | ${['r1-1', 'r1-2']} | ${['r2', 'r3']}
  ${'one of two on two racks is lost'} | ${['r1-1', 'r2-1']} | ${['r2']}
  ${'only one is left'}                | ${['r1-1']}         | ${['r2', 'r3']}
`('when $what the next goes to one of $racks', ({ existing, racks }) => {
  const there = cluster
    .filter(({ datanode }) => existing.includes(datanode.datanodeId))
    .map(located);
  for (const seed of seeds) {
    const { racks: found, names } = chosen(seed, { existing: there, count: 1 });
    expect(racks).toContain(found[0]);
    expect(existing).not.toContain(names[0]);
  }
});

test.each`
  what                   | given
  ${'silent or leaving'} | ${{ isWritable: false }}
  ${'full'}              | ${{ freeBytes: [99, 99] }}
  ${'without a volume'}  | ${{ freeBytes: [] }}
`('who is $what gets nothing, even if the block has fewer replicas', ({ given }) => {
  const two = [candidate('a', 'r1'), candidate('b', 'r1', given), candidate('c', 'r2')];
  for (const seed of seeds) expect(chosen(seed, {}, two).names.toSorted()).toEqual(['a', 'c']);
});

test('one rack, or none that fits, is better than no replica', () => {
  const one = ['a', 'b', 'c'].map((name) => candidate(name, 'r1'));
  expect(chosen(1, {}, one).names.toSorted()).toEqual(['a', 'b', 'c']);
  expect(chosen(1, {}, []).names).toEqual([]);
  expect(chosen(1, { excludedDatanodeIds: ['a', 'b'] }, one).names).toEqual(['c']);
});

test('who is much busier than the others gets blocks only when nobody else can take them', () => {
  const busy = [
    candidate('a', 'r1', { transferCount: 90 }),
    ...['b', 'c', 'd'].map((name) => candidate(name, 'r1')),
  ];
  for (const seed of seeds) expect(chosen(seed, {}, busy).names).not.toContain('a');
  expect(chosen(1, { count: 4 }, busy).names).toContain('a');
  expect(chosen(1, { count: 1, clientHost: 'a' }, busy).names).toEqual(['a']);
});

test('a block goes to the volume with the most room', () => {
  const roomy = [candidate('a', 'r1', { freeBytes: [200, 900, 300] })];
  expect(chosen(1, { count: 1 }, roomy).targets[0]?.storageId).toBe('a-1');
});

test('any cluster: no datanode twice, all that may, as many as there are, two racks where there are two', () => {
  const node = fc.record({
    ...{ rack: fc.constantFrom('r1', 'r2', 'r3', 'r4'), isWritable: fc.boolean() },
    ...{
      freeBytes: fc.array(fc.constantFrom(50, 100, 500), { maxLength: 3 }),
      transferCount: fc.nat(40),
    },
  });
  const nodes = fc.array(node, { maxLength: 12 });
  fc.assert(
    fc.property(nodes, fc.nat(5), fc.nat(3), fc.nat(1_000), (given, count, existingCount, seed) => {
      const all = given.map(({ rack, ...more }, index) => candidate(`n${index}`, rack, more));
      const existing = all.slice(0, existingCount).map(located);
      const { targets, names, racks } = chosen(seed, { count, existing }, all);
      const fits = all
        .slice(existingCount)
        .filter(
          ({ isWritable, storages }) => isWritable && storages.some((one) => one.freeBytes >= 100),
        );
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBe(Math.min(count, fits.length));
      for (const { datanode, storageId } of targets) {
        const from = fits.find((one) => one.datanode.datanodeId === datanode.datanodeId);
        const storage = from?.storages.find((one) => one.storageId === storageId);
        expect(storage?.freeBytes ?? 0).toBeGreaterThanOrEqual(100);
      }
      const possible = new Set([...existing, ...fits].map((one) => one.datanode.networkLocation));
      const used = new Set([...existing.map((one) => one.datanode.networkLocation), ...racks]);
      const total = existing.length + names.length;
      if (names.length > 0)
        expect(used.size).toBeGreaterThanOrEqual(Math.min(2, possible.size, total));
    }),
    { numRuns: 500 },
  );
});
