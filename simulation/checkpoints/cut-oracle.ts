/**
 * The oracle of the cut: whether a checkpoint that is complete is a moment that could have been, for every channel.
 *
 *     sender     ▉▉▉▉▉▉│n▉▉▉        sent at its snapshot: 6 rows       aligned         taken = sent
 *     channel          ╲            ▉▉ in flight                       unaligned       taken + recorded = sent
 *     receiver   ▉▉▉▉▉▉▉│n          taken at its snapshot: 6 rows      at least once   taken ≥ sent
 *
 * Each end of a channel counts its rows, with a checksum over them (cut-clocks.ts): since channels keep their order, two counts
 * are a vector clock's two components. What was on its way is read from the parts of the checkpoint, and the receiver's
 * checksum goes on over it: so it is the sender's rows that are kept, each once, and in their order. What a task has sent
 * is asked of the task as its barrier goes out, not of the ring, so that a barrier which overtakes rows is seen. What a source
 * has sent is compared with the positions in the manifest, by the places of records in the files.
 *
 * Rows that a sender had not put into the ring are compared with those that come there afterwards.
 */
import { rangesOf } from '../../connectors/filesystem/file-range.ts';
import type { CheckpointManifest } from '../../coordinator/checkpoint/checkpoint-manifest.ts';
import type { KnownSplit } from '../../coordinator/job/job-sources.ts';
import { taskIdOf, taskIndexOf, vertexIdOf } from '../../coordinator/protocol.ts';
import type { SnapshotPart } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { channelsOf } from '../../engine/plan/channels.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { type Count, CountedTask, type TaskClock, withRow } from './cut-clocks.ts';
import { type KeptRows, ManifestRows } from './kept-rows.ts';
import type { InputFile } from './sums-job.ts';

export type CutMode = 'aligned' | 'turning' | 'unaligned' | 'atLeastOnce';

export interface CutOracleOptions {
  readonly graph: PhysicalGraph;
  readonly files: readonly InputFile[];
  readonly mode: CutMode;
  /** Rows of a part of a snapshot. */
  readonly textsOf: (part: SnapshotPart) => readonly string[];
}

/** What is kept of rows that had not gone out: to be compared once they have. */
interface Later {
  readonly at: string;
  readonly taskId: string;
  readonly channel: number;
  readonly expected: Count;
}

/** The clocks of one attempt of a job. */
export class CutOracle {
  readonly #options: CutOracleOptions;
  readonly #tasks = new Map<string, CountedTask>();
  #later: Later[] = [];
  /** Rows on their way that checkpoints had. */
  keptRows = 0;

  constructor(options: CutOracleOptions) {
    this.#options = options;
  }

  /** @param metrics - As the task publishes them. */
  clockOf(taskId: string, metrics: ArrayBufferLike): TaskClock {
    const clock = new CountedTask(metrics, this.#options.mode !== 'aligned');
    this.#tasks.set(taskId, clock);
    // What the task that was there before had not sent will not be sent by this one.
    this.#later = this.#later.filter((one) => one.taskId !== taskId);
    return clock;
  }

  /** What is wrong with a checkpoint that is complete; null when it is a consistent cut. */
  objection(manifest: CheckpointManifest): string | null {
    const { checkpointId } = manifest;
    const { graph } = this.#options;
    const kept = new ManifestRows(graph, manifest);
    this.keptRows += kept.rowCount;
    const late = this.lateObjection();
    if (late !== null) return late;
    const outboxRows = new Map<string, number>();
    const nextOutput = new Map<string, number>();
    const nextInput = new Map<string, number>();
    for (const edge of graph.edges) {
      for (const { sender, receiver } of channelsOf(graph, edge)) {
        const from = taskIdOf(edge.from, sender);
        const to = taskIdOf(edge.to, receiver);
        const name = { edgeId: edge.id, sender, receiver };
        const output = takeNext(nextOutput, from);
        const input = takeNext(nextInput, to);
        const ends = { from, output, to, input };
        const rows = { inRing: kept.inRing(name), inOutbox: kept.inOutbox(name) };
        outboxRows.set(from, (outboxRows.get(from) ?? 0) + rows.inOutbox.rowCount);
        const problem = this.#channelObjection(ends, rows, checkpointId);
        if (problem !== null) return `checkpoint ${checkpointId}, ${from} to ${to}: ${problem}`;
      }
    }
    for (const [taskId, task] of this.#tasks) {
      const inFront = kept.inFront(vertexIdOf(taskId), taskIndexOf(taskId));
      const around = { inFront, inOutbox: outboxRows.get(taskId) ?? 0 };
      const problem =
        task.objection(checkpointId, around) ?? this.#sourceObjection(taskId, manifest);
      if (problem !== null) return `checkpoint ${checkpointId}, task ${taskId}: ${problem}`;
    }
    return null;
  }

  /** Whether rows that were kept before they went out are those that have gone out since. */
  lateObjection(): string | null {
    for (const one of this.#later) {
      const { at, taskId, channel, expected } = one;
      const sent = this.#tasks.get(taskId)?.sentUpTo(channel, expected.rows) ?? null;
      if (sent === null) continue;
      this.#later = this.#later.filter((other) => other !== one);
      if (sent !== expected.checksum) return `${at}: other rows are kept than have gone out since`;
    }
    return null;
  }

  #channelObjection(
    { from, output, to, input }: { from: string; output: number; to: string; input: number },
    { inRing, inOutbox }: { readonly inRing: KeptRows; readonly inOutbox: KeptRows },
    checkpointId: number,
  ): string | null {
    const { mode } = this.#options;
    const sender = this.#tasks.get(from);
    const sent = sender?.sentAt(output, checkpointId) ?? null;
    if (sent === null) return 'the sender has neither sent the barrier nor ended';
    const fitting = sent.rows - inRing.rowCount;
    const taken = this.#tasks.get(to)?.takenAt(input, checkpointId, fitting) ?? null;
    if (taken === null) return 'the receiver has neither begun its snapshot nor ended';
    if (mode === 'atLeastOnce') {
      if (taken.rows < sent.rows) return `${taken.rows} of ${sent.rows} rows are taken`;
      const first = this.#tasks.get(to)?.takenUpTo(input, sent.rows);
      return first === sent.checksum ? null : 'other rows are taken than were sent';
    }
    if (taken.rows + inRing.rowCount !== sent.rows) {
      return `${taken.rows} rows are taken and ${inRing.rowCount} recorded, ${sent.rows} were sent`;
    }
    const recorded = this.#goneOn(taken, inRing);
    if (recorded.rows !== sent.rows || recorded.checksum !== sent.checksum) {
      return 'other rows are taken and recorded than were sent';
    }
    if (inOutbox.rowCount > 0) {
      const expected = this.#goneOn(sent, inOutbox);
      const at = `checkpoint ${checkpointId}, ${from} to ${to}`;
      this.#later.push({ at, taskId: from, channel: output, expected });
    }
    return null;
  }

  /** Rows up to a moment, and behind them what a checkpoint has kept. */
  #goneOn(before: Count, { parts }: KeptRows): Count {
    return parts.flatMap((part) => this.#options.textsOf(part)).reduce(withRow, before);
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
