/** Goal: a path, folder or glob finds the files a person means, and says so when it finds none. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Disk } from '../../../base/env/disk.ts';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { TypedError } from '../../../base/typed-error.ts';
import { FileEnumerator } from '../../../connectors/filesystem/file-enumerator.ts';
import { rangesOf } from '../../../connectors/filesystem/file-range.ts';
import type { Json } from '../../../engine/contracts/json.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { type Field, fieldOf } from '../../../engine/schema/schema.ts';
import { writeArrow } from '../../support/arrow-files.ts';
import { FaultPlan, faultyDisk } from '../../support/faulty-disk.ts';
import { writeParquet } from '../../support/parquet-files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

interface Finding {
  readonly extensions?: readonly string[];
  readonly disk?: Disk;
}

async function discover(where: string, { extensions, disk = createRealDisk() }: Finding = {}) {
  const enumerator = new FileEnumerator(
    { path: where, format: { kind: 'text', invalidUtf8: 'fail' }, extensions: extensions ?? null },
    { disk, attemptId: 'attempt' },
  );
  return enumerator.discover(2);
}

async function found(folder: string, below: string, finding?: Finding): Promise<string[]> {
  const { splits } = await discover(path.join(folder, below), finding);
  const paths = splits.flatMap(({ payload }) => rangesOf(payload).map((range) => range.path));
  return paths.map((file) => path.relative(folder, file));
}

function tree(): string {
  const folder = tempFolder({
    'b.md': 'b',
    'a.txt': 'a',
    'sub/c.MD': 'c',
    'sub/deep/d.ts': 'd',
    '.hidden/e.md': 'e',
    'sub/.f.md': 'f',
    'empty.md': '',
    'odd[1].txt': 'odd',
  });
  fs.symlinkSync('b.md', path.join(folder, 'link.md'));
  fs.symlinkSync('..', path.join(folder, 'sub', 'up'));
  fs.symlinkSync('nowhere', path.join(folder, 'dangling.md'));
  return folder;
}

test.each`
  below              | extensions        | files
  ${'b.md'}          | ${null}           | ${['b.md']}
  ${'b.md'}          | ${['.txt']}       | ${['b.md']}
  ${''}              | ${null}           | ${['a.txt', 'b.md', 'link.md', 'odd[1].txt', 'sub/c.MD', 'sub/deep/d.ts']}
  ${'sub/'}          | ${null}           | ${['sub/c.MD', 'sub/deep/d.ts']}
  ${''}              | ${['.md', '.ts']} | ${['b.md', 'link.md', 'sub/c.MD', 'sub/deep/d.ts']}
  ${'.hidden'}       | ${null}           | ${['.hidden/e.md']}
  ${'*.md'}          | ${null}           | ${['b.md', 'link.md']}
  ${'**/*.{ts,txt}'} | ${null}           | ${['a.txt', 'odd[1].txt', 'sub/deep/d.ts']}
  ${'**'}            | ${['.ts']}        | ${['sub/deep/d.ts']}
  ${'su?/[a-c].*'}   | ${null}           | ${['sub/c.MD']}
  ${'.hid*/*'}       | ${null}           | ${['.hidden/e.md']}
  ${'odd[1].txt'}    | ${null}           | ${['odd[1].txt']}
