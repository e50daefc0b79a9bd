/** Goal: functions count what they say and nothing else, and get files whole or an error that names them. */
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRealSyncDisk } from '../../../base/env/real-sync-disk.ts';
import { codeOf } from '../../../base/typed-error.ts';
import {
  FunctionCounters,
  functionContextOf,
  noFunctionContext,
} from '../../../engine/compile/function-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const folderOf = () => tempFolder({ 'words.txt': 'the\nä', 'large.bin': '' });
const disk = createRealSyncDisk();

function contextWith(
  sideFiles: Readonly<Record<string, string>>,
  counters = new FunctionCounters(),
) {
  return functionContextOf({ operator: 'tested', counters, disk, sideFiles });
}

function errorOf(call: () => unknown): { code: unknown; message: string } {
  try {
    call();
  } catch (error) {
    return { code: codeOf(error), message: error instanceof Error ? error.message : '' };
  }
  return { code: null, message: '' };
}

test('counters add up, by 1 and by other numbers', () => {
  const counters = new FunctionCounters();
  const context = contextWith({}, counters);
  context.count('bad');
  context.count('bad', 4);
  context.count('less', -2);
  expect(counters.counts()).toEqual({ bad: 5, less: -2 });
});

test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1' as never])(
  'counting %s is refused',
  (by) => {
    const { code, message } = errorOf(() => contextWith({}).count('bad', by));
    expect(code).toBe('JOB_ARGUMENT_INVALID');
    expect(message).toContain('"bad"');
  },
);

test('a counter per key is refused: counters are few', () => {
  const context = contextWith({});
  for (let key = 0; key < 1000; key++) context.count(`key ${key}`);
  context.count('key 7');
  expect(errorOf(() => context.count('one more')).message).toContain('more than 1,000 counters');
});

test('a side file is there whole, as bytes and as text', () => {
  const folder = folderOf();
  const { sideFile } = contextWith({ words: join(folder, 'words.txt') });
  expect(sideFile('words').text).toBe('the\nä');
  expect([...sideFile('words').bytes]).toEqual([...Buffer.from('the\nä')]);
});

test('a file that is not there, too large or not named is an error that names it', () => {
  const folder = folderOf();
  truncateSync(join(folder, 'large.bin'), 64 * 1024 * 1024 + 1);
  const cases: [() => unknown, RegExp][] = [
    [
      () => contextWith({ words: join(folder, 'no.txt') }),
      /side file "words" can't be read: .*no\.txt/,
    ],
    [() => contextWith({ words: folder }), /side file "words" can't be read/],
    [
      () => contextWith({ all: join(folder, 'large.bin') }),
      /"all" has 64(\.0)? MB, at most 64(\.0)? MB/,
    ],
    [
      () => contextWith({ a: join(folder, 'words.txt') }).sideFile('b'),
      /"tested" has no side file "b"/,
    ],
    [() => noFunctionContext.sideFile('b'), /no side file "b"/],
  ];
  for (const [call, message] of cases) {
    const found = errorOf(call);
    expect(found.code).toBe('JOB_SIDE_FILE');
    expect(found.message).toMatch(message);
  }
});
