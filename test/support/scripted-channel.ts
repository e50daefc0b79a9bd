/** A channel for tests: answers what its script says, one element per read, then `end`. */
import { Batch } from '../../engine/batch/batch.ts';
import type { ElementReader, StreamElement } from '../../engine/stream/stream-element.ts';

export function scriptedChannel(script: (StreamElement | 'waiting')[]): ElementReader {
  const left = [...script];
  return {
    read() {
      const element = left.shift() ?? 'end';
      if (element === 'failed') left.unshift('failed');
      return element;
    },
    close() {
      for (const element of left.splice(0)) {
        if (element instanceof Batch) element.release();
      }
    },
  };
}
