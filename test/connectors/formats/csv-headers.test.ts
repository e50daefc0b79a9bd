/** Goal: where the headers of a source's files differ, the error names both files and the column; else only the file. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { FileEnumerator } from '../../../connectors/filesystem/file-enumerator.ts';
import { plainCsvStyle } from '../../../connectors/formats/csv-options.ts';
import { createCsvReader } from '../../../connectors/formats/csv-records.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { readSplits } from '../../support/read-records.ts';
import { emptyAtEnd, slotContext } from '../../support/slot-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const columns = ['id', 'word'];
const schema = schemaOf(fieldOf('id', int64Type), fieldOf('word', utf8Type));

/** Finds the files as a job does, and reads them: what it gives, or a function that throws what it throws. */
async function readFiles(files: Readonly<Record<string, string>>, style = plainCsvStyle) {
  const folder = tempFolder(files);
  const format = { kind: 'csv', columns, split: true, ...style } as const;
  const role = { disk: createRealDisk(), attemptId: 'attempt' };
  const enumerator = new FileEnumerator({ path: folder, format, extensions: null }, role);
  const { splits } = await enumerator.discover(2);
  const context = slotContext(schema, { memory: emptyAtEnd(64 << 20) });
  return { folder, read: () => readSplits(createCsvReader(format, context), splits) };
}

test.each`
  files                                                         | wrong      | right
  ${{ a: 'id,word\n1,x', b: 'id,text\n2,y' }}                   | ${'b.csv'} | ${'a.csv'}
  ${{ a: 'id,text\n1,x', b: 'id,word\n2,y' }}                   | ${'a.csv'} | ${'b.csv'}
  ${{ a: 'id,word\n1,x', b: 'id\n2', c: 'word,id\nz,3' }}       | ${'b.csv'} | ${'a.csv'}
  ${{ a: 'id\n1', b: 'id\n2', c: 'word,id\nz,3' }}              | ${'a.csv'} | ${'c.csv'}
  ${{ a: 'id,word\n1,x', b: 'id,word,word\n2,y,y', c: 'id\n' }} | ${'b.csv'} | ${'a.csv'}
`('of $files $right has what $wrong lacks', async ({ files, wrong, right }) => {
  const named = Object.entries<string>(files).map(([name, text]) => [`${name}.csv`, text]);
  const { folder, read } = await readFiles(Object.fromEntries(named));
  const error = typedErrorOf(read);
  const [wrongPath, rightPath] = [path.join(folder, wrong), path.join(folder, right)];
  expect(error?.info).toMatchObject({
    code: 'SCHEMA_MISMATCH',
    hint: expect.stringContaining('must have the columns that the job declares'),
    details: { path: wrongPath, other: rightPath },
  });
  expect(error?.message).toMatch(/"word"/);
  expect(error?.message).toContain(`file "${wrongPath}" has `);
  expect(error?.message).toContain(`; "${rightPath}", of the same source, has it`);
});

test.each`
  files                                      | why
  ${{ 'a.csv': 'id,text\n1,x' }}             | ${'there is one file'}
  ${{ 'a.csv': 'id\n1', 'b.csv': 'id\n2' }}  | ${'none has the column'}
  ${{ 'a.csv': 'id\n1', 'b.csv': '"id,wo' }} | ${'the other has no header'}
`('it is the declaration that is wrong where $why', async ({ files }) => {
  const { folder, read } = await readFiles(files);
  const error = typedErrorOf(read);
  expect(error?.info.code).toBe('CSV_HEADER');
  expect(error?.message).toBe(
    `file "${path.join(folder, 'a.csv')}" has no column "word" in its header`,
  );
});

test('columns in another order, and more of them, are no mismatch', async () => {
  const { read } = await readFiles({ 'a.csv': 'id,word\n1,x', 'b.csv': 'more,word,id\n9,y,2' });
  expect(read().rows).toEqual([
    { id: 1n, word: 'x' },
    { id: 2n, word: 'y' },
  ]);
});

test('without a header files have no names that could differ', async () => {
  const style = { ...plainCsvStyle, header: false };
  const { read } = await readFiles({ 'a.csv': '1,x', 'b.csv': '2,y' }, style);
  expect(read().rows).toHaveLength(2);
});
