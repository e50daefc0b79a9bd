/**
 * The tpch benches: the 22 queries of TPC-H one after the other in one warm process, as a service would run
 * them. `tpch` is over Parquet for all engines; in `tpch-arrow` Millrace reads Arrow files and DuckDB its own
 * tables, each the format it is best at. Every answer is written as CSV; the seconds of a query are those of
 * the fastest of three runs.
 *
 * Expectation before the first figure: two threads decode some 400 MB/s of Parquet columns and probe 40 million
 * rows a second, so most queries are 0.1 to 0.3 s at scale 1, where DuckDB needs half of that.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, outputPath, peersFolder, projectFolder, pythonPath } from './bench-cache.ts';
import type { BenchCase, Contestant } from './bench-case.ts';
import { runTool, type Say } from './prepare.ts';
import { type QueryAnswers, queryDifferenceOf, readQueryAnswers } from './query-answers.ts';

type TableFormat = 'parquet' | 'arrow';

const scales = { '1GB': '1', '100MB': '0.1', '10MB': '0.01' } as const;
const threads = 2;

export const tpchBenches: readonly BenchCase<QueryAnswers>[] = [
  tpchBench('tpch', 'parquet'),
  tpchBench('tpch-arrow', 'arrow'),
];

function tpchBench(name: string, format: TableFormat): BenchCase<QueryAnswers> {
  const spark = peer({ bench: name, id: 'spark', title: 'Spark 4.3.0' }, format);
  return {
    name,
    sizes: Object.keys(scales),
    contestants: [
      ...[threads, 1].map((count) => millrace(name, { threads: count, format })),
      peer({ bench: name, id: 'duckdb', title: 'DuckDB 2.0.0' }, format),
      { ...spark, requirements: 'requirements-spark.txt' },
    ],
    prepare(size, say) {
      const scale = scales[size as keyof typeof scales];
      const path = join(cacheFolder, `tpch-${scale}`);
      if (!existsSync(path)) makeTables(path, scale, say);
      const files = readdirSync(join(path, format)).map((file) => join(path, format, file));
      const sizeBytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
      return { path, files, sizeBytes, description: `of TPC-H tables, scale ${scale}` };
    },
    expectedAnswer: () => undefined,
    readAnswer: readQueryAnswers,
    differenceOf: queryDifferenceOf,
    partSecondsOf: (path) => JSON.parse(readFileSync(join(path, 'seconds.json'), 'utf8')),
    answerText: (answers) => `${answers.size} queries`,
  };
}

interface MillraceOptions {
  readonly threads: number;
  readonly format: TableFormat;
}

function millrace(bench: string, { threads: count, format }: MillraceOptions): Contestant {
  const id = count === threads ? 'millrace' : `millrace-${count}`;
  const outPath = outputPath(`${bench}-${id}`);
  const program = join(projectFolder, 'bench/jobs/tpch-queries.ts');
  // Where there is a bundle, programs that are installed run it; so does this one.
  const node = [process.execPath, '--conditions=millrace-bundle'];
  return {
    ...{ id, name: 'Millrace', threads: count, outPath },
    command: (data) => [...node, program, join(data, format), outPath, String(count)],
  };
}

interface Peer {
  readonly bench: string;
  readonly id: string;
  readonly title: string;
}

function peer({ bench, id, title }: Peer, format: TableFormat): Contestant {
  const outPath = outputPath(`${bench}-${id}`);
  const script = join(peersFolder, `tpch_${id}.py`);
  return {
    ...{ id, name: title, threads, outPath },
    command: (data) => [pythonPath, script, data, outPath, String(threads), format],
  };
}

/** `parquet/` and `arrow/`, a file per table. */
function makeTables(path: string, scale: string, say: Say): void {
  say(`Making the tables of TPC-H at scale ${scale} (once) …`);
  const unfinished = `${path}.making`;
  mkdirSync(unfinished, { recursive: true });
  const script = join(projectFolder, 'test/fixtures/tpch/tables.py');
  runTool(pythonPath, [script, unfinished, scale], 'The generator is installed by pip.');
  renameSync(unfinished, path);
}
