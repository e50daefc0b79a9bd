/** Q3, local items: auctions of one category by sellers of three states. */
import type { Events } from '../events.ts';

export function q3({ auction, person }: Events) {
  const local = person.where((row) => row.state.in('OR', 'ID', 'CA'));
  const items = auction.where((row) => row.category.eq(10));
  return items.join(local, {
    on: (item, row) => item.seller.eq(row.id),
    select: (item, row) => ({ name: row.name, city: row.city, state: row.state, id: item.id }),
  });
}
