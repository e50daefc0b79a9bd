/** Q1, pricing summary report: what was shipped up to a date, by return flag and line status. */
import { agg, lit, t } from 'millrace';
import { one, revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h1({ lineitem }: Tables) {
  return lineitem
    .where((line) => line.l_shipdate.le(lit('1998-12-01', t.date()).addDays(-90)))
    .keyBy((line) => [line.l_returnflag, line.l_linestatus])
    .aggregate({
      sum_qty: agg.sum((line) => line.l_quantity),
      sum_base_price: agg.sum((line) => line.l_extendedprice),
      sum_disc_price: agg.sum(revenueOf),
      sum_charge: agg.sum((line) => revenueOf(line).mul(one.add(line.l_tax))),
      avg_qty: agg.avg((line) => line.l_quantity),
      avg_price: agg.avg((line) => line.l_extendedprice),
      avg_disc: agg.avg((line) => line.l_discount),
      count_order: agg.count(),
    })
    .orderBy((row) => [row.l_returnflag.asc(), row.l_linestatus.asc()]);
}
