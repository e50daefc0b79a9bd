/**
 * Remote ends: which channels of the tasks that are deployed here lead to tasks in other processes, the rings that stand for those
 * at this end, and what becomes of tasks whose channel is lost.
 *
 *     task here ─▶ ring ─▶ network          network ─▶ ring, twice as long ─▶ task here
 *
 * Both processes make the same names and the same sizes, for they have the same graph.
 * Before: worker/exchange-rings.ts. After: worker/exchange/exchange-network.ts.
 */
import { assert } from '../base/assert.ts';
import { typedError, type WireError } from '../base/typed-error.ts';
import { type DeployRequest, type JobRef, taskIdOf } from '../coordinator/protocol.ts';
import { ringBytes } from '../engine/memory/ring.ts';
import type { Channel } from '../engine/plan/channels.ts';
import type { Edge } from '../engine/plan/physical-graph.ts';
import type { ExchangeNetwork } from './exchange/exchange-network.ts';
import type { IncomingChannel } from './exchange/network-program.ts';
import { type RemoteChannel, receivingSlots } from './exchange/remote-channel.ts';
import type { RingDescriptor, TaskAttempt } from './threads/slot-messages.ts';

/** What is deployed together: collects the channels that it has to others. */
export class RemoteRings {
  readonly outgoing: RemoteChannel[] = [];
  readonly incoming: IncomingChannel[] = [];
  /** By the channel's key: the task here. */
  readonly tasks = new Map<string, TaskAttempt>();
  readonly #request: DeployRequest;
  readonly #bell: number;

  constructor(request: DeployRequest, bell: number) {
    this.#request = request;
    this.#bell = bell;
  }

  /** The ring of a sender here to a receiver elsewhere; null where nobody has that one. */
  toElsewhere(edge: Edge, channel: Channel, ring: RingSize, slot: number): RingDescriptor | null {
    if (this.#addressOf(edge.to, channel.receiver) === undefined) return null;
    const made = { ...newRing(ring), writerBell: slot, readerBell: this.#bell };
    const key = this.#keyOf(edge, channel, edge.from, channel.sender);
    this.outgoing.push({ key, ring: made, bell: slot });
    return made;
  }

  /** The ring of a receiver here from a sender elsewhere; null where nobody has that one. */
  fromElsewhere(edge: Edge, channel: Channel, ring: RingSize, slot: number): RingDescriptor | null {
    const address = this.#addressOf(edge.from, channel.sender);
    if (address === undefined) return null;
    const { slotBytes, slotCount } = ring;
    const own = newRing({ slotBytes, slotCount: receivingSlots(slotCount) });
    const made = { ...own, writerBell: this.#bell, readerBell: slot };
    const key = this.#keyOf(edge, channel, edge.to, channel.receiver);
    this.incoming.push({ key, ring: made, bell: slot, address });
    return made;
  }

  #addressOf(vertexId: string, index: number): string | undefined {
    return this.#request.elsewhere?.[taskIdOf(vertexId, index)];
  }

  #keyOf({ id }: Edge, { sender, receiver }: Channel, vertexId: string, index: number): string {
    const { attempt } = this.#request;
    const key = `${id} ${sender} ${receiver} ${attempt}`;
    this.tasks.set(key, { taskId: taskIdOf(vertexId, index), attempt });
    return key;
  }
}

type RingSize = Pick<RingDescriptor, 'slotCount' | 'slotBytes'>;

function newRing({ slotCount, slotBytes }: RingSize) {
  const buffer = new SharedArrayBuffer(ringBytes(slotCount, slotBytes));
  return { buffer, slotCount, slotBytes };
}

export class RemoteEnds {
  readonly #network: ExchangeNetwork | null;
  /** By the channel's key: the task here. */
  readonly #tasks = new Map<string, TaskAttempt>();

  /** @param taskFailed - A task here waits for what will not come. */
  constructor(
    network: ExchangeNetwork | null,
    job: JobRef,
    taskFailed: (report: TaskAttempt & { readonly error: WireError }) => void,
  ) {
    this.#network = network;
    network?.begin(job);
    network?.onLost((keys, error) => {
      const tasks = keys.flatMap((key) => this.#tasks.get(key) ?? []);
      const byId = new Map(tasks.map((task) => [`${task.taskId} ${task.attempt}`, task]));
      for (const task of byId.values()) taskFailed({ ...task, error });
    });
  }

  /** @throws EXCHANGE_REFUSED when tasks are elsewhere and this process has no network. */
  ringsOf(request: DeployRequest): RemoteRings | null {
    if (Object.keys(request.elsewhere ?? {}).length === 0) return null;
    if (this.#network === null) throw noNetworkError();
    return new RemoteRings(request, this.#network.bell);
  }

  open(rings: RemoteRings | null): void {
    if (rings === null) return;
    assert(this.#network !== null, 'rings to elsewhere are made for a network');
    for (const [key, task] of rings.tasks) this.#tasks.set(key, task);
    this.#network.open(rings.outgoing, rings.incoming);
  }

  /** The tasks run no more. */
  close(attempt: number, taskIds: readonly string[]): void {
    const keys = [...this.#tasks].flatMap(([key, task]) => {
      return task.attempt === attempt && taskIds.includes(task.taskId) ? [key] : [];
    });
    for (const key of keys) this.#tasks.delete(key);
    if (keys.length > 0) this.#network?.closeChannels(keys);
  }

  /** No task of the job runs any more. */
  stop(): void {
    this.#tasks.clear();
    this.#network?.begin(null);
  }
}

function noNetworkError() {
  return typedError(
    'EXCHANGE_REFUSED',
    'tasks are on several workers, and this one has no exchange',
    {
      hint: 'Start the worker as `millrace worker` does, or give the job no more slots than one has.',
    },
  );
}
