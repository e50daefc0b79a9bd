/** Q14, promotion effect: the share of a month's revenue that promoted parts brought, in percent. */
import { agg, lit, t, when } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h14({ lineitem, part }: Tables) {
  const from = lit('1995-09-01', t.date());
  return lineitem
    .where((line) => line.l_shipdate.ge(from).and(line.l_shipdate.lt(from.addMonths(1))))
    .join(part, { on: (line, row) => line.l_partkey.eq(row.p_partkey) })
    .aggregate({
      promoted: agg.sum((line) => when(line.p_type.like('PROMO%'), revenueOf(line)).otherwise(0)),
      all: agg.sum(revenueOf),
    })
    .select(({ promoted, all }) => ({
      promo_revenue: promoted.mul(100).cast(t.float64()).div(all.cast(t.float64())),
    }));
}
