/**
 * Q15, top supplier: whoever brought in the most in a quarter. The view is a stream that is used twice;
 * its maximum is one row, which is joined back.
 */
import { agg, lit, t } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h15({ lineitem, supplier }: Tables) {
  const from = lit('1996-01-01', t.date());
  const revenue = lineitem
    .where((line) => line.l_shipdate.ge(from).and(line.l_shipdate.lt(from.addMonths(3))))
    .keyBy((line) => line.l_suppkey)
    .aggregate({ total_revenue: agg.sum(revenueOf) });
  const most = revenue.aggregate({ most: agg.max((row) => row.total_revenue) });
  const best = revenue.join(most, { on: (row, top) => row.total_revenue.eq(top.most) });
  return supplier
    .join(best, { on: (row, top) => row.s_suppkey.eq(top.l_suppkey) })
    .select(({ s_suppkey, s_name, s_address, s_phone, total_revenue }) => {
      return { s_suppkey, s_name, s_address, s_phone, total_revenue };
    })
    .orderBy((row) => row.s_suppkey.asc());
}
