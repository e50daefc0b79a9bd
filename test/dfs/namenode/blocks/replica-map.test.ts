/** Goal: the namenode's map of replicas is what datanodes have and have told, through reports in parts, changes, restarts and damage. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReportingDatanodes } from '../../../support/reporting-datanodes.ts';

function scene() {
  const datanodes = new ReportingDatanodes();
  const [a, b, c1, c2] = datanodes.volumes;
  if (a === undefined || b === undefined || c1 === undefined || c2 === undefined) throw new Error();
  const block = datanodes.file('f');
  return { datanodes, a, b, c1, c2, block, blockId: block.blockId };
}

test('a replica that was reported before its writer was done counts once he is', () => {
  const { datanodes, a, b, block, blockId } = scene();
  for (const volume of [a, b]) datanodes.put(volume, { ...block, state: 'finalized' });
  datanodes.change(blockId, 50);
  expect(datanodes.live(blockId)).toEqual([]);
  const written = { ...datanodes.versionOf(blockId), lengthBytes: 70 };
  datanodes.put(a, { ...written, state: 'finalized' });
  expect(datanodes.live(blockId)).toEqual([]);
  datanodes.change(blockId, 70);
  // b was not there when more was written.
  expect(datanodes.live(blockId)).toEqual(['a1']);
});

test('damaged stays damaged, whatever its datanode says, until the replica is gone', () => {
  const { datanodes, a, block, blockId } = scene();
  const whole = { ...block, state: 'finalized' } as const;
  datanodes.put(a, whole);
  datanodes.damage(a, blockId);
  datanodes.put(a, whole);
  expect(datanodes.live(blockId)).toEqual([]);
  datanodes.restart('a');
  datanodes.reportAll(a);
  expect(datanodes.live(blockId)).toEqual([]);
  const row = datanodes.rowOf(blockId);
  expect(datanodes.map.oddOf(row)).toMatchObject([{ place: a.place, isDamaged: true }]);
  datanodes.drop(a, blockId);
  datanodes.put(a, whole);
  expect(datanodes.live(blockId)).toEqual(['a1']);
});

test('a datanode has a block once, on the volume that it has named last', () => {
  const { datanodes, c1, c2, block, blockId } = scene();
  datanodes.map.report(c1.place, { ...block, state: 'finalized' });
  datanodes.map.report(c2.place, { ...block, state: 'finalized' });
  expect(datanodes.live(blockId)).toEqual(['c2']);
  datanodes.map.forgetStorage(c2.place);
  expect(datanodes.live(blockId)).toEqual([]);
});

test('replicas of a block that was removed are handed out, those reported later too', () => {
  const { datanodes, a, b, block, blockId } = scene();
  datanodes.put(a, { ...block, state: 'finalized' });
  datanodes.remove('f');
  datanodes.put(b, { ...block, state: 'finalized' });
  expect(datanodes.orphans).toEqual([`a1 ${blockId}`, `b1 ${blockId}`]);
  expect(datanodes.rowOf(blockId)).toBe(-1);
});

test('what was said of a block that was removed is not said of the one that has its row now', () => {
  const { datanodes, a, b, block, blockId } = scene();
  for (const volume of [a, b]) datanodes.put(volume, { ...block, state: 'finalized' });
  datanodes.damage(a, blockId);
  const row = datanodes.rowOf(blockId);
  datanodes.remove('f');
  const other = datanodes.file('g');
  expect(datanodes.rowOf(other.blockId)).toBe(row);
  expect(datanodes.live(other.blockId)).toEqual([]);
  datanodes.put(a, { ...other, state: 'finalized' });
  expect(datanodes.live(other.blockId)).toEqual(['a1']);
});

const names = ['f', 'g', 'h', 'i', 'j'];
const step = fc.record({
  kind: fc.constantFrom(
    ...(['put', 'put', 'put', 'drop', 'damage', 'begin', 'part', 'part', 'part'] as const),
    ...(['repeat', 'skip', 'restart', 'change', 'remove', 'file', 'report'] as const),
  ),
  volume: fc.nat(3),
  file: fc.nat(names.length - 1),
  isTold: fc.integer({ min: 0, max: 9 }).map((chance) => chance > 1),
  isWhole: fc.integer({ min: 0, max: 4 }).map((chance) => chance > 0),
});

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** Datanodes and five files, moved by random steps. */
class Run {
  readonly datanodes = new ReportingDatanodes();
  readonly blockIds = names.map((name) => this.datanodes.file(name).blockId);

  take({ kind, volume: at, file, isTold, isWhole }: Step): void {
    const { datanodes, blockIds } = this;
    const volume = datanodes.volumes[at];
    const [name = '', blockId = 0] = [names[file], blockIds[file]];
    if (volume === undefined) return;
    const isThere = datanodes.rowOf(blockId) >= 0;
    const put = () => {
      const state = isWhole ? 'finalized' : 'being-written';
      datanodes.put(volume, { ...datanodes.versionOf(blockId), state }, isTold);
    };
    const make = () => {
      blockIds[file] = datanodes.file(name).blockId;
    };
    const actions = {
      put: () => isThere && put(),
      drop: () => datanodes.drop(volume, blockId, isTold),
      damage: () => datanodes.damage(volume, blockId),
      begin: () => datanodes.begin(volume),
      part: () => datanodes.part(volume),
      repeat: () => expect(datanodes.part(volume, -1)).not.toBe('complete'),
      skip: () => expect(datanodes.part(volume, 1)).not.toBe('taken'),
      restart: () => datanodes.restart(volume.place.datanodeId),
      report: () => datanodes.reportAll(volume),
      change: () => datanodes.change(blockId, isWhole ? 60 : 50),
      remove: () => datanodes.remove(name),
      file: () => isThere || make(),
    };
    actions[kind]();
  }

  /** @returns how many live replicas there are of which all is told */
  verify(): number {
    const { datanodes, blockIds } = this;
    const silent = datanodes.volumes.filter(({ isUntold }) => isUntold);
    const silentIds = new Set(silent.map(({ place }) => place.datanodeId));
    const told = (all: string[]) => all.filter((storageId) => !silentIds.has(storageId.charAt(0)));
    let count = 0;
    for (const id of blockIds.filter((one) => datanodes.rowOf(one) >= 0)) {
      const live = told(datanodes.live(id));
      expect(live).toEqual(told(datanodes.expectedLive(id)));
      expect(datanodes.map.liveCountOf(datanodes.rowOf(id))).toBe(datanodes.live(id).length);
      count += live.length;
    }
    return count;
  }
}

test('what is live is what datanodes have and have told, after each step', () => {
  let compared = 0;
  let amongParts = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 100 }), (steps) => {
      const run = new Run();
      for (const one of steps) {
        run.take(one);
        compared += run.verify();
        if (run.datanodes.volumes.some(({ report }) => report !== null)) amongParts++;
      }
      for (const volume of run.datanodes.volumes) run.datanodes.reportAll(volume);
      run.verify();
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(1_500);
  expect(amongParts).toBeGreaterThan(300);
});
