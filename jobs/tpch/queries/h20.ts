/**
 * Q20, potential part promotion: Canadian suppliers with more than half of what they shipped of a forest
 * part in a year still in stock. Both `in` are semi joins, the correlated sum is a join by part and supplier.
 */
import { agg, lit, t } from 'millrace';
import type { Tables } from '../tables.ts';

export function h20({ supplier, nation, partsupp, part, lineitem }: Tables) {
  const from = lit('1994-01-01', t.date());
  const half = lit('0.5', t.decimal(2, 1));
  const shipped = lineitem
    .where((line) => line.l_shipdate.ge(from).and(line.l_shipdate.lt(from.addYears(1))))
    .keyBy((line) => [line.l_partkey, line.l_suppkey])
    .aggregate({ quantity: agg.sum((line) => line.l_quantity) });
  const stocked = partsupp
    .join(
      part.where((row) => row.p_name.like('forest%')),
      { on: (offer, row) => offer.ps_partkey.eq(row.p_partkey), type: 'semi' },
    )
    .join(shipped, {
      on: (offer, sum) =>
        offer.ps_partkey
          .eq(sum.l_partkey)
          .and(offer.ps_suppkey.eq(sum.l_suppkey))
          .and(offer.ps_availqty.cast(t.decimal(10)).gt(sum.quantity.mul(half))),
      type: 'semi',
    });
  return supplier
    .join(
      nation.where((row) => row.n_name.eq('CANADA')),
      { on: (row, country) => row.s_nationkey.eq(country.n_nationkey), type: 'semi' },
    )
    .join(stocked, { on: (row, offer) => row.s_suppkey.eq(offer.ps_suppkey), type: 'semi' })
    .select(({ s_name, s_address }) => ({ s_name, s_address }))
    .orderBy((row) => row.s_name.asc());
}
