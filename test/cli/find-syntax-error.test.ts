/** Goal: the place of a syntax error is found, in the job file or in what it imports. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findSyntaxError } from '../../cli/find-syntax-error.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('in the file itself, with the line as the user wrote it', () => {
  const folder = tempFolder({ 'job.mjs': 'const a = 1;\nconst b = = 3;\n' });
  expect(findSyntaxError(join(folder, 'job.mjs'))).toEqual({
    path: join(folder, 'job.mjs'),
    line: 2,
    column: 11,
    source: 'const b = = 3;',
  });
});

test('behind types, which keep their room', () => {
  const folder = tempFolder({ 'job.ts': 'const a: number = 1;\nconst a: number = 2;\n' });
  expect(findSyntaxError(join(folder, 'job.ts'))).toMatchObject({
    line: 2,
    column: 7,
    source: 'const a: number = 2;',
  });
});

test('in a file that is imported, around a circle', () => {
  const folder = tempFolder({
    'job.ts': "import './words.ts';\nimport 'elsewhere';\nexport default 1;\n",
    'words.ts': "export * from './deep.mjs';\nimport './job.ts';\n",
    'deep.mjs': 'let if = 1;\n',
  });
  expect(findSyntaxError(join(folder, 'job.ts'))).toMatchObject({
    path: join(folder, 'deep.mjs'),
    line: 1,
  });
});

test('files that all parse have none', () => {
  const folder = tempFolder({ 'job.ts': 'export default 1 as number;\n' });
  expect(findSyntaxError(join(folder, 'job.ts'))).toBeNull();
});
