/**
 * Goal: a job with checkpoints writes into a folder that is its own, a file for each task and checkpoint with rows, and is
 * refused where others have files. Crashes: test/contract/checkpoint-sink-contract.test.ts.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { FileCheckpointCommitter } from '../../../connectors/filesystem/file-checkpoint-committer.ts';
import type { FileSinkOptions } from '../../../connectors/filesystem/file-options.ts';
import { FilePartsWriter } from '../../../connectors/filesystem/file-parts-writer.ts';
import { targetOf } from '../../../connectors/filesystem/sink-target.ts';
import type { Json } from '../../../engine/contracts/json.ts';
import { sinkContext, writeNumbers } from '../../support/checkpoint-sink.ts';
import { contentsOf, tempFolder } from '../../support/temp-folder.ts';

const csv = { format: { kind: 'csv' }, overwrite: false };

function committerOf(options: Partial<FileSinkOptions> & { path: string }, attemptId = 'job.a-1') {
  return new FileCheckpointCommitter({ ...csv, ...options }, { disk: createRealDisk(), attemptId });
}

function writerOf(prepared: Json, taskIndex = 0) {
  const options = { format: csv.format, target: targetOf(prepared) };
  return new FilePartsWriter(options, sinkContext(taskIndex));
}

async function codeOfPrepare(options: Partial<FileSinkOptions> & { path: string }) {
  const failed = (error: { info?: { code: string } }) => error.info?.code ?? error;
  return await committerOf(options)
    .prepare(null)
    .then(() => null, failed);
}

test('a file for each checkpoint that has rows, named after task, checkpoint and attempt', async () => {
  const folder = tempFolder();
  const committer = committerOf({ path: `${folder}/out/` });
  const prepared = await committer.prepare(null);
  const [writer, idle] = [writerOf(prepared), writerOf(prepared, 1)];
  expect([writer.prepareCommit(4), idle.prepareCommit(4)]).toEqual([null, null]);
  writeNumbers(writer, []);
  expect(writer.prepareCommit(5)).toBe(null);
  writeNumbers(writer, [1, 2]);
  writeNumbers(writer, [3]);
  const fifth = writer.prepareCommit(6);
  const name = 'part-00000-5-job_a-1-1.csv';
  expect(fifth).toEqual({ name, sizeBytes: 8, rowCount: 3 });
  writeNumbers(writer, [4]);
  const rest = writer.finish();
  expect(Object.keys(contentsOf(folder)).every((file) => file.startsWith('out/.part-'))).toBe(true);
  await committer.commit([fifth, null]);
  await committer.commit([rest, idle.finish()]);
  expect(contentsOf(folder)).toEqual({
    [`out/${name}`]: 'n\n1\n2\n3\n',
    'out/part-00000-6-job_a-1-1.csv': 'n\n4\n',
  });
});

test.each`
  what                                  | before                  | path         | overwrite | code
  ${'a new folder'}                     | ${{}}                   | ${'out/'}    | ${false}  | ${null}
  ${'a folder without visible files'}   | ${{ 'out/.keep': '' }}  | ${'out/'}    | ${false}  | ${null}
  ${'a folder that is there, no slash'} | ${{ 'out/.keep': '' }}  | ${'out'}     | ${false}  | ${null}
  ${'a folder with files'}              | ${{ 'out/a.csv': 'x' }} | ${'out/'}    | ${false}  | ${'SINK_FOLDER_EXISTS'}
  ${'a folder with folders'}            | ${{ 'out/a/b': 'x' }}   | ${'out/'}    | ${false}  | ${'SINK_FOLDER_EXISTS'}
  ${'the same, to be replaced'}         | ${{ 'out/a/b': 'x' }}   | ${'out/'}    | ${true}   | ${null}
  ${'a file'}                           | ${{ 'out.csv': 'x' }}   | ${'out.csv'} | ${true}   | ${'SINK_NEEDS_FOLDER'}
  ${'what would be a file'}             | ${{}}                   | ${'out.csv'} | ${true}   | ${'SINK_NEEDS_FOLDER'}
  ${'a file where a folder is meant'}   | ${{ out: 'x' }}         | ${'out/'}    | ${true}   | ${'SINK_UNWRITABLE'}
  ${'a parent that is not there'}       | ${{}}                   | ${'a/out/'}  | ${false}  | ${'SINK_PARENT_MISSING'}
`('$what: $code', async ({ before, path: below, overwrite, code }) => {
  const folder = tempFolder(before);
  expect(await codeOfPrepare({ path: `${folder}/${below}`, overwrite })).toBe(code);
  const visible = Object.keys(contentsOf(folder)).filter((name) => !/\/\.|\/$/.test(name));
  expect(visible).toEqual(code === null ? [] : Object.keys(before));
});

test('what dead attempts have hidden is removed, names of others stay', async () => {
  const dead = '.part-00003-7-job_a-9-1.csv';
  const folder = tempFolder({ [`out/${dead}`]: 'x', 'out/.part-of-a-plan': 'y', 'out/.keep': '' });
  await committerOf({ path: `${folder}/out/` }).prepare(null);
  expect(Object.keys(contentsOf(folder))).toEqual(['out/.keep', 'out/.part-of-a-plan']);
});

test('who goes on commits what was pending, and refuses to where it is gone or another', async () => {
  const folder = tempFolder();
  const options = { path: `${folder}/out/`, overwrite: true };
  const first = writerOf(await committerOf(options).prepare(null));
  writeNumbers(first, [1]);
  const pending = [first.prepareCommit(1)];
  writeNumbers(first, [2]);
  first.prepareCommit(2);
  const file = path.join(folder, 'out/part-00000-0-job_a-1-1.csv');
  for (let time = 0; time < 2; time++) {
    await committerOf(options, 'job-2').prepare(structuredClone(pending));
    expect(contentsOf(folder)).toEqual({ 'out/part-00000-0-job_a-1-1.csv': 'n\n1\n' });
  }
  const lost = expect.objectContaining({ info: expect.objectContaining({ code: 'SINK_LOST' }) });
  fs.appendFileSync(file, '7');
  await expect(committerOf(options).prepare(pending)).rejects.toThrow(lost);
  fs.unlinkSync(file);
  await expect(committerOf(options).commit(pending)).rejects.toThrow(lost);
});

test('what could not be committed is kept by an abort, for whoever goes on', async () => {
  const folder = tempFolder();
  const committer = committerOf({ path: `${folder}/out/` });
  const writer = writerOf(await committer.prepare(null));
  writeNumbers(writer, [1]);
  const part = writer.prepareCommit(1);
  writeNumbers(writer, [2]);
  writer.prepareCommit(2);
  const gone = { name: 'part-00009-0-x-1.csv', sizeBytes: 1, rowCount: 1 };
  await expect(committer.commit([gone, part])).rejects.toThrow('no longer there');
  await committer.abort();
  expect(Object.keys(contentsOf(folder))).toEqual(['out/.part-00000-0-job_a-1-1.csv']);
});
