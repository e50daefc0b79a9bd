/** Goal: a full report counts as a whole, in its order, beside newer changes, and not too many at once. */
import { expect, test } from 'vitest';
import { VolumeReports } from '../../../../dfs/namenode/blocks/volume-reports.ts';
import { ReportingDatanodes } from '../../../support/reporting-datanodes.ts';

function scene() {
  const datanodes = new ReportingDatanodes();
  const blocks = ['f', 'g', 'h'].map((name) => datanodes.file(name));
  const [volume] = datanodes.volumes;
  if (volume === undefined) throw new Error();
  for (const block of blocks) datanodes.put(volume, { ...block, state: 'finalized' });
  const live = () => blocks.map(({ blockId }) => datanodes.live(blockId).length);
  return { datanodes, volume, blocks, live };
}

test('what no part has named is gone at the last part, and not before', () => {
  const { datanodes, volume, blocks, live } = scene();
  volume.replicas.delete(blocks[0]?.blockId ?? 0);
  volume.replicas.set(1, { blockId: 1, generationStamp: 1, lengthBytes: 1, state: 'finalized' });
  expect(datanodes.begin(volume)).toBe('taken');
  expect(live()).toEqual([1, 1, 1]);
  expect(datanodes.part(volume)).toBe('complete');
  expect(live()).toEqual([0, 1, 1]);
  expect(datanodes.reports.isComplete(volume.place)).toBe(true);
});

test('a change while it is sent is newer than the report', () => {
  const { datanodes, volume, blocks, live } = scene();
  datanodes.begin(volume);
  datanodes.drop(volume, blocks[2]?.blockId ?? 0);
  const late = datanodes.file('late');
  datanodes.put(volume, { ...late, state: 'finalized' });
  expect(datanodes.part(volume)).toBe('complete');
  expect(live()).toEqual([1, 1, 0]);
  expect(datanodes.live(late.blockId)).toEqual(['a1']);
});

test('a part that is missing voids the report, one that is repeated changes nothing', () => {
  const { datanodes, volume, live } = scene();
  datanodes.begin(volume);
  expect(datanodes.part(volume, -1)).toBe('taken');
  expect(datanodes.part(volume)).toBe('complete');
  expect(datanodes.part(volume, -1)).toBe('taken');
  expect(live()).toEqual([1, 1, 1]);
  for (const name of ['i', 'j']) {
    datanodes.put(volume, { ...datanodes.file(name), state: 'finalized' });
  }
  datanodes.begin(volume);
  expect(datanodes.part(volume, 1)).toBe('again');
  expect(live()).toEqual([1, 1, 1]);
});

test('only so many at once; who is silent in the middle makes room', () => {
  const { datanodes } = scene();
  const limits = { reportsMax: 2, silentMsMax: 100 };
  const reports = new VolumeReports(datanodes.scene.namespace, datanodes.map, limits);
  const part = (datanodeId: string, number: number, nowMs: number) => {
    const head = { datanodeId, storageId: `${datanodeId}1`, session: 1, reportId: 1 };
    return reports.part({ ...head, part: number, isLast: number === 1, replicas: [] }, nowMs);
  };
  expect([part('a', 0, 0), part('b', 0, 50), part('c', 0, 99)]).toEqual([
    'taken',
    'taken',
    'later',
  ]);
  expect([part('c', 0, 100), part('a', 1, 101)]).toEqual(['taken', 'again']);
  expect([part('a', 0, 102), part('b', 1, 103), part('a', 0, 104)]).toEqual([
    ...['later', 'complete', 'taken'],
  ]);
});

test('a life that is over takes its reports along', () => {
  const { datanodes, volume, live } = scene();
  datanodes.reportAll(volume);
  datanodes.begin(volume);
  datanodes.restart('a');
  expect(datanodes.reports.isComplete(volume.place)).toBe(false);
  expect(live()).toEqual([0, 0, 0]);
});
