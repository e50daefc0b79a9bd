/**
 * Makes the rings of the tasks that are deployed together: one for each pair of a sending and a receiving
 * task of an edge.
 *
 * The memory of an exchange is a budget that its channels share, so that more tasks mean smaller
 * slots and not more memory: 32 MiB by default, at least 16 KiB a slot. A job with many exchanges
 * has four times that for all of them.
 */
import { ringBytes } from '../engine/memory/ring.ts';
import { type Channel, channelsOf } from '../engine/plan/channels.ts';
import type { Edge, PhysicalGraph } from '../engine/plan/physical-graph.ts';
import type { RemoteRings } from './remote-ends.ts';
import type { RingDescriptor } from './threads/slot-messages.ts';

const exchangeBytesDefault = 32 * 1024 * 1024;
/** So many exchanges have their budget whole; more of them share it. */
const wholeExchangesMax = 4;
const slotCountUsual = 4;
const slotCountMax = 32;
const slotBytesMin = 16 * 1024;
const slotBytesMax = 256 * 1024;

/** The rings of one edge. */
export interface EdgeRings {
  /** Of a sending task: one per task that it sends to, in the order of their indexes. */
  ofSender(taskIndex: number): readonly RingDescriptor[];
  /** Of a receiving task: one per task that it gets rows from. */
  ofReceiver(taskIndex: number): readonly RingDescriptor[];
}

interface Place extends Channel {
  readonly edge: Edge;
  readonly slotCount: number;
  readonly slotBytes: number;
}

/**
 * By edge id.
 *
 * @param slotOf - The slot that hosts a task, which is the index of its doorbell; undefined for tasks
 *   that are not deployed now.
 * @param exchangeBytes - What the rings of one exchange may take together.
 * @param remote - Takes the channels to tasks that are deployed in other processes.
 */
export function makeRings(
  graph: PhysicalGraph,
  slotOf: (vertexId: string, taskIndex: number) => number | undefined,
  exchangeBytes = exchangeBytesDefault,
  remote: RemoteRings | null = null,
): ReadonlyMap<string, EdgeRings> {
  const edges = graph.edges.filter(({ isBlocking }) => !isBlocking);
  const edgeBytes = Math.min(exchangeBytes, (exchangeBytes * wholeExchangesMax) / edges.length);
  const ringOf = ({ edge, sender, receiver, slotCount, slotBytes }: Place) => {
    const writerBell = slotOf(edge.from, sender);
    const readerBell = slotOf(edge.to, receiver);
    const channel = { sender, receiver };
    const size = { slotCount, slotBytes };
    if (writerBell === undefined) {
      if (readerBell === undefined) return null;
      return remote?.fromElsewhere(edge, channel, size, readerBell) ?? null;
    }
    if (readerBell === undefined)
      return remote?.toElsewhere(edge, channel, size, writerBell) ?? null;
    const buffer = new SharedArrayBuffer(ringBytes(slotCount, slotBytes));
    return { buffer, ...size, writerBell, readerBell };
  };
  const ringsOf = (edge: Edge): EdgeRings => {
    const channels = channelsOf(graph, edge);
    const slotBytes = slotBytesOf(edgeBytes, channels.length);
    const slotCount = slotCountOf(edge, edgeBytes / channels.length / slotBytes);
    const rings = channels.flatMap(
      ({ sender, receiver }): (Channel & { ring: RingDescriptor })[] => {
        const ring = ringOf({ edge, sender, receiver, slotCount, slotBytes });
        return ring === null ? [] : [{ sender, receiver, ring }];
      },
    );
    return {
      ofSender: (index) => rings.flatMap((one) => (one.sender === index ? [one.ring] : [])),
      ofReceiver: (index) => rings.flatMap((one) => (one.receiver === index ? [one.ring] : [])),
    };
  };
  return new Map(edges.map((edge) => [edge.id, ringsOf(edge)]));
}

/**
 * Behind a range exchange all tasks sort, and write runs to disk as their memory fills up, which is at nearly the
 * same time. While one writes, its rings fill; they take as much as they may, so that the others get to their own
 * writing by then and do not wait for it first.
 */
function slotCountOf({ exchange }: Edge, fitting: number): number {
  if (exchange.kind !== 'range') return slotCountUsual;
  const power = 2 ** Math.floor(Math.log2(Math.max(fitting, 1)));
  return Math.min(slotCountMax, Math.max(slotCountUsual, power));
}

/** A power of two, so that slots start at cache lines. */
function slotBytesOf(exchangeBytes: number, channelCount: number): number {
  const share = exchangeBytes / channelCount / slotCountUsual;
  const power = 2 ** Math.floor(Math.log2(Math.max(share, 1)));
  return Math.min(slotBytesMax, Math.max(slotBytesMin, power));
}
