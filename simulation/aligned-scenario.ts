/**
 * Scenario: one node runs a stream of two sources that are aligned, of which one has many times the rows of the other for
 * the same time, with the real coordinator, worker and slot programs, in slots of chance speeds.
 *
 *     many   files of a row every few ms  ─┐ select ▶ eventTime (aligned) ─┬▶ union ▶ windows ▶ counts.csv
 *     few    files of a row now and then  ─┘                                └▶ or: few is the side input of many
 *
 * Judged: no row is read that is further ahead of the other source than the drift and a batch, as long as that one has
 * rows; the job ends in bounded time; its output is right. The side input has to be read to its end before the first
 * row of the other source, which is why it must not wait for it.
 */
import type { Env } from '../base/env/env.ts';
import type { Rng } from '../base/env/rng.ts';
import { files, text } from '../connectors/files.ts';
import type { FileSourceOptions } from '../connectors/filesystem/file-options.ts';
import { filesConnector } from '../connectors/filesystem/files-connector.ts';
import { createTextReader } from '../connectors/formats/text-reader.ts';
import { agg, defineJob, type JobDefinition, lit, t, tumbling } from '../engine/api/index.ts';
import { readRows } from '../engine/batch/row-reader.ts';
import type { Connector } from '../engine/contracts/connector.ts';
import { Cluster } from './cluster.ts';
import type { FaultPlan } from './faults.ts';
import { JobRun } from './job-run.ts';
import { putFile } from './job-scenario.ts';
import type { Verdict } from './leader-lease-scenario.ts';
import type { SimNode } from './sim-node.ts';

export interface AlignedScenarioOptions {
  readonly seed: number;
  /** Whether the sources are aligned at all, to show that the judges would notice. @defaultValue true */
  readonly isAligned?: boolean;
  /** Replaces the drawn form. */
  readonly form?: AlignedForm;
  readonly plan?: FaultPlan;
}

export type AlignedForm = 'union' | 'sideInput';

const nodeName = 'node';
const outputPath = '/node/out/counts.csv';
const noFaults: FaultPlan = { clocks: {}, faults: [] };
const endMs = 600_000;
const windowMs = 1_000;
/** Rows of a batch, at most: lines of eight bytes in a buffer of these. */
const bufferBytes = 64;
const lineBytes = 8;

/** Of one of the two: its times, by file. */
interface DrawnSource {
  readonly name: string;
  readonly files: readonly (readonly number[])[];
  /** The most event time that a batch may go over. */
  readonly batchMs: number;
}

/** Runs one seed; call it inside `inMacrotask`. */
export function runAligned({ seed, plan = noFaults, ...options }: AlignedScenarioOptions): Verdict {
  const cluster = new Cluster({ seed });
  const { world } = cluster;
  const rng = world.stream('job');
  const driftMs = 50 * 2 ** rng.int(0, 4);
  const spanMs = rng.int(2_000, 6_000);
  const sources = [
    drawSource(rng, { name: 'many', rowCount: rng.int(400, 1_000), spanMs }),
    drawSource(rng, { name: 'few', rowCount: rng.int(10, 60), spanMs }),
  ] as const;
  const drawn = rng.int(0, 3) === 0 ? 'sideInput' : 'union';
  const { form = drawn, isAligned = true } = options;
  const progress = new Progress(sources, driftMs);
  const definition = definitionOf(form, isAligned ? driftMs : null);
  const connector = listening((name, timeMs) => {
    const objection = progress.read(name, timeMs);
    // A side input must go ahead of everybody.
    if (objection !== null && form === 'union') world.fail('within the drift', objection);
  });
  const connectors = new Map([[connector.name, connector]]);
  const counts: Record<string, number> = { rows: sources.flatMap(timesOf).length };
  const parallelism = rng.int(1, 4);
  const slotCount = rng.int(1, 4);
  let run: JobRun | null = null;
  const start = (env: Env): void => {
    run = new JobRun(env, {
      ...{ node, job: { definition, connectors }, slotCount, parallelism },
      ...{
        shuffle: 'memory',
        adaptive: null,
        faults: new Set(),
        plant: {},
        onState: () => undefined,
      },
    });
    void run.outcome().then(({ status, error }) => {
      world.note(nodeName, 'outcome', status);
      counts[status] = 1;
      if (status !== 'finished') world.fail('finishes', `${status}: ${error?.message}`);
      const found = outputOf(node);
      if (found !== expectedOutput(form, sources)) world.fail('right output', String(found));
    });
  };
  const node = cluster.addNode(nodeName, plan, start);
  for (const { name, files: all } of sources) {
    for (const [index, times] of all.entries()) {
      const lines = times.map((timeMs) => `${String(timeMs).padStart(lineBytes - 1, '0')}\n`);
      putFile(
        node.diskState,
        `/node/${name}/${index}.txt`,
        new TextEncoder().encode(lines.join('')),
      );
    }
  }
  node.diskState.folders.add('/node/out');
  world.run(endMs);
  if (world.failure === null && counts.finished !== 1) world.fail('finishes', 'no outcome in time');
  (run as JobRun | null)?.release();
  const { failure, eventCount, trace } = world;
  return { seed, failure, traceHash: trace.digest(), plan, eventCount, counts };
}