`('"$below" with $extensions finds $files', async ({ below, extensions, files }) => {
  expect(await found(tree(), below, extensions === null ? {} : { extensions })).toEqual(files);
});

test('sizes and inputs are counted, empty files among them', async () => {
  const discovery = await discover(tree(), { extensions: ['.md'] });
  expect(discovery).toMatchObject({ sizeBytes: 3, inputCount: 4 });
  expect(await discover(path.join(tree(), 'empty.md'))).toEqual({
    splits: [],
    sizeBytes: 0,
    inputCount: 1,
  });
});

async function failure(where: string, finding?: Finding) {
  const error = await discover(where, finding).then(
    () => null,
    (thrown) => thrown,
  );
  return { code: error?.info.code, message: error?.message, hint: error?.info.hint };
}

test('a missing path says how far it leads, and what is called nearly so', async () => {
  const folder = tree();
  expect(await failure(path.join(folder, 'sub/deeep/d.ts'))).toEqual({
    code: 'SOURCE_NOT_FOUND',
    message: `no file or folder "${folder}/sub/deeep/d.ts"`,
    hint: `There is no "deeep" in "${folder}/sub"; did you mean "${folder}/sub/deep"?`,
  });
  const far = await failure(path.join(folder, 'unlike-anything-here/x'));
  expect(far.hint).toContain(`There is no "unlike-anything-here" in "${folder}". Check`);
  expect((await failure(path.join(folder, 'subb/*.md'))).hint).toContain('did you mean');
  expect((await failure('no-such-name-at-all')).hint).toContain('in the current folder');
  expect((await failure('')).code).toBe('SOURCE_NOT_FOUND');
});

test('nothing that matches says how many files were looked at', async () => {
  const folder = tree();
  expect(await failure(folder, { extensions: ['.csv', '.tsv'] })).toEqual({
    code: 'SOURCE_EMPTY',
    message: `no file with extension .csv, .tsv is in folder "${folder}"`,
    hint: expect.stringMatching(/^6 files were looked at, none that end in \.csv, \.tsv\./),
  });
  expect(await failure(`${folder}/**/*.csv`)).toMatchObject({
    code: 'SOURCE_EMPTY',
    message: `no file matches "${folder}/**/*.csv"`,
  });
  expect(await failure(tempFolder())).toMatchObject({
    code: 'SOURCE_EMPTY',
    hint: expect.stringMatching(/^0 files were looked at\./),
  });
});

test('a device is no source', async () => {
  expect(await failure('/dev/null')).toMatchObject({ code: 'SOURCE_UNREADABLE' });
});

test('whatever call of the disk is refused, no file is silently left out', async () => {
  const folder = tree();
  const counting = new FaultPlan();
  await discover(folder, { disk: faultyDisk(createRealDisk(), counting) });
  expect(counting.calls.length).toBeGreaterThan(8);
  for (let at = 0; at < counting.calls.length; at++) {
    const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_PERMISSION' });
    const result = await failure(folder, { disk: faultyDisk(createRealDisk(), plan) });
    expect([at, result.code]).toEqual([at, 'SOURCE_UNREADABLE']);
  }
});

const id = fieldOf('id', int64Type);

test.each`
  kind         | ending        | write
  ${'Parquet'} | ${'.parquet'} | ${writeParquet}
  ${'Arrow'}   | ${'.arrow'}   | ${writeArrow}
`('$kind files of other columns are both named', async ({ kind, ending, write }) => {
  const kernels = instantiateKernels(new SlotMemory({ budgetBytes: 16 << 20 }).memory);
  const word = fieldOf('word', utf8Type);
  const folderOf = (files: Readonly<Record<string, readonly Field[]>>) => {
    const folder = tempFolder();
    for (const [name, fields] of Object.entries(files)) {
      const options = { path: path.join(folder, `${name}${ending}`), kernels, container: 'file' };
      write(options, { fields }, []);
    }
    return folder;
  };
  const errorOf = async (files: Readonly<Record<string, readonly Field[]>>) => {
    const format = { kind: kind.toLowerCase(), fields: [id, word] as unknown as Json };
    const options = { path: folderOf(files), format, extensions: null };
    const enumerator = new FileEnumerator(options, {
      disk: createRealDisk(),
      attemptId: 'attempt',
    });
    const error = await enumerator.discover(2).catch((thrown: unknown) => thrown);
    if (!(error instanceof TypedError)) throw new Error('it was planned');
    return error;
  };
  const wordIsNumber = fieldOf('word', int64Type);
  const mistyped = await errorOf({ a: [id, word], b: [word, id], c: [id, wordIsNumber] });
  expect(mistyped.info.code).toBe('SCHEMA_MISMATCH');
  expect(mistyped.message).toMatch(
    new RegExp(`column "word" of ${kind} file ".*c${ending}" is int64, not utf8; ".*a${ending}"`),
  );
  // The first one is the odd one.
  const missing = await errorOf({ a: [id], b: [id, word] });
  expect(missing.message).toMatch(
    new RegExp(
      `file ".*a${ending}" has no column "word".*; ".*b${ending}", of the same source, has it`,
    ),
  );
  // It is the declaration that is wrong: of the others none is right.
  expect((await errorOf({ a: [id], b: [id] })).message).not.toContain('of the same source');
  expect((await errorOf({ a: [id] })).message).not.toContain('of the same source');
});
