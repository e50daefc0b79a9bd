/** Goal: sockets lie where this user alone can reach them, in paths that every system takes. */
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findSockets, jobFolders, newSocketPath } from '../../../cli/control/job-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const userId = process.getuid?.() ?? 0;

function places(folder: string) {
  return { runtimeFolder: join(folder, 'run'), temporaryFolder: join(folder, 'tmp'), userId };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('the runtime folder comes first; its folder is made for this user alone', () => {
  const folder = tempFolder({ 'run/x': '', 'tmp/x': '' });
  const path = newSocketPath(places(folder), 4711, 'ab12');
  expect(path).toBe(join(folder, 'run/millrace/4711-ab12.sock'));
  expect(modeOf(join(folder, 'run/millrace'))).toBe(0o700);
});

test('without a runtime folder the one for temporary files will do', () => {
  const folder = tempFolder({ 'tmp/x': '' });
  const own = join(folder, `tmp/millrace-jobs-${userId}`);
  const withoutRun = { ...places(folder), userId };
  // The system's own runtime folder of this user may be there: it would be as good.
  const path = newSocketPath({ ...withoutRun, runtimeFolder: undefined }, 1, 'ff');
  expect([join(own, '1-ff.sock'), `/run/user/${userId}/millrace/1-ff.sock`]).toContain(path);
  expect(jobFolders({ ...withoutRun, runtimeFolder: 'relative' })).not.toContain(
    'relative/millrace',
  );
});

test('a folder that others may look into is closed; a link is not followed', () => {
  const folder = tempFolder({ 'run/x': '', 'tmp/x': '' });
  mkdirSync(join(folder, 'run/millrace'));
  chmodSync(join(folder, 'run/millrace'), 0o755);
  expect(newSocketPath(places(folder), 1, 'ff')).toBe(join(folder, 'run/millrace/1-ff.sock'));
  expect(modeOf(join(folder, 'run/millrace'))).toBe(0o700);

  const other = tempFolder({ 'run/x': '', 'elsewhere/1-aa.sock': '' });
  symlinkSync(join(other, 'elsewhere'), join(other, 'run/millrace'));
  expect(newSocketPath(places(other), 1, 'ff')).not.toContain(other);
  expect(
    findSockets(places(other))
      .map(({ path }) => path)
      .join(),
  ).not.toContain(other);
});

test.runIf(userId === 0)("somebody else's folder is not used", () => {
  const folder = tempFolder({ 'run/x': '' });
  mkdirSync(join(folder, 'run/millrace'), { mode: 0o700 });
  const elses = { ...places(folder), userId: 12_345 };
  expect(newSocketPath(elses, 1, 'ff') ?? '').not.toContain(folder);
});

test('paths of sockets have 103 bytes or less: a folder that is too deep is passed over', () => {
  const deep = `/${'d'.repeat(80)}`;
  const folders = jobFolders({ runtimeFolder: deep, temporaryFolder: deep, userId: 1_000 });
  expect(folders).toEqual(['/run/user/1000/millrace', '/tmp/millrace-jobs-1000']);
  for (const folder of jobFolders({
    runtimeFolder: '/run/x',
    temporaryFolder: '/t',
    userId: 4_294_967_295,
  })) {
    expect(Buffer.byteLength(join(folder, '4194304-0123abcd.sock'))).toBeLessThanOrEqual(103);
  }
});

test('a folder that the environment names is the only place', () => {
  const folder = tempFolder({ 'run/x': '' });
  const one = { ...places(folder), onlyFolder: join(folder, 'own') };
  expect(jobFolders(one)).toEqual([join(folder, 'own')]);
  expect(newSocketPath(one, 1, 'ff')).toBe(join(folder, 'own/1-ff.sock'));
  expect(jobFolders({ ...one, onlyFolder: 'relative' })).toContain(join(folder, 'run/millrace'));
});

test('sockets are found in all places, and nothing else is', () => {
  const folder = tempFolder({ 'run/x': '', 'tmp/x': '' });
  for (const own of [join(folder, 'run/millrace'), join(folder, `tmp/millrace-jobs-${userId}`)]) {
    mkdirSync(own, { mode: 0o700 });
  }
  const paths = ['run/millrace/20-aa.sock', `tmp/millrace-jobs-${userId}/3-bb.sock`];
  for (const path of [...paths, 'run/millrace/notes.txt', 'run/millrace/x-aa.sock']) {
    writeFileSync(join(folder, path), '');
  }
  const own = findSockets(places(folder)).filter(({ path }) => path.startsWith(folder));
  expect(own).toEqual([
    { processId: 3, path: join(folder, paths[1] ?? '') },
    { processId: 20, path: join(folder, paths[0] ?? '') },
  ]);
});
