/**
 * Q8, new users: persons who opened an auction in the ten seconds in which they signed up. Rows of windows are joined
 * where these begin at the same time.
 */
import { agg, tumbling } from 'millrace';
import type { Events } from '../events.ts';

export function q8({ person, auction }: Events) {
  const window = tumbling({ sizeMs: 10_000 });
  const persons = person
    .keyBy(({ id, name }) => ({ id, name }))
    .window(window)
    .aggregate({ rows: agg.count() })
    .select(({ id, name, windowStart }) => ({ id, name, start: windowStart }))
    .eventTime((row) => row.start);
  const sellers = auction
    .keyBy((row) => row.seller)
    .window(window)
    .aggregate({ rows: agg.count() })
    .select(({ seller, windowStart }) => ({ seller, start: windowStart }))
    .eventTime((row) => row.start);
  return persons.join(sellers, {
    on: (row, seller) => row.id.eq(seller.seller),
    within: {},
    select: ({ id, name, start }) => ({ id, name, ws: start.epochMs() }),
  });
}
