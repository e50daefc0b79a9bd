/**
 * Goal: what a job prints is read page by page as it was written, also characters that a page cuts; what is kept is bounded, places
 * stay places when the beginning is dropped or the worker starts again, and a full disk costs lines and nothing else.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Disk } from '../../../base/env/disk.ts';
import { diskError } from '../../../base/env/disk-error.ts';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { JobLog, wholeText } from '../../../worker/supervisor/job-log.ts';
import { JobLogs } from '../../../worker/supervisor/job-logs.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

function newLog(folder = join(tempFolder(), 'job'), segmentBytes?: number) {
  const env = createRealEnv();
  const options = segmentBytes === undefined ? { folder } : { folder, segmentBytes };
  return { folder, log: new JobLog(env, options), again: () => new JobLog(env, options) };
}

async function readAll(log: JobLog, from = 0) {
  let text = '';
  let next = from;
  for (let page = 0; page < 100; page++) {
    const part = await log.read(next);
    text += part.text;
    next = part.next;
    if (part.isEnd) return { text, next, pages: page + 1 };
  }
  return expect.unreachable('it does not end');
}

test('a log that nobody has written to is empty', async () => {
  expect(await newLog().log.read(0)).toEqual({ text: '', next: 0, isEnd: true });
});

test('lines come back as they were printed, from anywhere, and new ones from where the last page ended', async () => {
  const { log, again } = newLog();
  await log.append(bytesOf('one\n'));
  const { next } = await log.read(0);
  await Promise.all([log.append(bytesOf('two\n')), log.append(bytesOf('three\n'))]);
  expect(await log.read(next)).toEqual({ text: 'two\nthree\n', next: 14, isEnd: true });
  expect(await log.read(-6)).toEqual({ text: 'three\n', next: 14, isEnd: true });
  expect(await log.read(-1_000)).toMatchObject({ text: 'one\ntwo\nthree\n' });
  expect(await log.read(1_000)).toEqual({ text: '', next: 14, isEnd: true });
  const restarted = again();
  await restarted.append(bytesOf('four\n'));
  expect((await readAll(restarted)).text).toBe('one\ntwo\nthree\nfour\n');
});

test('a long log has pages, and no character is lost at their borders', async () => {
  const { log } = newLog();
  const text = 'a😀bäc→'.repeat(60_000);
  await log.append(bytesOf(text));
  const all = await readAll(log);
  expect(all.pages).toBeGreaterThan(2);
  expect(all.text).toBe(text);
});

test('of a log that grows two segments are kept, and places stay what they were', async () => {
  const { log, folder, again } = newLog(undefined, 10);
  for (let line = 0; line < 8; line++) await log.append(bytesOf(`line ${line}\n`));
  expect(readdirSync(folder).sort()).toEqual(['28.log', '42.log']);
  // What was asked for is gone: it goes on with what is there.
  expect(await readAll(log, 7)).toMatchObject({
    text: 'line 4\nline 5\nline 6\nline 7\n',
    next: 56,
  });
  expect((await readAll(again(), 35)).text).toBe('line 5\nline 6\nline 7\n');
});

test('what a full disk does not take is left out, and the job goes on', async () => {
  const env = createRealEnv();
  const events: string[] = [];
  let isFull = false;
  const write: Disk['write'] = (...args) => {
    return isFull ? Promise.reject(diskError('ENOSPC', 'log')) : env.disk.write(...args);
  };
  const disk = new Proxy(env.disk, {
    get: (real, name: keyof Disk) => (name === 'write' ? write : real[name].bind(real)),
  });
  const observe = { event: (name: string) => events.push(name) };
  const log = new JobLog({ disk, observe }, { folder: join(tempFolder(), 'job') });
  await log.append(bytesOf('one\n'));
  isFull = true;
  for (const line of ['two\n', 'three\n']) await log.append(bytesOf(line));
  isFull = false;
  await log.append(bytesOf('four\n'));
  expect((await log.read(0)).text).toBe('one\nfour\n');
  expect(events).toEqual(['log.not-written']);
});

test.each`
  bytes                       | hasMore  | text         | byteCount
  ${[]}                       | ${true}  | ${''}        | ${0}
  ${[0x61]}                   | ${true}  | ${'a'}       | ${1}
  ${[0x61, 0xc3]}             | ${true}  | ${'a'}       | ${1}
  ${[0x61, 0xc3, 0xa4]}       | ${true}  | ${'aä'}      | ${3}
  ${[0x61, 0xf0, 0x9f, 0x98]} | ${true}  | ${'a'}       | ${1}
  ${[0xa4, 0x61]}             | ${false} | ${'a'}       | ${2}
  ${[0x61, 0xc3]}             | ${false} | ${'a\ufffd'} | ${2}
  ${[0xa4]}                   | ${true}  | ${'\ufffd'}  | ${1}
`(
  'of the bytes $bytes, with more: $hasMore, "$text" is whole',
  ({ bytes, hasMore, text, byteCount }) => {
    const { text: found, byteCount: count } = wholeText(Uint8Array.from(bytes), hasMore);
    expect([found.replaceAll('\ufffd', ''), count]).toEqual([
      text.replaceAll('\ufffd', ''),
      byteCount,
    ]);
  },
);

test('of many jobs the newest are kept', async () => {
  const folder = tempFolder({ 'old/0.log': 'x', 'new/0.log': 'y' });
  const env = createRealEnv();
  const disk = Object.assign(Object.create(env.disk), {
    stat: async (path: string) => {
      return { kind: 'folder', sizeBytes: 0, modifiedMs: path.endsWith('old') ? 1 : 2 };
    },
  });
  const logs = new JobLogs({ disk, observe: env.observe }, { folder, logsMax: 1 });
  await logs.open();
  expect(readdirSync(folder)).toEqual(['new']);
  expect(logs.of('new')).toBe(logs.of('new'));
});