/** The files connector with small buffers, and an ear for the times that it reads. */
function listening(onRow: (name: string, timeMs: number) => void): Connector {
  return {
    ...filesConnector,
    reader: (options, context) => {
      const reader = createTextReader({ invalidUtf8: 'fail', bufferBytes }, context);
      const name = (options as unknown as FileSourceOptions).path.split('/').at(-1) ?? '';
      const read = reader.read.bind(reader);
      reader.read = () => {
        const result = read();
        if (typeof result === 'string') return result;
        for (const { text: line } of readRows(result)) onRow(name, Number(line));
        return result;
      };
      return reader;
    },
  };
}

function drawSource(
  rng: Rng,
  { name, rowCount, spanMs }: { name: string; rowCount: number; spanMs: number },
): DrawnSource {
  const fileCount = rng.int(1, 4);
  const all = Array.from({ length: fileCount }, (): number[] => [0]);
  for (let row = fileCount; row < rowCount; row++)
    all[rng.int(0, fileCount)]?.push(rng.int(0, spanMs));
  for (const times of all) times.sort((a, b) => a - b);
  const rowsMax = bufferBytes / lineBytes;
  const steps = all.flatMap((times) =>
    times.map((timeMs, at) => timeMs - (times[at - rowsMax] ?? 0)),
  );
  return { name, files: all, batchMs: Math.max(...steps) };
}

function definitionOf(form: AlignedForm, driftMs: number | null): JobDefinition {
  const alignment = driftMs === null ? {} : { alignment: { group: 'all', driftMs } };
  const job = defineJob({
    name: 'aligned',
    mode: 'streaming',
    params: {},
    build: ({ read }) => {
      const streamOf = (name: string) =>
        read(files.source({ path: `/node/${name}`, format: text() }))
          .select((line) => ({
            at: line.text.cast(t.int64()).cast(t.timestampMs()),
            source: lit(name),
          }))
          .eventTime((event) => event.at, alignment);
      const [many, few] = [streamOf('many'), streamOf('few')];
      const rows =
        form === 'union'
          ? many.union(few)
          : many.join(
              few.select((row) => ({ same: row.at })),
              {
                on: (row, side) => row.at.eq(side.same),
                type: 'semi',
                build: 'right',
                broadcast: true,
              },
            );
      return rows
        .keyBy((event) => event.source)
        .window(tumbling({ sizeMs: windowMs }))
        .aggregate({ count: agg.count() })
        .select((row) => ({ end: row.windowEnd, source: row.source, count: row.count }))
        .orderBy((row) => [row.end.asc(), row.source.asc()])
        .writeTo(files.sink({ path: outputPath }));
    },
  });
  return job as unknown as JobDefinition;
}

/** How far each source has been read, and whether that is further than the drift allows. */
class Progress {
  readonly #driftMs: number;
  readonly #sources: readonly (DrawnSource & { newestMs: number; left: number })[];

  constructor(sources: readonly DrawnSource[], driftMs: number) {
    this.#driftMs = driftMs;
    this.#sources = sources.map((source) => ({
      ...source,
      newestMs: 0,
      left: timesOf(source).length,
    }));
  }

  read(name: string, timeMs: number): string | null {
    const [own, other] = this.#sources.toSorted(
      (a, b) => Number(b.name === name) - Number(a.name === name),
    );
    if (own === undefined || other === undefined) return null;
    own.newestMs = Math.max(own.newestMs, timeMs);
    own.left--;
    const limitMs = other.newestMs + this.#driftMs + own.batchMs;
    if (other.left === 0 || timeMs <= limitMs) return null;
    return `${name} is read at ${timeMs}, ${other.name} at ${other.newestMs}; the drift is ${this.#driftMs}`;
  }
}

function timesOf({ files: all }: DrawnSource): number[] {
  return all.flat();
}

/** The same counts in plain JavaScript: the reference. */
function expectedOutput(
  form: AlignedForm,
  [many, few]: readonly [DrawnSource, DrawnSource],
): string {
  const side = new Set(timesOf(few));
  const rows =
    form === 'union'
      ? [many, few].flatMap(({ name, ...one }) =>
          timesOf({ name, ...one }).map((at) => ({ at, name })),
        )
      : timesOf(many).flatMap((at) => (side.has(at) ? [{ at, name: many.name }] : []));
  const counts = new Map<string, number>();
  for (const { at, name } of rows) {
    const end = new Date((Math.floor(at / windowMs) + 1) * windowMs).toISOString();
    const key = `${end},${name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const lines = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, n]) => `${key},${n}\n`);
  return `end,source,count\n${lines.join('')}`;
}

function outputOf({ diskState }: SimNode): string | null {
  const inode = diskState.names.get(outputPath);
  return inode === undefined ? null : new TextDecoder().decode(inode.cached);
}
