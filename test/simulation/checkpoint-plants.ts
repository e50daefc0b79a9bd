/**
 * Wrong parts for a job with checkpoints: each is a mistake that a reader might let pass, with the steps at which it shows. The
 * simulation must notice every one, so that its silence about the right parts means something.
 */
import type { Disk, SyncDisk } from '../../base/env/disk.ts';
import type { CheckpointEffect } from '../../coordinator/checkpoint/attempt-checkpoints.ts';
import { stepCheckpoints } from '../../coordinator/checkpoint/checkpoint-state.ts';
import { Coordinator } from '../../coordinator/coordinator.ts';
import { BarrierAligner } from '../../engine/checkpoint/barrier-aligner.ts';
import type { RestoredOperator } from '../../engine/checkpoint/snapshot-files.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { CheckpointCommitter } from '../../engine/contracts/sink.ts';
import type { RingWriter } from '../../engine/memory/ring.ts';
import { PacedReader } from '../../engine/operators/paced-reader.ts';
import { decodeMark } from '../../engine/shuffle/mark-message.ts';
import type { TaskOptions } from '../../engine/task/task-parts.ts';
import type { CheckpointPlant } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { exchanged } from '../../simulation/checkpoints/watched-task.ts';
import type { StepFault } from '../../simulation/faults.ts';
import { Executor } from '../../worker/executor.ts';

type Step = typeof stepCheckpoints;

export interface PlantedMistake {
  readonly plant?: CheckpointPlant;
  /** Exchanges a method of a class; answers with what puts the right one back. */
  readonly patch?: () => () => void;
  /** Where it shows; null: in runs without faults. */
  readonly at: { readonly step: RegExp; readonly what: RegExp } | null;
  /** What befalls the run besides. @defaultValue nothing */
  readonly and?: (first: StepFault) => StepFault;
}

export function patched<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  change: (original: T[K]) => T[K],
): () => void {
  const original = prototype[name];
  prototype[name] = change(original);
  return () => {
    prototype[name] = original;
  };
}

/** The rules, with other effects. */
const withEffects =
  (change: (effect: CheckpointEffect) => readonly CheckpointEffect[]): Step =>
  (state, event, options) => {
    const step = stepCheckpoints(state, event, options);
    return { ...step, effects: step.effects.flatMap(change) };
  };

/** What was prepared for a checkpoint that fails is forgotten with it. */
const abortedWritesDropped: Step = (state, event, options) => {
  const step = stepCheckpoints(state, event, options);
  const last = step.state.history.ended.at(-1);
  const isNew = last !== undefined && !state.history.ended.includes(last);
  if (!isNew || (last.outcome !== 'declined' && last.outcome !== 'expired')) return step;
  const writes = step.state.writes.filter(({ checkpointId }) => checkpointId > last.checkpointId);
  return { ...step, state: { ...step.state, writes } };
};

const onCommitter =
  (change: (committer: CheckpointCommitter) => Partial<CheckpointCommitter>) =>
  (connector: Connector): Connector => ({
    ...connector,
    checkpointCommitter: (options, context) => {
      const committer = connector.checkpointCommitter?.(options, context) as CheckpointCommitter;
      const same: CheckpointCommitter = {
        prepare: (pending) => committer.prepare(pending),
        commit: (prepared) => committer.commit(prepared),
        abort: () => committer.abort(),
      };
      return { ...same, ...change(committer) };
    },
  });

const onDisk = (change: (disk: Disk) => Partial<Disk>): CheckpointPlant => ({
  env: (env) => ({ ...env, disk: exchanged(env.disk, change(env.disk)) }),
});

/** What operators go on from, changed on its way to them. */
const onRestore =
  (change: (reader: RestoredOperator, kind: string) => Partial<RestoredOperator>) =>
  (options: TaskOptions): TaskOptions => {
    const { snapshots = null } = options;
    if (snapshots === null) return options;
    return {
      ...options,
      snapshots: {
        begin: (checkpointId) => snapshots.begin(checkpointId),
        readerOf: (...operator) => {
          const reader = snapshots.readerOf(...operator);
          if (reader === null) return null;
          const same: RestoredOperator = {
            keyGroups: reader.keyGroups,
            notes: reader.notes,
            read: (part) => reader.read(part),
            close: () => reader.close(),
          };
          return { ...same, ...change(reader, operator[0].kind) };
        },
      },
    };
  };

/** Each batch of state comes twice. */
function readTwice(reader: RestoredOperator): Partial<RestoredOperator> {
  const again: ReturnType<RestoredOperator['read']>[] = [];
  return {
    read: (part) => {
      const waiting = again.pop();
      if (waiting !== undefined) return waiting;
      const batch = reader.read(part);
      if (batch !== null) {
        batch.retain();
        again.push(batch);
      }
      return batch;
    },
  };
}

