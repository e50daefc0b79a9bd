/**
 * Small jobs with checkpoints for simulated runs: records with ids drawn by chance, the job over them, and a plain reference
 * of every row that must come out.
 *
 *     files ▶ key ▶ windows: count, sums ▶ key ▶ process: sum so far, a timer per window ▶ folder of files
 *
 * Twins are two of these in one job, which share nothing: each with files, keys and a folder of its own.
 *
 * Each file is in the order of time, so no row is late whatever the parallelism; a timer gives out what the state has of its
 * own window only. So the rows do not depend on timing, and those of a key have one order: by the ends of its windows.
 */
import type { Rng } from '../../base/env/rng.ts';
import { files, ndjson } from '../../connectors/files.ts';
import { filesConnector } from '../../connectors/filesystem/files-connector.ts';
import { createNdjsonReader } from '../../connectors/formats/ndjson-records.ts';
import { agg, defineJob, type JobDefinition, state, t, tumbling } from '../../engine/api/index.ts';
import type { Connector } from '../../engine/contracts/connector.ts';

export interface SumsJob {
  readonly definition: JobDefinition;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly files: readonly InputFile[];
  readonly outputFolders: readonly string[];
  /** The lines that must be there, by the id of their row. */
  readonly expected: ReadonlyMap<string, string>;
}

export interface InputFile {
  readonly path: string;
  readonly content: Uint8Array;
  /** Where each record begins, and where the last one ends. */
  readonly offsets: readonly number[];
}

/** What one pipeline reads and writes. */
interface Ends {
  readonly input: string;
  readonly output: string;
  /** Of its keys. */
  readonly prefix: string;
}

const ends: readonly [Ends, Ends] = [
  { input: '/node/in', output: '/node/out', prefix: 'k' },
  { input: '/node/in-twin', output: '/node/out-twin', prefix: 't' },
];

interface Entry {
  readonly id: number;
  readonly key: string;
  readonly amount: number;
  readonly at: number;
}

const windowMs = 40;
/** From the end of a window to its timer; no multiple of a window. */
const timerMs = 25;
const keyCount = 4;

const EntryType = t.struct({
  id: t.int64({ js: 'number' }),
  key: t.utf8(),
  amount: t.int64({ js: 'number' }),
  at: t.int64({ js: 'number' }),
});
const whole = t.int64({ js: 'number' });
const Line = t.struct({
  id: t.utf8(),
  key: t.utf8(),
  what: t.utf8(),
  end: whole,
  count: whole,
  total: whole,
  ids: whole,
  running: whole,
});

/** @param rate - Rows per second that a source gives out. @param isTwin - Whether it has two pipelines. */
export function drawSumsJob(rng: Rng, rate: number, isTwin = false): SumsJob {
  const parts = isTwin ? ends : ends.slice(0, 1);
  const drawn = parts.map(({ prefix }) => drawEntries(rng, prefix));
  const bufferBytes = 64 * 2 ** rng.int(1, 4);
  const connector: Connector = {
    ...filesConnector,
    reader: (_options, context) => createNdjsonReader(context, { bufferBytes }),
  };
  return {
    definition: definitionOf(parts, rate),
    connectors: new Map([[connector.name, connector]]),
    files: drawn.flatMap((own, part) =>
      own.map((entries, index) => fileOf(`${parts[part]?.input}/entries-${index}.ndjson`, entries)),
    ),
    outputFolders: parts.map(({ output }) => output),
    expected: expectedLines(drawn.flat(2)),
  };
}

function drawEntries(rng: Rng, prefix: string): Entry[][] {
  const fileCount = rng.int(1, 4);
  let id = 1;
  return Array.from({ length: fileCount }, () => {
    const rowCount = rng.int(0, 8) === 0 ? rng.int(0, 3) : rng.int(6, 16);
    let at = rng.int(0, 40);
    return Array.from({ length: rowCount }, () => {
      at += rng.int(0, 4) === 0 ? rng.int(0, 50) : rng.int(0, 8);
      return { id: id++, key: `${prefix}${rng.int(0, keyCount)}`, amount: rng.int(-50, 100), at };
    });
  });
}

function fileOf(path: string, entries: readonly Entry[]): InputFile {
  const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`);
  const offsets = [0];
  for (const line of lines) offsets.push((offsets.at(-1) ?? 0) + line.length);
  return { path, content: new TextEncoder().encode(lines.join('')), offsets };
}

function definitionOf(parts: readonly Ends[], rate: number): JobDefinition {
  const job = defineJob({
    name: 'sums',
    mode: 'streaming',
    params: {},
    build: ({ read }) =>
      parts.map(({ input, output }) =>
        read(files.source({ path: input, format: ndjson(EntryType), split: false }), { rate })
          .select(({ id, key, amount, at }) => ({ id, key, amount, at: at.cast(t.timestampMs()) }))
          .eventTime((entry) => entry.at)
          .keyBy((entry) => entry.key)
          .window(tumbling({ sizeMs: windowMs }))
          .aggregate({
            count: agg.count(),
            total: agg.sum((entry) => entry.amount),
            ids: agg.sum((entry) => entry.id),
          })
          .keyBy((row) => row.key)
          .process({
            state: { running: state.value(whole), open: state.map(whole, whole) },
            output: Line,
            onRow(row, { state: { running, open }, timers, emit }) {
              const end = Number(row.windowEnd);
              const [count, total, ids] = [Number(row.count), Number(row.total), Number(row.ids)];
              running.set((running.get() ?? 0) + total);
              open.set(end, ids);
              timers.eventTime(end + timerMs);
              const sums = { count, total, ids, running: running.get() ?? 0 };
              emit({
                id: idOf('window', row.key, end),
                key: row.key,
                what: 'window',
                end,
                ...sums,
              });
            },
            onTimer(timeMs, { key: { key }, state: { open }, emit }) {
              const end = timeMs - timerMs;
              const ids = open.get(end) ?? -1;
              open.delete(end);
              const sums = { count: 0, total: 0, ids, running: 0 };
              emit({ id: idOf('timer', key, end), key, what: 'timer', end, ...sums });
            },
          })
          .writeTo(files.sink({ path: `${output}/`, format: 'ndjson' })),
      ),
  });
  return job as unknown as JobDefinition;
}

function idOf(what: string, key: string, end: number): string {
  return `${what} ${key} ${end}`;
}

/** The same in plain JavaScript: the reference. */
function expectedLines(entries: readonly Entry[]): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  for (const [key, ofKey] of Map.groupBy(entries, (entry) => entry.key)) {
    let running = 0;
    const byEnd = Map.groupBy(ofKey, ({ at }) => (Math.floor(at / windowMs) + 1) * windowMs);
    for (const [end, ofWindow] of [...byEnd].sort(([a], [b]) => a - b)) {
      const total = ofWindow.reduce((sum, { amount }) => sum + amount, 0);
      const ids = ofWindow.reduce((sum, { id }) => sum + id, 0);
      running += total;
      const count = ofWindow.length;
      const rows = [
        { what: 'window', count, total, ids, running },
        { what: 'timer', count: 0, total: 0, ids, running: 0 },
      ];
      for (const { what, ...sums } of rows) {
        const id = idOf(what, key, end);
        lines.set(id, JSON.stringify({ id, key, what, end, ...sums }));
      }
    }
  }
  return lines;
}
