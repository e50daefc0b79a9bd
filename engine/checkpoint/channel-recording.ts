/**
 * Channel recording: what was on its way to a task when an unaligned barrier passed it: of each channel all that its sender had sent
 * in front of the barrier and the task had not worked on.
 *
 *     channel 0   a b │n            announced: a and b are copied out of the channel, and that is all
 *     channel 1   p q               not yet: what is read from here on is copied, until the announcement comes
 *     channel 2   x (end)           x
 *
 * It is complete when each channel has announced the barrier, or ended. A channel that announces a later one and not this
 * one never will: then the recording has failed, and so has the task's part of the checkpoint.
 *
 * What is copied is messages, as they were sent; their bytes are counted, and a task that has recorded too much reads no further
 * in channels that have not announced the barrier: then they wait, as if it were aligned.
 * Before: engine/stream/unaligned-gate.ts. After: engine/task/channel-parts.ts.
 */
import { assert } from '../../base/assert.ts';

/** A message as it was sent. */
export type Message = Uint8Array<ArrayBuffer>;

/** What was on its way in a channel. */
export interface RecordedChannel {
  readonly channel: number;
  /** How far its event time was for the task; minus infinity before the first watermark. */
  readonly watermarkMs: number;
  readonly messages: readonly Message[];
}

/** 64 MiB: a second of work, say, and twice what the rings of an exchange hold. */
const recordedBytesMax = 64 << 20;

export class ChannelRecording {
  readonly checkpointId: number;
  readonly channels: readonly (RecordedChannel & { readonly messages: Message[] })[];
  readonly #bytesMax: number;
  /** Channels that have not announced the barrier. */
  readonly #missing: Set<number>;
  #sizeBytes = 0;
  #hasFailed = false;

  /** @param channels - Those that have not ended, with how far their event time is. */
  constructor(
    checkpointId: number,
    channels: readonly Omit<RecordedChannel, 'messages'>[],
    bytesMax = recordedBytesMax,
  ) {
    this.checkpointId = checkpointId;
    this.channels = channels.map((one) => ({ ...one, messages: [] }));
    this.#missing = new Set(channels.map(({ channel }) => channel));
    this.#bytesMax = bytesMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isComplete(): boolean {
    return this.#missing.size === 0 && !this.#hasFailed;
  }

  /** It will never be complete. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether what the channel brings belongs to it. */
  isRecording(channel: number): boolean {
    return this.#missing.has(channel) && !this.#hasFailed;
  }

  /** Whether the channel must not be read before it has announced the barrier. */
  isBlocked(channel: number): boolean {
    return this.#sizeBytes >= this.#bytesMax && this.isRecording(channel);
  }

  /** A message was read that the sender had sent in front of the barrier. */
  add(channel: number, message: Message): void {
    const found = this.channels.find((one) => one.channel === channel);
    assert(found !== undefined, 'a channel that is read has not ended');
    found.messages.push(message);
    this.#sizeBytes += message.length;
  }

  /** Nothing more of the channel is in front of the barrier. @param rest - What was, and has not been read. */
  close(channel: number, rest: readonly Message[]): void {
    if (!this.#missing.delete(channel)) return;
    for (const message of rest) this.add(channel, message);
  }

  /** The barrier will not come on some channel. */
  fail(): void {
    this.#hasFailed = true;
  }
}
