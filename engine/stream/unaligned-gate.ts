/**
 * Unaligned gate: the part of an input gate that lets a barrier pass ahead of what is in its channels, and records what
 * that was.
 *
 *     announced on one channel ─┐                 ┌▶ the barrier, at once
 *     time of an aligned one ───┴─▶ passesAhead ──┴▶ a recording of the channels (engine/checkpoint/channel-recording.ts)
 *
 * Before: engine/stream/input-gate.ts. After: engine/task/task.ts.
 */
import type { Barrier } from '../checkpoint/barrier.ts';
import type { BarrierAligner } from '../checkpoint/barrier-aligner.ts';
import { ChannelRecording, type Message } from '../checkpoint/channel-recording.ts';
import type { Announcement, ChannelAhead, ElementReader } from './stream-element.ts';

/** A channel that has not ended. */
export interface OpenChannel {
  readonly reader: ElementReader;
  readonly index: number;
}

export interface UnalignedGateOptions {
  readonly aligner: BarrierAligner;
  readonly open: () => readonly OpenChannel[];
  /** How far event time is in a channel. */
  readonly watermarkOf: (channel: number) => number;
}

export class UnalignedGate {
  readonly #options: UnalignedGateOptions;
  /** By channel: announcements of barriers that have not passed. */
  readonly #announced = new Map<number, readonly Announcement[]>();
  /** By channel, where it is known that it ends. */
  readonly #endPlaces = new Map<number, number>();
  /** That are not complete. */
  #recordings: ChannelRecording[] = [];
  /** That the task has not taken. */
  #made: ChannelRecording | null = null;

  constructor(options: UnalignedGateOptions) {
    this.#options = options;
  }

  /** The next barrier that passes ahead of what is in the channels, and now; null where none does. */
  passesAhead(nowMs: number): Barrier | null {
    this.#look(nowMs);
    const { aligner } = this.#options;
    const barrier = this.#oldestAnnounced() ?? aligner.due(nowMs);
    if (barrier === null) return null;
    const { checkpointId, timeoutMs: _, ...rest } = barrier;
    this.#record(checkpointId);
    const alignmentMs = aligner.pass(checkpointId, nowMs);
    return { ...rest, checkpointId, mode: 'unaligned', alignmentMs };
  }

  /** What was in the channels when the last barrier passed ahead of it. */
  takeRecording(): ChannelRecording | null {
    const made = this.#made;
    this.#made = null;
    return made;
  }

  /** Whether the channel must not be read for now: what is behind a barrier that passes next comes later. */
  isBlocked(channel: number): boolean {
    const announced = this.#announced.get(channel);
    const isNext = announced?.some((one) => this.#isUrgent(one)) === true;
    return isNext || this.#recordings.some((recording) => recording.isBlocked(channel));
  }

  /** The barrier has come on the channel in its turn. */
  arrived({ checkpointId }: Barrier, channel: number): void {
    this.#closeUpTo(channel, checkpointId, []);
  }

  ended(channel: number): void {
    for (const recording of this.#recordings) recording.close(channel, []);
    this.#announced.delete(channel);
    this.#forget();
  }

  /** The checkpoint is given up: nothing more is recorded for it. */
  cancel(checkpointId: number): void {
    for (const one of this.#recordings) if (one.checkpointId === checkpointId) one.fail();
    this.#forget();
  }

  /** Takes in what senders have announced, and where channels end. */
  #look(nowMs: number): void {
    for (const { reader, index } of this.#options.open()) {
      const { ahead } = reader;
      if (ahead === undefined) continue;
      // First this: who has ended has announced before all that it will.
      const { endPlace } = ahead;
      if (endPlace !== null) this.#endPlaces.set(index, endPlace);
      for (let one = ahead.takeAnnouncement(); one !== null; one = ahead.takeAnnouncement()) {
        this.#announce(index, one, nowMs);
      }
      if (endPlace !== null && this.#recordings.length > 0) {
        this.#closeAll(index, ahead.messagesUpTo(endPlace));
      }
    }
    this.#forget();
  }

  #announce(channel: number, announcement: Announcement, nowMs: number): void {
    const { barrier, place } = announcement;
    const { checkpointId } = barrier;
    const { aligner } = this.#options;
    if (aligner.isOver(checkpointId)) {
      const isRecorded = this.#recordings.some((one) => one.isRecording(channel));
      this.#closeUpTo(channel, checkpointId, isRecorded ? this.#rest(channel, place) : []);
      return;
    }
    this.#closeUpTo(channel, checkpointId, []);
    const before = this.#announced.get(channel) ?? [];
    this.#announced.set(channel, [...before.filter((one) => !this.#isOver(one)), announcement]);
    aligner.announce(barrier, nowMs);
  }

  #isOver({ barrier }: Announcement): boolean {
    return this.#options.aligner.isOver(barrier.checkpointId);
  }

