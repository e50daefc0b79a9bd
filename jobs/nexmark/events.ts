/**
 * The events of Nexmark as three streams, whatever they come from: files of each kind, one file of all kinds, or
 * the generator. Times are milliseconds since 1970 in `date_time`, as the benchmark's files have them, and
 * `at` is the same moment as the event time.
 *
 * After: jobs/nexmark/queries
 */
import { type BuildContext, coalesce, t } from 'millrace';
import { columnar, csv, files, ndjson } from 'millrace/files';
import { nexmark } from 'millrace/generator';

const whole = () => t.int64({ js: 'number' });

const bidFields = {
  auction: whole(),
  bidder: whole(),
  price: whole(),
  channel: t.utf8(),
  url: t.utf8(),
  date_time: whole(),
  extra: t.utf8(),
};

const auctionFields = {
  id: whole(),
  item_name: t.utf8(),
  description: t.utf8(),
  initial_bid: whole(),
  reserve: whole(),
  date_time: whole(),
  expires: whole(),
  seller: whole(),
  category: whole(),
  extra: t.utf8(),
};

const personFields = {
  id: whole(),
  name: t.utf8(),
  email_address: t.utf8(),
  credit_card: t.utf8(),
  city: t.utf8(),
  state: t.utf8(),
  date_time: whole(),
  extra: t.utf8(),
};

/** A line of `events.jsonl`: one of the three is there. */
const Event = t.struct({
  bid: t.struct(bidFields).nullable(),
  auction: t.struct(auctionFields).nullable(),
  person: t.struct(personFields).nullable(),
});

/** The small table that q13 asks. */
const Side = t.struct({ key: whole(), value: t.utf8() });

/** How much older than newer ones an event may be, as Flink's Nexmark has it. */
const time = { outOfOrdernessMs: 4000, idleAfterMs: 10_000 };

export interface EventOptions {
  /** A folder, or `generator`. */
  readonly input: string;
  readonly format: 'parquet' | 'arrow' | 'ndjson';
  /** Of the generator. */
  readonly events: number | undefined;
  /** The file of the small table. */
  readonly sideInput: string;
}

/** The streams of bids, auctions and persons, and the small table for who asks for it. */
export function eventsOf(options: EventOptions, { read }: Pick<BuildContext<unknown>, 'read'>) {
  const { bid, auction, person } = rowsOf(options, { read });
  return {
    bid: bid
      .derive((row) => ({ at: row.date_time.cast(t.timestampMs()) }))
      .eventTime((row) => row.at, time),
    auction: auction
      .derive((row) => ({ at: row.date_time.cast(t.timestampMs()) }))
      .eventTime((row) => row.at, time),
    person: person
      .derive((row) => ({ at: row.date_time.cast(t.timestampMs()) }))
      .eventTime((row) => row.at, time),
    sideInput: () =>
      read(files.source({ path: options.sideInput, format: csv(Side) }), { rate: null }),
  };
}

function rowsOf(options: EventOptions, context: Pick<BuildContext<unknown>, 'read'>) {
  if (options.input === 'generator') return generated(options.events, context);
  return options.format === 'ndjson' ? mixed(options.input, context) : separate(options, context);
}

function separate({ input, format }: EventOptions, { read }: Pick<BuildContext<unknown>, 'read'>) {
  const path = (kind: string) => `${input}/${kind}-*.${format}`;
  return {
    bid: read(files.source({ path: path('bid'), format: columnar(t.struct(bidFields)) })),
    auction: read(
      files.source({ path: path('auction'), format: columnar(t.struct(auctionFields)) }),
    ),
    person: read(files.source({ path: path('person'), format: columnar(t.struct(personFields)) })),
  };
}

/** The file is read once, however many of the three a query uses. */
function mixed(input: string, { read }: Pick<BuildContext<unknown>, 'read'>) {
  const events = read(files.source({ path: `${input}/events.jsonl`, format: ndjson(Event) }));
  return {
    bid: events
      .where((event) => event.bid.isNotNull())
      .select(({ bid }) => ({
        auction: coalesce(bid.field('auction'), 0),
        bidder: coalesce(bid.field('bidder'), 0),
        price: coalesce(bid.field('price'), 0),
        channel: coalesce(bid.field('channel'), ''),
        url: coalesce(bid.field('url'), ''),
        date_time: coalesce(bid.field('date_time'), 0),
        extra: coalesce(bid.field('extra'), ''),
      })),
    auction: events
      .where((event) => event.auction.isNotNull())
      .select(({ auction }) => ({
        id: coalesce(auction.field('id'), 0),
        item_name: coalesce(auction.field('item_name'), ''),
        description: coalesce(auction.field('description'), ''),
        initial_bid: coalesce(auction.field('initial_bid'), 0),
        reserve: coalesce(auction.field('reserve'), 0),
        date_time: coalesce(auction.field('date_time'), 0),
        expires: coalesce(auction.field('expires'), 0),
        seller: coalesce(auction.field('seller'), 0),
        category: coalesce(auction.field('category'), 0),
        extra: coalesce(auction.field('extra'), ''),
      })),
    person: events
      .where((event) => event.person.isNotNull())
      .select(({ person }) => ({
        id: coalesce(person.field('id'), 0),
        name: coalesce(person.field('name'), ''),
        email_address: coalesce(person.field('email_address'), ''),
        credit_card: coalesce(person.field('credit_card'), ''),
        city: coalesce(person.field('city'), ''),
        state: coalesce(person.field('state'), ''),
        date_time: coalesce(person.field('date_time'), 0),
        extra: coalesce(person.field('extra'), ''),
      })),
  };
}

function generated(events: number | undefined, { read }: Pick<BuildContext<unknown>, 'read'>) {
  return {
    bid: read(nexmark.bids({ events })).derive((row) => ({ date_time: row.date_time.epochMs() })),
    auction: read(nexmark.auctions({ events })).derive((row) => ({
      date_time: row.date_time.epochMs(),
      expires: row.expires.epochMs(),
    })),
    person: read(nexmark.persons({ events })).derive((row) => ({
      date_time: row.date_time.epochMs(),
    })),
  };
}

/** What a query is given. */
export type Events = ReturnType<typeof eventsOf>;
