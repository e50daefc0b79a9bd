/**
 * Q4, order priority checking: orders of a quarter with a line that came later than promised, by
 * priority. `exists` is a semi join.
 */
import { agg, lit, t } from 'millrace';
import type { Tables } from '../tables.ts';

export function h4({ orders, lineitem }: Tables) {
  const from = lit('1993-07-01', t.date());
  return orders
    .where((order) => order.o_orderdate.ge(from).and(order.o_orderdate.lt(from.addMonths(3))))
    .join(
      lineitem.where((line) => line.l_commitdate.lt(line.l_receiptdate)),
      { on: (order, line) => order.o_orderkey.eq(line.l_orderkey), type: 'semi' },
    )
    .keyBy((order) => order.o_orderpriority)
    .aggregate({ order_count: agg.count() })
    .orderBy((row) => row.o_orderpriority.asc());
}
