/**
 * Input gate: several channels read as one, in any order.
 *
 *     channel 0  a b        read order   a p b q   whatever is there, turn by turn, so that a busy
 *     channel 1  p q                               channel cannot starve the others
 *
 * It ends when all channels have ended, and fails as soon as one has failed.
 * Before: engine/shuffle/channel-reader.ts. After: engine/task/task.ts.
 */
import type { ElementReader, StreamElement } from './stream-element.ts';

export class InputGate implements ElementReader {
  readonly #channels: readonly ElementReader[];
  /** Channels that have not ended, in turn. */
  readonly #open: ElementReader[];
  #turn = 0;
  #hasFailed = false;

  constructor(channels: readonly ElementReader[]) {
    this.#channels = channels;
    this.#open = [...channels];
  }

  read(): StreamElement | 'waiting' {
    if (this.#hasFailed) return 'failed';
    let asked = 0;
    while (asked < this.#open.length) {
      this.#turn = this.#turn % this.#open.length;
      const element = this.#open[this.#turn]?.read();
      if (element === 'failed') {
        this.#hasFailed = true;
        return 'failed';
      }
      if (element === 'end') {
        this.#open.splice(this.#turn, 1);
        continue;
      }
      this.#turn++;
      if (element !== undefined && element !== 'waiting') return element;
      asked++;
    }
    return this.#open.length === 0 ? 'end' : 'waiting';
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }
}
