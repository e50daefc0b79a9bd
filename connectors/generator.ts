/**
 * `millrace/generator`: made-up data as a source. Only descriptions are made here; connectors/generator
 * carries them out.
 */
import { typedError } from '../base/typed-error.ts';
import type { SourceOf } from '../engine/api/endpoints.ts';
import { type ColumnsOf, t } from '../engine/api/value-type.ts';
import type { Schema } from '../engine/schema/schema.ts';
import { nexmarkFields } from './generator/nexmark-fields.ts';
import type { NexmarkKind, NexmarkOptions } from './generator/nexmark-options.ts';

/** What `nexmark.bids`, `nexmark.auctions` and `nexmark.persons` take. */
export interface NexmarkSettings {
  /**
   * Events of all three kinds together, 0 to 2^45: of each 50 one is a person, 3 are auctions, 46 are bids.
   * @defaultValue without an end: the job is a stream that runs until it is cancelled
   */
  readonly events?: number | bigint | undefined;
  /** Another seed, other rows; a whole number from 0 on. @defaultValue 0 */
  readonly seed?: number;
  /** Events per second of event time, above 0. @defaultValue `rate`, or 10,000 */
  readonly eventsPerSecond?: number;
  /** Time of the first event, in ms since 1970. @defaultValue 1,700,000,000,000 */
  readonly baseTimeMs?: number;
  /**
   * So many events in a row come mixed up, as from a network; 1: all in order. No multiple of 953, by
   * which the published generator mixes. @defaultValue 1
   */
  readonly outOfOrderGroup?: number;
  /**
   * Events of all kinds per second of the clock, above 0, by all tasks together; `--rate` of the command line sets
   * it as well. The schedule is fixed at the start: what a slow job takes late was due all the same. @defaultValue
   * as fast as they are taken; without an end `eventsPerSecond`
   */
  readonly rate?: number;
}

/** More would leave the numbers that are exact in JavaScript behind, once they are milliseconds. */
const eventsMax = 2 ** 45;

/** The columns of bids. */
export const Bid = t.struct(nexmarkFields.bids);
/** The columns of auctions. */
export const Auction = t.struct(nexmarkFields.auctions);
/** The columns of persons. */
export const Person = t.struct(nexmarkFields.persons);

/**
 * The events of the Nexmark benchmark: an online auction house. Their distribution is the published
 * one (hot auctions, bidders, sellers and channels included), and they are the same in every run: a
 * row depends on the number of its event and the seed only, not on how many threads make it.
 *
 * @throws GENERATOR_OPTION_INVALID
 * @example
 * ```ts
 * import { nexmark } from 'millrace/generator';
 *
 * const bids = nexmark.bids({ events: 1_000_000 }); // 920,000 bids of 100 seconds
 * bids.schema.fields.map((field) => field.name).join();
 * // => 'auction,bidder,price,channel,url,date_time,extra'
 * ```
 * @see Apache Beam, Nexmark; its queries: https://github.com/nexmark/nexmark
 */
export const nexmark = Object.freeze({
  /** Bids: 46 of 50 events. */
  bids: (settings: NexmarkSettings = {}): SourceOf<ColumnsOf<typeof nexmarkFields.bids>> =>
    sourceOf('bids', Bid.schema, settings),
  /** Auctions: 3 of 50 events. */
  auctions: (settings: NexmarkSettings = {}): SourceOf<ColumnsOf<typeof nexmarkFields.auctions>> =>
    sourceOf('auctions', Auction.schema, settings),
  /** Persons: 1 of 50 events. */
  persons: (settings: NexmarkSettings = {}): SourceOf<ColumnsOf<typeof nexmarkFields.persons>> =>
    sourceOf('persons', Person.schema, settings),
});

/** The source of a kind of events. */
function sourceOf<C>(kind: NexmarkKind, schema: Schema, settings: NexmarkSettings): SourceOf<C> {
  return {
    connector: 'generator',
    options: optionsOf(kind, settings),
    schema,
    ...(settings.events === undefined && { isUnbounded: true }),
    atRate: (rate) => sourceOf(kind, schema, { ...settings, rate }),
  };
}

function optionsOf(kind: NexmarkKind, settings: NexmarkSettings): NexmarkOptions {
  const isEndless = settings.events === undefined;
  const rate = settings.rate ?? (isEndless ? (settings.eventsPerSecond ?? 10_000) : undefined);
  const options: NexmarkOptions = {
    kind,
    events: isEndless ? eventsMax : Number(settings.events),
    ...(isEndless && { isEndless: true }),
    seed: settings.seed ?? 0,
    baseTimeMs: settings.baseTimeMs ?? 1_700_000_000_000,
    eventsPerSecond: settings.eventsPerSecond ?? rate ?? 10_000,
    outOfOrderGroup: settings.outOfOrderGroup ?? 1,
    ...(rate !== undefined && { rate }),
  };
  const { events, seed, baseTimeMs, eventsPerSecond, outOfOrderGroup } = options;
  check('events', events, isWhole(events, 0) && events <= eventsMax, 'from 0 to 2^45');
  check('seed', seed, isWhole(seed, 0), 'from 0 on');
  check('baseTimeMs', baseTimeMs, isWhole(baseTimeMs, 0), 'from 0 on');
  if (rate !== undefined) check('rate', rate, isRate(rate), 'from 0.001 on');
  check('eventsPerSecond', eventsPerSecond, isRate(eventsPerSecond), 'from 0.001 on');
  const isGroup = isWhole(outOfOrderGroup, 1) && outOfOrderGroup < 2 ** 32;
  const isMixed = outOfOrderGroup % 953 !== 0;
  check('outOfOrderGroup', outOfOrderGroup, isGroup && isMixed, 'from 1 on, no multiple of 953');
  return options;
}

function isRate(value: number): boolean {
  return Number.isFinite(value) && value >= 1e-3;
}

function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function check(name: string, value: number, isRight: boolean, range: string): void {
  if (isRight) return;
  throw typedError('GENERATOR_OPTION_INVALID', `${name} of a generator can't be ${value}`, {
    hint: `Give a number ${range}; for example nexmark.bids({ events: 1_000_000 }).`,
  });
}
