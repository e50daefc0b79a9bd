/** Q19, top ten: the ten highest bids of each auction. */
import type { Events } from '../events.ts';

export function q19({ bid }: Events) {
  return bid
    .over(
      {
        partitionBy: (row) => row.auction,
        orderBy: (row) => [
          row.price.desc(),
          row.date_time.asc(),
          row.bidder.asc(),
          row.extra.asc(),
        ],
      },
      ({ rowNumber }) => ({ place: rowNumber() }),
    )
    .where((row) => row.place.le(10))
    .select(({ auction, bidder, price, date_time, extra, place }) => {
      return { auction, bidder, price, dt: date_time, extra, place };
    });
}
