/** The ranks of prices that the statistics of Nexmark tell apart: below 10,000, below a million, and above. */
import { type Column, when } from 'millrace';

type Price = Column<'int64', number, false>;

/** 1, 2 or 3. */
export function priceRank(price: Price) {
  return when(price.lt(10_000), 1).when(price.lt(1_000_000), 2).otherwise(3);
}