function notesAhead(notes: readonly Json[]): Json[] {
  return notes.map((note) => {
    const times = note as Readonly<Record<string, Json>> | null;
    const later = Object.entries(times ?? {}).flatMap(([name, value]) =>
      name.startsWith('watermark') && typeof value === 'number' ? [[name, value + 100]] : [],
    );
    return times === null ? note : { ...times, ...Object.fromEntries(later) };
  });
}

/** The last rows of each channel go out behind the barrier. */
function overtaken(ring: RingWriter): RingWriter {
  let held: Uint8Array | null = null;
  let isPassing = false;
  const pass = (): boolean => {
    isPassing = held !== null && !ring.tryWrite(held);
    if (!isPassing) held = null;
    return !isPassing;
  };
  const isBarrier = (bytes: Uint8Array): boolean => {
    const start = bytes.slice(0, 40);
    const uint32 = new Uint32Array(start.buffer, 0, start.length >> 2);
    return start.length === 40
      ? decodeMark({ uint32, float64: new Float64Array(start.buffer) }, 0)?.kind === 'barrier'
      : false;
  };
  return exchanged(ring, {
    tryWrite: (bytes) => {
      if (isBarrier(bytes)) {
        // What has been begun of the rows goes first, or the ring would be out of step.
        if (isPassing && !pass()) return false;
        return ring.tryWrite(bytes);
      }
      if (!pass()) return false;
      held = bytes.slice();
      return true;
    },
    end: () => {
      pass();
      ring.end();
    },
  });
}

/** Barriers go ahead of rows in all rings of a task. */
export const barriersOvertake: CheckpointPlant = {
  task: (options) => ({
    ...options,
    outputs: options.outputs.map((one) => ({ ...one, rings: one.rings.map(overtaken) })),
  }),
};

/** Deaths after which the job goes on from a checkpoint. */
const anyDeath = /^(coordinator|worker|slot) (before|after)$/;

