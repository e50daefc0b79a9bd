/**
 * The job of the groupby benches: rows per key with their sum. Of the groups one line is written that
 * depends on all of them, so that grouping is measured and not the writing of a million lines.
 */
import { agg, defineJob, t } from 'millrace';
import { arrow, files } from 'millrace/files';

const ByNumber = t.struct({ key: t.int64(), amount: t.int64() });
const ByText = t.struct({ key: t.utf8(), amount: t.int64() });

export default defineJob({
  name: 'groupby',
  params: {
    input: t.path().describe('an Arrow file with the columns key and amount'),
    output: t.path().describe('the CSV file to write'),
    key: t.utf8().choices('int64', 'utf8').default('int64').describe('the type of the key'),
  },
  build: ({ read, params: { input, output, key } }) => {
    const byNumber = () =>
      read(files.source({ path: input, format: arrow(ByNumber) }))
        .keyBy((row) => row.key)
        .aggregate({ n: agg.count(), total: agg.sum((row) => row.amount) })
        .select(({ n, total }) => ({ n, total }));
    const byText = () =>
      read(files.source({ path: input, format: arrow(ByText) }))
        .keyBy((row) => row.key)
        .aggregate({ n: agg.count(), total: agg.sum((row) => row.amount) })
        .select(({ n, total }) => ({ n, total }));
    return (key === 'int64' ? byNumber() : byText())
      .keyBy((group) => ({ isGroup: group.n.ge(1) }))
      .aggregate({
        groups: agg.count(),
        rows: agg.sum((group) => group.n),
        squares: agg.sum((group) => group.n.mul(group.n)),
        products: agg.sum((group) => group.n.mul(group.total)),
        most: agg.max((group) => group.total),
      })
      .select(({ groups, rows, squares, products, most }) => ({
        groups,
        rows,
        squares,
        products,
        most,
      }))
      .writeTo(files.sink({ path: output }));
  },
});
