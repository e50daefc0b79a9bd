/** Q12, shipping modes and order priority: late lines of a year by ship mode, urgent ones apart. */
import { agg, lit, t, when } from 'millrace';
import type { Tables } from '../tables.ts';

export function h12({ orders, lineitem }: Tables) {
  const from = lit('1994-01-01', t.date());
  return lineitem
    .where((line) => line.l_shipmode.in('MAIL', 'SHIP'))
    .where((line) =>
      line.l_commitdate.lt(line.l_receiptdate).and(line.l_shipdate.lt(line.l_commitdate)),
    )
    .where((line) => line.l_receiptdate.ge(from).and(line.l_receiptdate.lt(from.addYears(1))))
    .join(orders, { on: (line, order) => line.l_orderkey.eq(order.o_orderkey) })
    .derive((line) => ({ is_high: line.o_orderpriority.in('1-URGENT', '2-HIGH') }))
    .keyBy((line) => line.l_shipmode)
    .aggregate({
      high_line_count: agg.sum((line) => when(line.is_high, 1n).otherwise(0n)),
      low_line_count: agg.sum((line) => when(line.is_high, 0n).otherwise(1n)),
    })
    .orderBy((row) => row.l_shipmode.asc());
}
