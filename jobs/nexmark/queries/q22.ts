/** Q22, directories: the first three parts of a bid's url. */
import type { Events } from '../events.ts';

export function q22({ bid }: Events) {
  return bid.select(({ auction, bidder, price, channel, url }) => {
    const parts = url.split('/');
    return {
      auction,
      bidder,
      price,
      channel,
      dir1: parts.at(3),
      dir2: parts.at(4),
      dir3: parts.at(5),
    };
  });
}
