/** Q19, discounted revenue: what came in for some kinds of parts that were handed over in person. */
import { agg, type Column } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

interface Sold {
  readonly brand: Column<'utf8', string, false>;
  readonly container: Column<'utf8', string, false>;
  readonly size: Column<'int32', number, false>;
  readonly quantity: Column<'decimal', string, false>;
}

interface Kind {
  readonly brand: string;
  readonly containers: readonly string[];
  /** The least pieces of a line; at most ten more. */
  readonly least: number;
  readonly sizeMax: number;
}

const small: Kind = {
  brand: 'Brand#12',
  containers: ['SM CASE', 'SM BOX', 'SM PACK', 'SM PKG'],
  least: 1,
  sizeMax: 5,
};
const middle: Kind = {
  brand: 'Brand#23',
  containers: ['MED BAG', 'MED BOX', 'MED PKG', 'MED PACK'],
  least: 10,
  sizeMax: 10,
};
const large: Kind = {
  brand: 'Brand#34',
  containers: ['LG CASE', 'LG BOX', 'LG PACK', 'LG PKG'],
  least: 20,
  sizeMax: 15,
};

export function h19({ lineitem, part }: Tables) {
  return lineitem
    .where((line) => line.l_shipmode.in('AIR', 'AIR REG'))
    .where((line) => line.l_shipinstruct.eq('DELIVER IN PERSON'))
    .join(part, {
      on: (line, row) => {
        const sold = {
          brand: row.p_brand,
          container: row.p_container,
          size: row.p_size,
          quantity: line.l_quantity,
        };
        const isKind = isOf(sold, small).or(isOf(sold, middle)).or(isOf(sold, large));
        return line.l_partkey.eq(row.p_partkey).and(isKind);
      },
    })
    .aggregate({ revenue: agg.sum(revenueOf) });
}

function isOf(sold: Sold, { brand, containers, least, sizeMax }: Kind) {
  return sold.brand
    .eq(brand)
    .and(sold.container.in(...containers))
    .and(sold.quantity.between(least, least + 10))
    .and(sold.size.between(1, sizeMax));
}
