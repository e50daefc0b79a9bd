/**
 * Wrong parts of jobs whose barriers do not wait: what is kept of rows on their way, and how it comes back. The simulation must
 * notice each in the mode that it is named with.
 */
import { ChannelRecording } from '../../engine/checkpoint/channel-recording.ts';
import { PacedReader } from '../../engine/operators/paced-reader.ts';
import { ChannelParts } from '../../engine/task/channel-parts.ts';
import { ChannelRoute } from '../../engine/task/channel-route.ts';
import { OperatorChain } from '../../engine/task/operator-chain.ts';
import type { CutMode } from '../../simulation/checkpoints/cut-oracle.ts';
import { barriersOvertake, type PlantedMistake, patched } from './checkpoint-plants.ts';

export interface ModeMistake extends PlantedMistake {
  readonly mode: CutMode;
}

/** Deaths after which the job goes on from a checkpoint that has rows on their way. */
const laterDeath = {
  step: /^(barrier|coordinator log)/,
  what: /^(coordinator|worker) (before|after)$/,
};

export const modeMistakes: Readonly<Record<string, ModeMistake>> = {
  'a barrier overtakes rows, and nothing is recorded': {
    mode: 'unaligned',
    patch: () => patched(ChannelRecording.prototype, 'add', () => () => undefined),
    at: null,
  },
  'a message is recorded where it lies, and not as it was': {
    mode: 'unaligned',
    patch: () =>
      patched(
        ChannelRecording.prototype,
        'add',
        (original) =>
          function (this: ChannelRecording, channel, message) {
            // What comes into its place later begins with the same words, and has other values.
            const last = message.length - 8;
            message[last] = (message[last] ?? 0) ^ 1;
            original.call(this, channel, message);
          },
      ),
    at: null,
  },
  'rows that had no room are not kept': {
    mode: 'unaligned',
    patch: () => patched(ChannelParts.prototype, 'addSent', () => () => undefined),
    at: null,
  },
  'rows that had no room are kept twice': {
    mode: 'turning',
    patch: () =>
      patched(
        ChannelParts.prototype,
        'addSent',
        (original) =>
          function (this: ChannelParts, sent) {
            original.call(this, sent);
            original.call(this, sent);
          },
      ),
    at: null,
  },
  'rows that were recorded are not worked on': {
    mode: 'unaligned',
    patch: () =>
      patched(ChannelRoute.prototype, 'rowsOf', () => (batch) => {
        batch.release();
        return null;
      }),
    at: laterDeath,
  },
  'rows that were recorded are worked on twice': {
    mode: 'unaligned',
    patch: () =>
      patched(
        OperatorChain.prototype,
        'offerAt',
        (original) =>
          function (this: OperatorChain, place, batch, port) {
            const again = batch.retain();
            const isTaken = original.call(this, place, batch, port);
            const isTakenAgain =
              isTaken && this.pump(false) && original.call(this, place, again, port);
            if (!isTakenAgain) again.release();
            return isTaken;
          },
      ),
    at: laterDeath,
  },
  'a barrier that turns is taken for one that has waited': {
    mode: 'turning',
    patch: () => patched(ChannelParts.prototype, 'addRecorded', () => () => undefined),
    at: null,
  },
  'at least once, a barrier goes ahead of rows in front of it': {
    mode: 'atLeastOnce',
    plant: barriersOvertake,
    at: null,
  },
  'at least once, positions are one row too far': {
    mode: 'atLeastOnce',
    patch: () =>
      patched(
        PacedReader.prototype,
        'open',
        (original) =>
          function (this: PacedReader, split) {
            const place = split.position as { readonly given: number } | undefined;
            const position = place && { ...place, given: place.given + 1 };
            original.call(this, position === undefined ? split : { ...split, position });
          },
      ),
    at: laterDeath,
  },
};
