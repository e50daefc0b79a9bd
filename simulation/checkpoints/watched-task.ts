/**
 * A task with an eye on what goes in and out of it: each message of its channels, its barriers, and what its operators hand
 * out and take in.
 *
 *     ring ──read──▶ task: barrier ▶ operator ▶ operator ▶ part on disk ──write──▶ ring
 *
 * The rings and the files are the real ones; here only the eye is told, and may end the life that the task runs in.
 */
import { bodyMark } from '../../engine/batch/body-layout.ts';
import type { SnapshotFiles, SnapshotRun } from '../../engine/checkpoint/snapshot-files.ts';
import type { RingReader, RingWriter } from '../../engine/memory/ring.ts';
import { isChannelKind } from '../../engine/plan/channel-ref.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { decodeMark, markMessageBytes } from '../../engine/shuffle/mark-message.ts';
import { Task } from '../../engine/task/task.ts';
import type { TaskOptions } from '../../engine/task/task-parts.ts';

/** What a message of a channel is, as far as cuts are concerned. */
export type ChannelMessage =
  | {
      readonly kind: 'rows';
      readonly count: number;
      readonly bytes: Uint8Array;
      readonly schema: Schema;
    }
  | { readonly kind: 'barrier'; readonly checkpointId: number }
  | { readonly kind: 'other' };

/** Who looks at a task. Channels are numbered as the task has them: edge by edge. */
export interface TaskEye {
  /** Something that may be struck: told before it is done. */
  step(name: string): void;
  /** A message is about to be written: all that the task has given out so far is in front of it. */
  writing(channel: number, message: ChannelMessage): void;
  wrote(channel: number, message: ChannelMessage): void;
  /** No message follows. */
  ended(channel: number): void;
  /** @param place - Slots of the ring up to the end of the message. */
  read(channel: number, message: ChannelMessage, place: number): void;
  /** A barrier is about to be announced ahead of what the task holds. */
  announcing(channel: number, checkpointId: number): void;
  /** The task has seen an announcement: `place` slots had been written by then. */
  announced(channel: number, checkpointId: number, place: number): void;
  /** Behind a restart the task may be given rows that were on their way, before any other. */
  restoresRows(): void;
  /** The barrier has come to the task: its snapshot begins. */
  begins(checkpointId: number): void;
}

export function watchedTask(options: TaskOptions, eye: TaskEye): Task {
  let input = 0;
  let output = 0;
  const { inputs, outputs, snapshots = null, vertex } = options;
  return new Task({
    ...options,
    snapshots: snapshots && watchedFiles(snapshots, vertex.name, eye),
    inputs: inputs.map((one) => ({
      ...one,
      rings: one.rings.map((ring) =>
        watchedReader(ring, { channel: input++, schema: one.schema }, eye),
      ),
    })),
    outputs: outputs.map((one) => ({
      ...one,
      rings: one.rings.map((ring) =>
        watchedWriter(ring, { channel: output++, schema: one.schema }, eye),
      ),
    })),
  });
}

/** The object with some methods exchanged: a class with private fields is a type of its own. */
export function exchanged<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const own = methods[name as keyof T];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A channel of a task, and what rows it carries. */
interface WatchedChannel {
  readonly channel: number;
  readonly schema: Schema;
}

function watchedReader(
  ring: RingReader,
  { channel, schema }: WatchedChannel,
  eye: TaskEye,
): RingReader {
  let target: Uint8Array = new Uint8Array(0);
  return exchanged(ring, {
    tryRead: (into) => {
      const outcome = ring.tryRead((sizeBytes) => {
        target = into(sizeBytes);
        return target;
      });
      if (outcome === 'message') eye.read(channel, messageIn(target, schema), ring.place);
      return outcome;
    },
    takeNote: () => {
      const note = ring.takeNote();
      if (note !== null) eye.announced(channel, note.numbers[0], note.place);
      return note;
    },
  });
}

function watchedWriter(
  ring: RingWriter,
  { channel, schema }: WatchedChannel,
  eye: TaskEye,
): RingWriter {
  return exchanged(ring, {
    tryWrite: (bytes) => {
      const message = messageIn(bytes, schema);
      if (!ring.isWriting) eye.writing(channel, message);
      const isWritten = ring.tryWrite(bytes);
      if (isWritten) eye.wrote(channel, message);
      return isWritten;
    },
    note: (numbers) => {
      eye.announcing(channel, numbers[0]);
      ring.note(numbers);
    },
    end: () => {
      ring.end();
      eye.ended(channel);
    },
  });
}

function messageIn(bytes: Uint8Array, schema: Schema): ChannelMessage {
  const start = bytes.slice(0, markMessageBytes);
  const uint32 = new Uint32Array(start.buffer, 0, start.length >> 2);
  if (uint32[0] === bodyMark) {
    return { kind: 'rows', count: uint32[1] ?? 0, bytes, schema };
  }
  const mark = decodeMark({ uint32, float64: new Float64Array(start.buffer) }, 0);
  return mark?.kind === 'barrier' ? mark : { kind: 'other' };
}

function watchedFiles(files: SnapshotFiles, vertex: string, eye: TaskEye): SnapshotFiles {
  return {
    begin: (checkpointId) => {
      eye.step(`barrier reaches ${vertex}`);
      eye.begins(checkpointId);
      return watchedRun(files.begin(checkpointId), vertex, eye);
    },
    readerOf: (...operator) => {
      const reader = files.readerOf(...operator);
      if (reader !== null) eye.step(`restore of ${operator[0].kind}`);
      if (reader !== null && isChannelKind(operator[0].kind)) eye.restoresRows();
      return reader;
    },
  };
}

function watchedRun(run: SnapshotRun, vertex: string, eye: TaskEye): SnapshotRun {
  return {
    writerOf: (operator) => {
      eye.step(`barrier into ${operator.kind}`);
      return run.writerOf(operator);
    },
    step: () => run.step(),
    finish: () => {
      eye.step(`snapshot of ${vertex} ends`);
      return run.finish();
    },
    abort: () => run.abort(),
  };
}
