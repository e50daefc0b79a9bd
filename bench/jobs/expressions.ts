/**
 * The job of the expressions bench: a computed column over all trades, and the few rows that a
 * condition over it keeps. With `--functions` the column is computed by a function of
 * JavaScript instead, for every row.
 */
import { defineJob, t } from 'millrace';
import { arrow, files } from 'millrace/files';

const Trade = t.struct({
  id: t.int32(),
  day: t.int32(),
  quantity: t.int32(),
  price: t.float64(),
  discount: t.float64(),
});

const Priced = t.struct({ id: t.int32(), day: t.int32(), revenue: t.float64() });

export default defineJob({
  name: 'expressions',
  params: {
    input: t.path().describe('an Arrow file of trades'),
    output: t.path().describe('the CSV file to write'),
    functions: t.bool().default(false).describe('compute with a function instead of expressions'),
  },
  build: ({ read, params: { input, output, functions } }) => {
    const trades = read(files.source({ path: input, format: arrow(Trade) }));
    const priced = functions
      ? trades.map(Priced, ({ id, day, quantity, price, discount }) => ({
          id,
          day,
          revenue: price * quantity * (1 - discount),
        }))
      : trades.select(({ id, day, quantity, price, discount }) => ({
          id,
          day,
          revenue: price.mul(quantity).mul(discount.mul(-1).add(1)),
        }));
    return priced
      .where(({ day, revenue }) => day.ge(5000).and(revenue.gt(400_000)))
      .select(({ id, revenue }) => ({ id, revenue }))
      .writeTo(files.sink({ path: output }));
  },
});
