/**
 * The job of the sort benches: all rows in the order of a column, written as Arrow, so that sorting is
 * measured, and the reading and writing that it cannot do without.
 */
import { defineJob, t } from 'millrace';
import { arrow, files } from 'millrace/files';

const Row = t.struct({ small: t.int32(), real: t.float64(), value: t.int64() });

export default defineJob({
  name: 'sort',
  params: {
    input: t.path().describe('an Arrow file of rows'),
    output: t.path().describe('the Arrow file to write'),
    key: t.utf8().choices('small', 'real').default('small').describe('the column to sort by'),
  },
  build: ({ read, params: { input, output, key } }) => {
    const rows = read(files.source({ path: input, format: arrow(Row) }));
    const bySmall = rows.select(({ small, value }) => ({ small, value }));
    const byReal = rows.select(({ real, value }) => ({ real, value }));
    return key === 'small'
      ? bySmall.orderBy((row) => row.small.asc()).writeTo(files.sink({ path: output }))
      : byReal.orderBy((row) => row.real.asc()).writeTo(files.sink({ path: output }));
  },
});
