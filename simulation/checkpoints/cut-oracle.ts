/**
 * The oracle of the cut: whether a checkpoint that is complete is a moment that could have been, for every channel.
 *
 *     sender     ▉▉▉▉▉▉│n▉▉▉        sent at its snapshot: 6 rows       aligned         taken = sent
 *     channel          ╲            ▉▉ in flight                       unaligned       taken + recorded = sent
 *     receiver   ▉▉▉▉▉▉▉│n          taken at its snapshot: 6 rows      at least once   taken ≥ sent
 *
 * Each end of a channel counts its rows, with a checksum over their bytes: since channels keep their order, two counts
 * are a vector clock's two components. What a task has sent is asked of the task as its barrier goes out, not of the ring, so
 * that a barrier which overtakes rows is seen. What a source has sent is compared with the positions in the manifest,
 * by the places of records in the files.
 */
import { crc32c } from '../../base/checksum.ts';
import { rangesOf } from '../../connectors/filesystem/file-range.ts';
import type { CheckpointManifest } from '../../coordinator/checkpoint/checkpoint-manifest.ts';
import type { KnownSplit } from '../../coordinator/job/job-sources.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { channelsOf } from '../../engine/plan/channels.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { readTaskMetrics } from '../../engine/task/task-metrics.ts';
import type { InputFile } from './sums-job.ts';
import type { ChannelMessage } from './watched-task.ts';

export type CutMode = 'aligned' | 'unaligned' | 'atLeastOnce';

/** Rows of a channel up to a moment. */
interface Count {
  rows: number;
  checksum: number;
}

/** What one task says of itself. */
export interface TaskClock {
  writing(channel: number, message: ChannelMessage): void;
  wrote(channel: number, message: ChannelMessage): void;
  ended(channel: number): void;
  read(channel: number, message: ChannelMessage): void;
  begins(checkpointId: number): void;
}

/** Rows that the snapshot of a receiver has recorded of a channel. @defaultValue none: barriers are aligned */
export type RecordedRows = (receiver: string, sender: string, checkpointId: number) => number;

export interface CutOracleOptions {
  readonly graph: PhysicalGraph;
  readonly files: readonly InputFile[];
  readonly mode: CutMode;
  readonly recorded?: RecordedRows;
}

/** The clocks of one attempt of a job. */
export class CutOracle {
  readonly #options: CutOracleOptions;
  readonly #tasks = new Map<string, CountedTask>();

  constructor(options: CutOracleOptions) {
    this.#options = options;
  }

  /** @param metrics - As the task publishes them. */
  clockOf(taskId: string, metrics: ArrayBufferLike): TaskClock {
    const clock = new CountedTask(metrics);
    this.#tasks.set(taskId, clock);
    return clock;
  }

  /** What is wrong with a checkpoint that is complete; null when it is a consistent cut. */
  objection(manifest: CheckpointManifest): string | null {
    const { checkpointId } = manifest;
    for (const [taskId, task] of this.#tasks) {
      const problem = task.objection(checkpointId) ?? this.#sourceObjection(taskId, manifest);
      if (problem !== null) return `checkpoint ${checkpointId}, task ${taskId}: ${problem}`;
    }
    const { graph } = this.#options;
    const nextOutput = new Map<string, number>();
    const nextInput = new Map<string, number>();
    for (const edge of graph.edges) {
      for (const { sender, receiver } of channelsOf(graph, edge)) {
        const from = `${edge.from}[${sender}]`;
        const to = `${edge.to}[${receiver}]`;
        const output = takeNext(nextOutput, from);
        const input = takeNext(nextInput, to);
        const problem = this.#channelObjection({ from, output, to, input }, checkpointId);
        if (problem !== null) return `checkpoint ${checkpointId}, ${from} to ${to}: ${problem}`;
      }
    }
    return null;
  }

  #channelObjection(
    { from, output, to, input }: { from: string; output: number; to: string; input: number },
    checkpointId: number,
  ): string | null {
    const { mode, recorded } = this.#options;
    const sent = this.#tasks.get(from)?.sentAt(output, checkpointId) ?? null;
    const taken = this.#tasks.get(to)?.takenAt(input, checkpointId) ?? null;
    if (sent === null) return 'the sender has neither sent the barrier nor ended';
    if (taken === null) return 'the receiver has neither begun its snapshot nor ended';
    if (mode === 'atLeastOnce') {
      return taken.rows >= sent.rows ? null : `${taken.rows} of ${sent.rows} rows are taken`;
    }
    const inFlight = mode === 'unaligned' ? (recorded?.(to, from, checkpointId) ?? 0) : 0;
    if (taken.rows + inFlight !== sent.rows) {
      return `${taken.rows} rows are taken and ${inFlight} recorded, ${sent.rows} were sent`;
    }
    const isSame = inFlight > 0 || taken.checksum === sent.checksum;
    return isSame ? null : 'other rows are taken than were sent';
  }

  /** Of a task with a source: whether its positions are where its rows end. */
  #sourceObjection(taskId: string, manifest: CheckpointManifest): string | null {
    const snapshot = manifest.tasks.find((task) => task.taskId === taskId)?.source ?? null;
    const given = this.#tasks.get(taskId)?.workedAt(manifest.checkpointId) ?? null;
    if (snapshot === null || given === null) return null;
    const known = new Map(
      (manifest.splits[snapshot.operatorId] ?? []).map((one) => {
        const split = one as unknown as KnownSplit;
        return [split.id, split] as const;
      }),
    );
    let rows = 0;
    for (const id of snapshot.finished) {
      const split = known.get(id);
      if (split === undefined) return `split ${id} is not known`;
      rows += this.#recordsIn(split) - this.#recordsBefore(split, split.position ?? null);
    }
    for (const { splitId, position } of snapshot.open) {
      const split = known.get(splitId);
      if (split === undefined) return `split ${splitId} is not known`;
      rows +=
        this.#recordsBefore(split, position) - this.#recordsBefore(split, split.position ?? null);
    }
    return rows === given ? null : `its positions say ${rows} rows, it gave out ${given}`;
  }

  #recordsIn({ payload }: KnownSplit): number {
    return rangesOf(payload).reduce((sum, { path }) => sum + this.#recordsOf(path, null), 0);
  }

  /** Records in front of a position, of a split of whole files. */
  #recordsBefore({ payload }: KnownSplit, position: Json): number {
    const { before, given = 0 } = (position ?? { before: null }) as {
      before: { rangeIndex: number; place: { byteOffset: number } | null } | null;
      given?: number;
    };
    if (before === null) return given;
    const ranges = rangesOf(payload);
    const whole = ranges.slice(0, before.rangeIndex);
    const inRange = ranges[before.rangeIndex];
    const partial =
      inRange === undefined || before.place === null
        ? 0
        : this.#recordsOf(inRange.path, before.place.byteOffset);
    return whole.reduce((sum, { path }) => sum + this.#recordsOf(path, null), partial) + given;
  }

  #recordsOf(path: string, end: number | null): number {
    const { offsets = [0] } = this.#options.files.find((file) => file.path === path) ?? {};
    if (end === null) return offsets.length - 1;
    return offsets.filter((offset) => offset < end).length;
  }
}

