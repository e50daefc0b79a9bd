/** The job of the shuffle bench: rows and distinct amounts per key, and one line that depends on all groups. */
import { agg, defineJob, t } from 'millrace';
import { arrow, files } from 'millrace/files';

const Row = t.struct({ key: t.int64(), amount: t.int64() });

export default defineJob({
  name: 'shuffle',
  params: {
    input: t.path().describe('an Arrow file with the columns key and amount'),
    output: t.path().describe('the CSV file to write'),
  },
  build: ({ read, params: { input, output } }) =>
    read(files.source({ path: input, format: arrow(Row) }))
      .keyBy((row) => row.key)
      .aggregate({ n: agg.count(), total: agg.countDistinct((row) => row.amount) })
      .aggregate({
        groups: agg.count(),
        rows: agg.sum((group) => group.n),
        squares: agg.sum((group) => group.n.mul(group.n)),
        products: agg.sum((group) => group.n.mul(group.total)),
        most: agg.max((group) => group.total),
      })
      .writeTo(files.sink({ path: output })),
});
