/**
 * Carts: what people put into a cart and did not pay for within half an hour.
 *
 * A pattern over the events of a user: things put into the cart one after the other, and then no payment. What must not
 * come makes it a match when the time is over, so a cart comes out half an hour after its first thing.
 */
import { defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Event = t.struct({
  user: t.utf8(),
  kind: t.utf8(),
  item: t.utf8().nullable(),
  price: t.float64().nullable(),
  at: t.timestampMs(),
});
const Cart = t.struct({
  user: t.utf8(),
  items: t.int32(),
  total: t.float64(),
  last: t.utf8().nullable(),
  since: t.timestampMs(),
});

export default defineJob({
  name: 'carts',
  mode: 'streaming',
  params: {
    input: t.path().describe('a file, a folder or a glob of events as NDJSON'),
    within: t.int64({ js: 'number' }).default(30).describe('minutes until a cart is abandoned'),
    output: t.path().default('carts.csv').describe('the file to write: .csv or .ndjson'),
  },
  build: ({ read, params: { input, within, output } }) =>
    read(files.source({ path: input, format: ndjson(Event) }))
      .eventTime((event) => event.at, { outOfOrdernessMs: 5000 })
      // What else people do is not in between.
      .where((event) => event.kind.in('cart', 'pay'))
      .keyBy((event) => event.user)
      .match(
        (pattern) =>
          pattern
            .begin('put', {
              where: (event) => event.kind.eq('cart'),
              ...{ oneOrMore: true, consecutive: true, greedy: true },
            })
            .notFollowedBy('paid', { where: (event) => event.kind.eq('pay') })
            .within(within * 60_000),
        {
          output: Cart,
          select: ({ put }, { key: { user } }) => ({
            user,
            items: put.length,
            total: put.reduce((sum, { price }) => sum + (price ?? 0), 0),
            last: put.at(-1)?.item ?? null,
            since: put[0]?.at ?? 0,
          }),
          // The rest of a cart is not one more.
          after: 'pastLast',
        },
        { name: 'abandoned' },
      )
      .orderBy((cart) => [cart.since.asc(), cart.user.asc()])
      .writeTo(files.sink({ path: output })),
});
