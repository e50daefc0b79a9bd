/**
 * Sorts records of 100 bytes by their first 10, as the sort benchmark asks for. There may be far more of them
 * than the memory holds: what does not fit goes to disk for a while, below --spill-dir.
 */
import { defineJob, t } from 'millrace';
import { files, fixedRecords } from 'millrace/files';
import { keyBytes, recordBytes } from './records.ts';

const Record = t.struct({ key: t.binary(), rest: t.binary() });
const bytes = { key: keyBytes, rest: recordBytes - keyBytes };

export default defineJob({
  name: 'sort',
  params: {
    input: t.path().describe('a file, a folder or a glob of records'),
    output: t.path().default('sorted/').describe('the folder, or file, to write'),
  },
  build: ({ read, params: { input, output } }) =>
    read(files.source({ path: input, format: fixedRecords(Record, { bytes }) }))
      .orderBy((record) => record.key.asc())
      .writeTo(files.sink({ path: output, format: fixedRecords({ bytes }) })),
});