export const plantedMistakes: Readonly<Record<string, PlantedMistake>> = {
  'a part is told of before it is durable': {
    plant: {
      slotDisk: (disk: SyncDisk) => exchanged(disk, { fsync: () => undefined }),
    },
    at: { step: /^coordinator output folder syncDir|log open/, what: /^machine after$/ },
  },
  'the names of committed files are not synced': {
    plant: onDisk(() => ({ syncDir: async () => undefined })),
    at: null,
  },
  'commit before the checkpoint is complete': {
    plant: {
      stepCheckpoints: withEffects((effect) =>
        effect.kind === 'writeManifest'
          ? [{ kind: 'commit', checkpointId: effect.checkpointId, writes: effect.writes }, effect]
          : [effect],
      ),
    },
    at: { step: /^coordinator log open/, what: /^coordinator before$/ },
  },
  'the last write of a checkpoint is not committed': {
    plant: {
      stepCheckpoints: withEffects((effect) =>
        effect.kind === 'commit' ? [{ ...effect, writes: effect.writes.slice(0, -1) }] : [effect],
      ),
    },
    at: null,
  },
  'writes of a checkpoint that failed are dropped': {
    plant: { stepCheckpoints: abortedWritesDropped },
    at: { step: /^slot part/, what: /^(full|fails)$/ },
  },
  'a sleeper removes what its successor has written': {
    plant: {
      connector: (connector) => ({
        ...connector,
        checkpointCommitter: (options, { attempt: _, ...context }) =>
          connector.checkpointCommitter?.(options, context) as CheckpointCommitter,
      }),
    },
    at: { step: /^coordinator other (syncDir|stat)/, what: /^pause before$/ },
  },
  'tasks that have ended are left out of the manifest': {
    plant: {
      stepCheckpoints: withEffects((effect) =>
        effect.kind === 'writeManifest'
          ? [
              {
                ...effect,
                snapshots: effect.snapshots.filter(({ operators }) => operators.length > 0),
              },
            ]
          : [effect],
      ),
    },
    at: { step: /^coordinator (output|log)|manifest/, what: anyDeath },
  },
  'what was prepared is not committed again after a restart': {
    plant: {
      connector: onCommitter((committer) => ({
        prepare: (pending) => committer.prepare(pending === null ? null : []),
      })),
    },
    at: { step: /^coordinator (log folder|hidden output)/, what: anyDeath },
  },
  'an entry of the log that another attempt has made is written over': {
    plant: onDisk((disk) => ({
      open: (path, mode) =>
        disk.open(path, /\/log\/\d+$/.test(path) && mode === 'createNew' ? 'replace' : mode),
      list: async (path) =>
        path.endsWith('/log') ? (await disk.list(path)).slice(0, 2) : disk.list(path),
    })),
    at: { step: /^coordinator (log|manifest)/, what: /pause/ },
  },
  'clean-up removes what a checkpoint still needs': {
    plant: onDisk((disk) => ({
      unlink: async (path) => {
        await disk.unlink(path);
        const folder = path.slice(0, path.lastIndexOf('/'));
        if (/chk-\d+-\d+$/.test(folder)) await disk.removeTree(folder);
      },
      list: async (path) => {
        const entries = await disk.list(path);
        const old = entries.filter(({ name }) => name.endsWith('.snap')).slice(0, 1);
        for (const { name } of old) await disk.unlink(`${path}/${name}`);
        return entries;
      },
    })),
    at: { step: /^coordinator (output|log)/, what: anyDeath },
  },
  'messages of an earlier attempt count': {
    patch: () =>
      patched(
        Coordinator.prototype,
        'job',
        (original) =>
          function (this: Coordinator, { jobId, epoch }) {
            for (let later = 0; ; later++) {
              try {
                return original.call(this, { jobId, epoch: epoch + later });
              } catch (error) {
                if (later === 8) throw error;
              }
            }
          },
      ),
    at: { step: /^task\.checkpointed sent$/, what: /^late$/ },
    and: ({ hit }) => {
      return { kind: 'atStep', step: 'slot says checkpointed', hit: hit + 1, what: 'slot before' };
    },
  },
  'tasks of an attempt that failed go on': {
    patch: () => patched(Executor.prototype, 'stop', () => () => Promise.resolve()),
    at: { step: /^(barrier|slot told)/, what: /^slot/ },
  },
  'a barrier overtakes rows': {
    plant: barriersOvertake,
    at: null,
  },
  'a channel that has ended is waited for': {
    patch: () => patched(BarrierAligner.prototype, 'end', () => () => null),
    at: null,
  },
  'a channel is read past its barrier': {
    patch: () => patched(BarrierAligner.prototype, 'isBlocked', () => () => false),
    at: null,
  },
  'timers are not restored': {
    plant: {
      task: onRestore((reader) => ({
        read: (part) => (part === 'eventTimers' ? null : reader.read(part)),
      })),
    },
    at: { step: /^barrier|^coordinator log/, what: anyDeath },
  },
  'state is not restored': {
    plant: { task: onRestore(() => ({ read: () => null })) },
    at: { step: /^barrier|^coordinator log/, what: anyDeath },
  },
  'windows are restored twice': {
    plant: { task: onRestore((reader, kind) => (kind === 'process' ? {} : readTwice(reader))) },
    at: { step: /^barrier|^coordinator log/, what: anyDeath },
  },
  'event time is restored ahead of what was seen': {
    plant: { task: onRestore((reader) => ({ notes: notesAhead(reader.notes) })) },
    at: { step: /^barrier|^coordinator log/, what: anyDeath },
  },
  'positions are not restored': {
    patch: () =>
      patched(
        PacedReader.prototype,
        'open',
        (original) =>
          function (this: PacedReader, split) {
            const { position: _, ...begun } = split;
            original.call(this, begun);
          },
      ),
    at: { step: /^barrier|^coordinator log/, what: anyDeath },
  },
  'positions are one row too far': {
    patch: () =>
      patched(
        PacedReader.prototype,
        'open',
        (original) =>
          function (this: PacedReader, split) {
            const place = split.position as { readonly given: number } | undefined;
            original.call(
              this,
              place === undefined
                ? split
                : { ...split, position: { ...place, given: place.given + 1 } },
            );
          },
      ),
    at: { step: /^barrier|^coordinator log/, what: anyDeath },
  },
  'a failed write is taken for one that was done': {
    plant: {
      slotDisk: (disk: SyncDisk) =>
        exchanged(disk, {
          write: (file, from, position) => {
            try {
              disk.write(file, from, position);
            } catch {
              // The mistake: nobody hears of it.
            }
          },
        }),
    },
    at: { step: /^slot (part|hidden output) write$/, what: /^(fails|full)$/ },
  },
};

/** Of a run's faults those at which a mistake shows, spread over the run. */
export function aimsOf(
  { at, and }: PlantedMistake,
  faults: readonly StepFault[],
  count: number,
): readonly (readonly StepFault[])[] {
  if (at === null) return [[]];
  const fitting = faults.filter(({ step, what }) => at.step.test(step) && at.what.test(what));
  const stride = Math.max(1, Math.floor(fitting.length / count));
  return fitting
    .filter((_, index) => index % stride === 0)
    .map((fault) => (and === undefined ? [fault] : [fault, and(fault)]));
}
