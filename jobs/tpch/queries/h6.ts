/** Q6, forecasting revenue change: what small discounts of a year cost. */
import { agg, lit, t } from 'millrace';
import type { Tables } from '../tables.ts';

export function h6({ lineitem }: Tables) {
  const from = lit('1994-01-01', t.date());
  return lineitem
    .where((line) => line.l_shipdate.ge(from).and(line.l_shipdate.lt(from.addYears(1))))
    .where((line) => line.l_discount.between('0.05', '0.07').and(line.l_quantity.lt(24)))
    .aggregate({ revenue: agg.sum((line) => line.l_extendedprice.mul(line.l_discount)) });
}
