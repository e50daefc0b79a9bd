/**
 * Restored channels: what an unaligned checkpoint has of rows on their way is worked on by the tasks of a later attempt, before anything
 * else. Whatever the parallelism, each row goes to one task.
 *
 *     in front of an operator that has rows by key       to the task that has the key group
 *     by broadcast                                       to each task, from the channels of the one whose broadcast state it took
 *     else                                               to the task with the receiver's index, modulo their number
 *
 * From the last operator to the first, for what waited further down had come before; at each what waited in the chain, then channel by channel.
 * Of the channels' watermarks the least counts, as in a gate. Behind all rows the gate's channels go on from the least of those that were sent:
 * a new sender may go on with the work of any old one.
 *
 * Contract: before the first element of the gate or the source. `step` until it answers `done`.
 * Before: engine/checkpoint/channel-state.ts. After: engine/task/operator-chain.ts, engine/stream/input-gate.ts.
 */
import { closeAll } from '../../base/close-all.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import type { ChannelNote, ChannelSection } from '../checkpoint/channel-state.ts';
import type { RestoredOperator, SnapshotFiles } from '../checkpoint/snapshot-files.ts';
import type { Json } from '../contracts/json.ts';
import type { OperatorRef } from '../plan/kept-as.ts';
import type { OperatorSpec, Vertex } from '../plan/physical-graph.ts';
import type { Schema } from '../schema/schema.ts';
import { WatermarkCoalescer } from '../time/watermark-coalescer.ts';
import { ChannelRoute, type RouteContext } from './channel-route.ts';
import type { OperatorChain } from './operator-chain.ts';
import type { TaskInput } from './task-exchanges.ts';

export interface RestoredChannelsOptions
  extends Omit<RouteContext, 'spec' | 'exchange' | 'schema'> {
  readonly files: SnapshotFiles;
  readonly vertex: Vertex;
  /** Under what the checkpoint keeps rows on their way to each operator of the chain. */
  readonly refs: readonly OperatorRef[];
  /** What goes through the chain, without build sides. */
  readonly inputs: readonly TaskInput[];
  /** What rows the operators of the chain are given, by their places in the vertex. */
  readonly schemas: readonly (Schema | undefined)[];
}

/** What is given to one operator. */
interface Place {
  readonly spec: OperatorSpec;
  /** In the vertex. */
  readonly at: number;
  readonly reader: RestoredOperator;
  readonly sections: readonly ChannelSection[];
}

export class RestoredChannels {
  readonly #options: RestoredChannelsOptions;
  readonly #places: Place[];
  readonly #routes = new Map<string, ChannelRoute>();
  #channels: PlaceChannels | null = null;
  /** By port of the first operator: how far all that was sent there had come. */
  readonly #watermarks = new Map<number, number>();