  #isUrgent(one: Announcement): boolean {
    return one.barrier.mode === 'unaligned' && !this.#isOver(one);
  }

  #rest(channel: number, place: number): readonly Message[] {
    const reader = this.#options.open().find(({ index }) => index === channel)?.reader;
    return reader?.ahead?.messagesUpTo(place) ?? [];
  }

  #oldestAnnounced(): Barrier | null {
    let oldest: Barrier | null = null;
    for (const one of [...this.#announced.values()].flat()) {
      if (!this.#isUrgent(one)) continue;
      const isOlder = oldest === null || one.barrier.checkpointId < oldest.checkpointId;
      if (isOlder) oldest = one.barrier;
    }
    return oldest;
  }

  #record(checkpointId: number): void {
    const { open, watermarkOf } = this.#options;
    const channels = open().map(({ index: channel }) => {
      return { channel, watermarkMs: watermarkOf(channel) };
    });
    const recording = new ChannelRecording(checkpointId, channels);
    this.#made = recording;
    this.#recordings.push(recording);
    for (const { reader, index } of open()) this.#recordChannel(recording, index, reader.ahead);
    this.#forget();
  }

  #recordChannel(recording: ChannelRecording, channel: number, ahead?: ChannelAhead): void {
    const { checkpointId } = recording;
    const announced = this.#announced.get(channel) ?? [];
    const own = announced.find(({ barrier }) => barrier.checkpointId === checkpointId);
    const isLater = ({ barrier }: Announcement) => barrier.checkpointId > checkpointId;
    const place = own?.place ?? this.#endPlaces.get(channel);
    if (this.#options.aligner.hasBrought(channel, checkpointId)) recording.close(channel, []);
    else if (own === undefined && announced.some(isLater)) recording.fail();
    else if (place !== undefined) recording.close(channel, ahead?.messagesUpTo(place) ?? []);
    else if (ahead !== undefined) ahead.onMessage = (message) => this.#add(channel, message);
    this.#announced.set(channel, announced.filter(isLater));
  }

  #add(channel: number, message: Message): void {
    for (const recording of this.#recordings) {
      if (recording.isRecording(channel)) recording.add(channel, message);
    }
  }

  /** A barrier has come on a channel: that of its own checkpoint closes the channel, one of an earlier one will never come. */
  #closeUpTo(channel: number, checkpointId: number, rest: readonly Message[]): void {
    for (const recording of this.#recordings) {
      if (recording.checkpointId === checkpointId) recording.close(channel, rest);
      else if (recording.checkpointId < checkpointId && recording.isRecording(channel)) {
        recording.fail();
      }
    }
    this.#forget();
  }

  #closeAll(channel: number, rest: readonly Message[]): void {
    for (const recording of this.#recordings) recording.close(channel, rest);
  }

  /** Of recordings that are complete, or never will be; nobody copies for them any more. */
  #forget(): void {
    this.#recordings = this.#recordings.filter((one) => !one.isComplete && !one.hasFailed);
    for (const { reader, index } of this.#options.open()) {
      const isRecorded = this.#recordings.some((one) => one.isRecording(index));
      if (!isRecorded && reader.ahead !== undefined) reader.ahead.onMessage = null;
    }
  }
}
