/**
 * Q16, parts/supplier relationship: how many suppliers offer parts of which kind, without those that
 * customers complained of. `not in` over keys that are never null is an anti join.
 */
import { agg } from 'millrace';
import type { Tables } from '../tables.ts';

export function h16({ partsupp, part, supplier }: Tables) {
  const wanted = part
    .where((row) => row.p_brand.ne('Brand#45').and(row.p_type.like('MEDIUM POLISHED%').not()))
    .where((row) => row.p_size.in(49, 14, 23, 45, 19, 3, 36, 9));
  const bad = supplier.where((row) => row.s_comment.like('%Customer%Complaints%'));
  return partsupp
    .join(wanted, { on: (offer, row) => offer.ps_partkey.eq(row.p_partkey) })
    .join(bad, { on: (offer, row) => offer.ps_suppkey.eq(row.s_suppkey), type: 'anti' })
    .keyBy((offer) => [offer.p_brand, offer.p_type, offer.p_size])
    .aggregate({ supplier_cnt: agg.countDistinct((offer) => offer.ps_suppkey) })
    .orderBy((row) => [
      row.supplier_cnt.desc(),
      row.p_brand.asc(),
      row.p_type.asc(),
      row.p_size.asc(),
    ]);
}
