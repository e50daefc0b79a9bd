/** Goal: a target that cannot or must not be written is refused before any work, in plain words. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FaultPlan } from '../../support/faulty-disk.ts';
import { SinkScene, sceneCsv } from '../../support/sink-scene.ts';
import { contentsOf, tempFolder } from '../../support/temp-folder.ts';

async function refusal(scene: SinkScene) {
  const error = await scene.committer.prepare().then(
    () => null,
    (thrown) => thrown,
  );
  return { code: error?.info.code, message: error?.message, hint: error?.info.hint };
}

test('a folder that exists is replaced only when asked', async () => {
  const folder = tempFolder({ 'out/keep.txt': 'keep' });
  const target = path.join(folder, 'out');
  for (const written of [target, `${target}/`]) {
    expect(await refusal(new SinkScene({ path: written }))).toEqual({
      code: 'SINK_FOLDER_EXISTS',
      message: `folder "${target}" exists already`,
      hint: expect.stringContaining('--overwrite'),
    });
  }
  expect(contentsOf(folder)).toEqual({ 'out/keep.txt': 'keep' });
});

test('a folder that appears while the job runs is not replaced either', async () => {
  const folder = tempFolder();
  const target = path.join(folder, 'out');
  const scene = new SinkScene({ path: `${target}/` });
  scene.write(await scene.committer.prepare());
  fs.mkdirSync(target);
  fs.writeFileSync(path.join(target, 'mine'), 'mine');
  await expect(scene.committer.commit(scene.writes)).rejects.toThrow('exists already');
  await scene.committer.abort();
  expect(contentsOf(folder)).toEqual({ 'out/mine': 'mine' });
});

test('a missing parent, a parent that is a file, and a device are refused', async () => {
  const folder = tempFolder({ file: 'text' });
  const missing = path.join(folder, 'no', 'out.csv');
  expect(await refusal(new SinkScene({ path: missing }))).toEqual({
    code: 'SINK_PARENT_MISSING',
    message: `"${missing}" cannot be written: there is no folder "${path.dirname(missing)}"`,
    hint: `Make the folder first: mkdir -p "${path.dirname(missing)}".`,
  });
  const inFile = new SinkScene({ path: path.join(folder, 'file', 'out.csv') });
  expect(await refusal(inFile)).toMatchObject({ code: 'SINK_UNWRITABLE' });
  const asFolder = new SinkScene({ path: `${path.join(folder, 'file')}/` });
  expect(await refusal(asFolder)).toMatchObject({ code: 'SINK_UNWRITABLE' });
  expect(await refusal(new SinkScene({ path: '/dev/null' }))).toMatchObject({
    code: 'SINK_UNWRITABLE',
    message: '"/dev/null" cannot be written: it is neither a file nor a folder',
  });
  expect(contentsOf(folder)).toEqual({ file: 'text' });
});

test('a folder without the right to write is noticed before the job starts', async () => {
  const folder = tempFolder();
  const target = path.join(folder, 'out.csv');
  const counting = new SinkScene({ path: target });
  await counting.committer.prepare();
  const at = counting.plan.calls.findIndex((call) => call.startsWith('open'));
  const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_PERMISSION' });
  expect(await refusal(new SinkScene({ path: target }, { plan }))).toMatchObject({
    code: 'SINK_UNWRITABLE',
    message: `"${target}" cannot be written: no right to do so`,
  });
});

test('a full disk names the target and leaves no part of it', async () => {
  const folder = tempFolder({ 'out.csv': 'old' });
  const target = path.join(folder, 'out.csv');
  const counting = new SinkScene({ path: target });
  counting.write(await counting.committer.prepare());
  await counting.committer.abort();
  const at = counting.plan.calls.findIndex((call) => call.startsWith('write'));
  const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_FULL' });
  const scene = new SinkScene({ path: target }, { plan });
  await expect(scene.run()).rejects.toThrow(`the disk is full while "${target}" is written`);
  await scene.committer.abort();
  expect(contentsOf(folder)).toEqual({ 'out.csv': 'old' });
});

test('leftovers of dead attempts go when they are a day old, those of others stay', async () => {
  const old = ['.out.csv.dead-0.tmp', '.out.csv.dead.new/part-00000.csv'];
  const stays = ['.out.csv.young-1.tmp', '.out.csv.b.dead-0.tmp', '.other.dead-0.tmp', '.out.csv'];
  const folder = tempFolder(Object.fromEntries([...old, ...stays].map((name) => [name, 'x'])));
  const twoDaysAgo = new Date(fs.statSync(folder).mtimeMs - 48 * 3_600_000);
  for (const name of [...old, '.out.csv.dead.new', '.out.csv.b.dead-0.tmp']) {
    fs.utimesSync(path.join(folder, name), twoDaysAgo, twoDaysAgo);
  }
  const scene = new SinkScene({ path: path.join(folder, 'out.csv') });
  await scene.committer.prepare();
  expect(Object.keys(contentsOf(folder)).sort()).toEqual(stays.sort());
});

test('a commit whose file someone removed says so', async () => {
  const folder = tempFolder({ 'out.csv': 'old' });
  const scene = new SinkScene({ path: path.join(folder, 'out.csv') });
  scene.write(await scene.committer.prepare());
  for (const name of fs.readdirSync(folder)) {
    if (name.startsWith('.')) fs.unlinkSync(path.join(folder, name));
  }
  await expect(scene.committer.commit(scene.writes)).rejects.toThrow('is no longer there');
});

test('an attempt id of any form and a name of full length are written', async () => {
  const folder = tempFolder();
  const name = `${'ü'.repeat(120)}.csv`;
  const scene = new SinkScene({ path: path.join(folder, name) }, { attemptId: 'job/1.2 "x"' });
  await scene.run();
  expect(contentsOf(folder)).toEqual({ [name]: sceneCsv(0) });
});

test('relative paths and NDJSON parts', async () => {
  const folder = path.relative(process.cwd(), tempFolder());
  const scene = new SinkScene(
    { path: `${folder}//parts/`, format: { kind: 'ndjson' } },
    { taskCount: 2 },
  );
  await scene.run();
  expect(contentsOf(folder)).toEqual({
    'parts/part-00000.ndjson': '{"word":"the","count":0}\n{"word":"of","count":7}\n',
    'parts/part-00001.ndjson': '{"word":"the","count":1}\n{"word":"of","count":7}\n',
  });
});