function takeNext(counts: Map<string, number>, key: string): number {
  const next = counts.get(key) ?? 0;
  counts.set(key, next + 1);
  return next;
}

/** One end of a channel. */
class CountedChannel {
  readonly now: Count = { rows: 0, checksum: 0 };
  /** By checkpoint: what came before its barrier, or before the snapshot. */
  readonly at = new Map<number, Count>();
  hasEnded = false;

  add(message: ChannelMessage): void {
    if (message.kind !== 'rows') return;
    this.now.rows += message.count;
    this.now.checksum = crc32c(message.bytes, this.now.checksum);
  }

  mark(checkpointId: number): void {
    this.at.set(checkpointId, { ...this.now });
  }

  before(checkpointId: number): Count | null {
    return this.at.get(checkpointId) ?? (this.hasEnded ? this.now : null);
  }
}

class CountedTask implements TaskClock {
  readonly #metrics: ArrayBufferLike;
  readonly #outputs: CountedChannel[] = [];
  readonly #inputs: CountedChannel[] = [];
  /** By checkpoint: rows that the chain had given out as the barrier left it. */
  readonly #given = new Map<number, number>();
  /** By checkpoint: rows that the chain had been given as the barrier came to it. */
  readonly #worked = new Map<number, number>();

  constructor(metrics: ArrayBufferLike) {
    this.#metrics = metrics;
  }

  writing(_channel: number, message: ChannelMessage): void {
    if (message.kind !== 'barrier' || this.#given.has(message.checkpointId)) return;
    this.#given.set(message.checkpointId, readTaskMetrics(this.#metrics).output.rowsIn);
  }

  wrote(channel: number, message: ChannelMessage): void {
    const output = this.#end(this.#outputs, channel);
    output.add(message);
    if (message.kind === 'barrier') output.mark(message.checkpointId);
  }

  ended(channel: number): void {
    this.#end(this.#outputs, channel).hasEnded = true;
  }

  read(channel: number, message: ChannelMessage): void {
    this.#end(this.#inputs, channel).add(message);
  }

  begins(checkpointId: number): void {
    for (const input of this.#inputs) input?.mark(checkpointId);
    this.#worked.set(checkpointId, this.#rowsIn);
  }

  sentAt(channel: number, checkpointId: number): Count | null {
    return this.#end(this.#outputs, channel).before(checkpointId);
  }

  /** A channel that nobody has read yet had no rows then. */
  takenAt(channel: number, checkpointId: number): Count | null {
    const input = this.#end(this.#inputs, channel);
    if (this.#worked.has(checkpointId))
      return input.at.get(checkpointId) ?? { rows: 0, checksum: 0 };
    return this.#isFinished ? input.now : null;
  }

  /** Rows that the first of the chain was given, or has read, up to a checkpoint; null of one that it had no part in. */
  workedAt(checkpointId: number): number | null {
    return this.#worked.get(checkpointId) ?? (this.#isFinished ? this.#rowsIn : null);
  }

  /** What is wrong within the task: rows that it holds, or that its barrier has overtaken. */
  objection(checkpointId: number): string | null {
    const given = this.#given.get(checkpointId);
    const sent = this.#outputs.reduce((sum, one) => sum + (one.at.get(checkpointId)?.rows ?? 0), 0);
    if (given !== undefined && given !== sent) {
      return `it gave out ${given} rows in front of its barrier, its channels have ${sent}`;
    }
    const worked = this.#worked.get(checkpointId);
    const taken = this.#inputs.reduce(
      (sum, one) => sum + (one?.at.get(checkpointId)?.rows ?? 0),
      0,
    );
    const hasInputs = this.#inputs.length > 0;
    if (hasInputs && worked !== undefined && worked !== taken) {
      return `it has read ${taken} rows in front of the barrier, and worked on ${worked}`;
    }
    return null;
  }

  get #rowsIn(): number {
    return readTaskMetrics(this.#metrics).operators[0]?.rowsIn ?? 0;
  }

  get #isFinished(): boolean {
    return readTaskMetrics(this.#metrics).state === 'finished';
  }

  #end(ends: CountedChannel[], channel: number): CountedChannel {
    ends[channel] ??= new CountedChannel();
    return ends[channel];
  }
}
