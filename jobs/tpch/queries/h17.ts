/**
 * Q17, small-quantity-order revenue: what a year would lose without orders of little of a part. The
 * correlated subquery is an average by part, joined to the lines of those parts.
 */
import { agg, t } from 'millrace';
import type { Tables } from '../tables.ts';

export function h17({ lineitem, part }: Tables) {
  const boxes = part.where((row) => row.p_brand.eq('Brand#23').and(row.p_container.eq('MED BOX')));
  const lines = lineitem.join(boxes, {
    on: (line, row) => line.l_partkey.eq(row.p_partkey),
    type: 'semi',
  });
  const usual = lines
    .keyBy((line) => ({ partkey: line.l_partkey }))
    .aggregate({ average: agg.avg((line) => line.l_quantity) })
    .select(({ partkey, average }) => ({ partkey, least: average.mul(0.2) }));
  return lines
    .join(usual, {
      on: (line, row) =>
        line.l_partkey.eq(row.partkey).and(line.l_quantity.cast(t.float64()).lt(row.least)),
    })
    .aggregate({ total: agg.sum((line) => line.l_extendedprice) })
    .select(({ total }) => ({ avg_yearly: total.cast(t.float64()).div(7) }));
}
