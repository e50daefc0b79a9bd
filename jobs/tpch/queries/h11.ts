/**
 * Q11, important stock: parts whose German stock is worth more than a share of all of it. The subquery
 * is one row, which a cross join puts beside each part; `having` is a `where` behind the aggregate.
 */
import { agg, lit, t } from 'millrace';
import type { Tables } from '../tables.ts';

export function h11({ partsupp, supplier, nation }: Tables) {
  const german = nation.where((row) => row.n_name.eq('GERMANY'));
  const stock = partsupp
    .join(supplier, { on: (offer, row) => offer.ps_suppkey.eq(row.s_suppkey) })
    .join(german, { on: (offer, row) => offer.s_nationkey.eq(row.n_nationkey), type: 'semi' })
    .select(({ ps_partkey, ps_supplycost, ps_availqty }) => {
      return { ps_partkey, value: ps_supplycost.mul(ps_availqty) };
    });
  const least = stock
    .aggregate({ total: agg.sum((row) => row.value) })
    .select(({ total }) => ({ least: total.mul(lit('0.0001', t.decimal(5, 4))) }));
  return stock
    .keyBy((row) => row.ps_partkey)
    .aggregate({ value: agg.sum((row) => row.value) })
    .crossJoin(least)
    .where((row) => row.value.gt(row.least))
    .select(({ ps_partkey, value }) => ({ ps_partkey, value }))
    .orderBy((row) => row.value.desc());
}
