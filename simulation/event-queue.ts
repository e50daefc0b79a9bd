/** The queue of things to come: a binary heap by time, and by order of arrival at the same time. */

export interface QueuedEvent {
  readonly atMs: number;
  readonly order: number;
  fire: () => void;
}

export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #nextOrder = 0;

  get nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  push(atMs: number, fire: () => void): QueuedEvent {
    const event = { atMs, order: this.#nextOrder++, fire };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
    return event;
  }

  pop(): QueuedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  /** Puts `event` at the root and moves it down to its place. */
  #sink(event: QueuedEvent): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = heap[2 * index + 1];
      if (child === undefined) break;
      let childIndex = 2 * index + 1;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (isBefore(event, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = event;
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
