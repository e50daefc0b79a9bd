/**
 * Q2, minimum cost supplier: for brass parts of a size, the European suppliers that offer the part for
 * the least that any of them asks. The correlated subquery is the least offer by part, joined.
 */
import { agg } from 'millrace';
import type { Tables } from '../tables.ts';

export function h2({ part, supplier, partsupp, nation, region }: Tables) {
  const europe = region.where((row) => row.r_name.eq('EUROPE'));
  const brass = part.where((row) => row.p_size.eq(15).and(row.p_type.like('%BRASS')));
  const offers = partsupp
    .join(brass, { on: (offer, row) => offer.ps_partkey.eq(row.p_partkey) })
    .join(supplier, { on: (offer, row) => offer.ps_suppkey.eq(row.s_suppkey) })
    .join(nation, { on: (offer, row) => offer.s_nationkey.eq(row.n_nationkey) })
    .join(europe, { on: (offer, row) => offer.n_regionkey.eq(row.r_regionkey) });
  const least = offers
    .keyBy((offer) => ({ least_partkey: offer.p_partkey }))
    .aggregate({ least_cost: agg.min((offer) => offer.ps_supplycost) });
  return offers
    .join(least, {
      on: (offer, row) =>
        offer.p_partkey.eq(row.least_partkey).and(offer.ps_supplycost.eq(row.least_cost)),
    })
    .select(({ s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment }) => {
      return { s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment };
    })
    .orderBy((row) => [
      row.s_acctbal.desc(),
      row.n_name.asc(),
      row.s_name.asc(),
      row.p_partkey.asc(),
    ])
    .limit(100);
}