  constructor(options: RestoredChannelsOptions) {
    this.#options = options;
    const { vertex, files, refs } = options;
    const isSource = vertex.chain[0]?.kind === 'source';
    this.#places = vertex.chain.flatMap((spec, at) => {
      const ref = isSource && at === 0 ? undefined : refs[at];
      const reader = ref === undefined ? null : files.readerOf(ref, true);
      return reader === null ? [] : [{ spec, at, reader, sections: sectionsOf(reader.notes) }];
    });
    this.#places.reverse();
  }

  /**
   * Gives rows and watermarks to the chain, which has nothing in it.
   * @returns `done` when there are no more, else `more`: to be called again when the chain has worked on what it was given.
   */
  step(chain: OperatorChain): 'more' | 'done' {
    for (let [place] = this.#places; place !== undefined; [place] = this.#places) {
      this.#channels ??= this.#open(place);
      if (this.#channels.give(chain)) return 'more';
      this.#channels = null;
      place.reader.close();
      this.#places.shift();
    }
    return 'done';
  }

  /** Behind `done`: how far event time of the channels of a port was; minus infinity where nothing is known. */
  watermarkOf(port: number): number {
    return this.#watermarks.get(port) ?? Number.NEGATIVE_INFINITY;
  }

  close(): void {
    closeAll([...this.#places.splice(0).map(({ reader }) => reader), ...this.#routes.values()]);
  }

  #open(place: Place): PlaceChannels {
    const { vertex, inputs } = this.#options;
    const { at, sections } = place;
    const isFirst = at === 0;
    const first = vertex.chain[0]?.kind === 'source' ? 1 : 0;
    const timeless = new Set(inputs.flatMap((one) => (one.isTimeless ? [one.port ?? 0] : [])));
    const routeOf = (section: ChannelSection) => this.#routeOf(place, section.port);
    const own = sections.filter((section) => routeOf(section).takesOf(section));
    if (isFirst) this.#noteWatermarks(sections);
    return new PlaceChannels({
      ...{ link: at - first, isFirst, reader: place.reader, sections: own, timeless },
      routeOf,
    });
  }

  #routeOf({ spec, at }: Place, port: number): ChannelRoute {
    const { inputs, schemas, ...context } = this.#options;
    const key = `${at} ${port}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const input = at === 0 ? inputs.find((one) => (one.port ?? 0) === port) : undefined;
    const schema = input?.schema ?? schemas[at];
    if (schema === undefined) throw changed(spec);
    const route = new ChannelRoute({ ...context, spec, schema, exchange: input?.exchange ?? null });
    this.#routes.set(key, route);
    return route;
  }

  /** The least of what has been sent on any channel, to whichever task. */
  #noteWatermarks(sections: readonly ChannelSection[]): void {
    for (const channel of channelsOf(sections)) {
      const [{ port } = { port: 0 }] = channel;
      const last = channel.reduce(lastWatermarkOf, Number.NEGATIVE_INFINITY);
      this.#watermarks.set(port, Math.min(this.#watermarks.get(port) ?? last, last));
    }
  }
}

interface PlaceChannelsOptions {
  /** Of the chain: where the rows go in. */
  readonly link: number;
  /** Whether the operator is the first of the vertex, behind a gate. */
  readonly isFirst: boolean;
  readonly reader: RestoredOperator;
  readonly sections: readonly ChannelSection[];
  /** Ports that have no say in event time. */
  readonly timeless: ReadonlySet<number>;
  readonly routeOf: (section: ChannelSection) => ChannelRoute;
}

/** What is given to one operator, in its order. */
class PlaceChannels {
  readonly #options: PlaceChannelsOptions;
  readonly #times: WatermarkCoalescer;
  /** Sections, each with the number of its channel. */
  readonly #left: { readonly section: ChannelSection; readonly channel: number }[];
  /** Of the first section: rows that were given, and marks. */
  #rows = 0;
  #marks = 0;
  /** Watermarks to be given before the next rows. */
  readonly #due: number[] = [];

  constructor(options: PlaceChannelsOptions) {
    this.#options = options;
    const chains = options.sections.filter(({ place }) => place === 'chain');
    const channels = channelsOf(options.sections);
    this.#times = new WatermarkCoalescer(Math.max(1, channels.length));
    this.#left = [
      ...chains.map((section) => ({ section, channel: -1 })),
      ...channels.flatMap((sections, channel) => sections.map((section) => ({ section, channel }))),
    ];
    for (const [channel, [first]] of channels.entries()) {
      if (first !== undefined && options.timeless.has(first.port)) this.#times.end(channel);
    }
    for (const [channel, [first]] of channels.entries()) {
      if (first?.watermarkMs != null) this.#advance(channel, first.watermarkMs);
    }
  }

  /** Gives the next rows or watermark to the chain; false when there are none. */
  give(chain: OperatorChain): boolean {
    for (let [first] = this.#left; first !== undefined; [first] = this.#left) {
      const { section, channel } = first;
      if (channel >= 0 && this.#giveWatermark(chain)) return true;
      const mark = section.marks[this.#marks];
      if (mark !== undefined && mark[0] <= this.#rows) {
        this.#marks++;
        this.#advance(channel, mark[1]);
        continue;
      }
      if (section.part !== null && this.#rows < section.rowCount) {
        if (this.#giveRows(chain, section, section.part)) return true;
        continue;
      }
      this.#left.shift();
      this.#rows = 0;
      this.#marks = 0;
    }
    return this.#giveWatermark(chain);
  }

  #giveRows(chain: OperatorChain, section: ChannelSection, part: string): boolean {
    const { reader, routeOf, link } = this.#options;
    const batch = reader.read(part);
    if (batch === null) throw changedRows(part);
    this.#rows += batch.rowCount;
    const own = routeOf(section).rowsOf(batch);
    if (own === null) return false;
    offer(chain, own, { link, port: section.port });
    return true;
  }

  #giveWatermark(chain: OperatorChain): boolean {
    const timeMs = this.#due.shift();
    if (timeMs === undefined) return false;
    const { isFirst, link } = this.#options;
    if (isFirst) chain.offerMark({ kind: 'watermark', timeMs });
    else chain.offerWatermarkAt(link, timeMs);
    return true;
  }

  #advance(channel: number, watermarkMs: number): void {
    if (channel < 0) return;
    const timeMs = this.#times.advance(channel, watermarkMs);
    if (timeMs !== null) this.#due.push(timeMs);
  }
}

function offer(
  chain: OperatorChain,
  batch: Batch,
  { link, port }: { readonly link: number; readonly port: number },
): void {
  let isTaken = false;
  try {
    isTaken = chain.offerAt(link, batch, port);
  } finally {
    if (!isTaken) batch.release();
  }
  if (!isTaken) throw new Error('assertion failed: an empty chain takes rows');
}

function sectionsOf(notes: readonly Json[]): ChannelSection[] {
  return notes.flatMap((note) => {
    return note === null ? [] : (note as unknown as ChannelNote).sections;
  });
}

/** What lay in each channel, first what was nearest to its end. */
function channelsOf(sections: readonly ChannelSection[]): ChannelSection[][] {
  const channels = sections.filter(({ place }) => place !== 'chain');
  const byChannel = Map.groupBy(channels, ({ from, port, exchange, sender, receiver }) => {
    return `${from} ${port} ${exchange} ${sender} ${receiver}`;
  });
  const order = ['ring', 'outbox'];
  return [...byChannel.values()].map((channel) =>
    channel.toSorted((a, b) => order.indexOf(a.place) - order.indexOf(b.place)),
  );
}

function lastWatermarkOf(before: number, { watermarkMs, marks }: ChannelSection): number {
  return Math.max(before, watermarkMs ?? before, ...marks.map(([, timeMs]) => timeMs));
}

function changed({ name }: OperatorSpec) {
  return typedError(
    'STATE_CHANGED',
    `rows were on their way to an input that operator "${name}" has no more`,
    {
      hint: 'Go on from a checkpoint that is aligned, or from a savepoint, with the job as it is now.',
      details: { operator: name },
    },
  );
}

function changedRows(part: string) {
  return typedError('SNAPSHOT_DAMAGED', `part "${part}" of rows on their way ends early`, {
    hint: 'Go on from an earlier checkpoint, and look at the disk.',
    details: { part },
  });
}
