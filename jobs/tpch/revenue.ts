/** What a line of an order brings in: its price less the discount. Half of the queries ask for it. */
import { type Column, lit, t } from 'millrace';

interface PricedLine {
  readonly l_extendedprice: Column<'decimal', string, false>;
  readonly l_discount: Column<'decimal', string, false>;
}

/** `l_extendedprice * (1 - l_discount)` */
export function revenueOf({ l_extendedprice, l_discount }: PricedLine) {
  return l_extendedprice.mul(one.sub(l_discount));
}

export const one = lit('1', t.decimal(1));
