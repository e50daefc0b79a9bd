/**
 * Goal: a job whose results change, killed at any moment and run again at another parallelism, ends with changes that come to
 * the same rows as those of a run that nothing happened to: queries that group, rank, count distinct values, and group what changes.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder, startCli, summaryOf } from '../support/cli-process.ts';
import { killRun } from '../support/killed-run.ts';
import { tempFolder } from '../support/temp-folder.ts';

const eventCount = 60_000;
/** The times of the generator's events are those of its rate; of this one where none is given. */
const eventsPerSecond = 10_000;
const jobText = `import { agg, defineJob, t, tumbling } from 'millrace';
import { files } from 'millrace/files';
import { eventsOf } from '${projectFolder}/jobs/nexmark/events.ts';
import { q17 } from '${projectFolder}/jobs/nexmark/queries/q17.ts';
import { q19 } from '${projectFolder}/jobs/nexmark/queries/q19.ts';

const bidders = ({ bid }) =>
  bid.keyBy((row) => row.channel).aggregate({ bidders: agg.countDistinct((row) => row.bidder) });
const busy = ({ bid }) =>
  bid
    .keyBy((row) => row.auction)
    .aggregate({ bids: agg.count() })
    .keyBy((row) => row.bids)
    .aggregate({ auctions: agg.count(), first: agg.min((row) => row.auction), last: agg.max((row) => row.auction) });
const joined = ({ bid, auction }) =>
  bid
    .keyBy((row) => row.auction)
    .aggregate({ bids: agg.count() })
    .join(auction, { on: (counted, sold) => counted.auction.eq(sold.id), type: 'full', keep: {} })
    .select(({ auction, bids, id, seller }) => ({ auction, bids, id, seller }));
const words = ({ bid }) =>
  bid
    .keyBy((row) => row.channel)
    .window(tumbling({ sizeMs: 500 }))
    .aggregate({ bids: agg.count(), prices: agg.stringAgg((row) => row.price.cast(t.utf8()), ' ', { orderBy: (row) => [row.price.desc()] }) })
    .keyBy((row) => row.channel)
    .aggregate({ windows: agg.count(), last: agg.max((row) => row.prices) });
const queries = { q17, q19, bidders, busy, joined, words };
const events = { input: 'generator', format: 'parquet', events: ${eventCount}, sideInput: '' } as const;

export default defineJob({
  name: 'changes',
  mode: 'streaming',
  params: { query: t.utf8().choices('q17', 'q19', 'bidders', 'busy', 'joined', 'words'), output: t.path() },
  build: ({ read, params: { query, output } }) =>
    queries[query](eventsOf(events, { read }))
      .writeTo(files.sink({ path: output, format: 'ndjson', changes: 'op' })),
});
`;

interface Scene {
  readonly cwd: string;
  readonly query: string;
}

function start({ cwd, query }: Scene, output: string, parallelism: number, flags: string[]) {
  const given = ['--query', query, '--output', output, '--parallelism', String(parallelism)];
  return startCli(['run', 'job.ts', ...given, '--json', ...flags], { cwd });
}

/** What changes come to: each row with how often it is there. Files are of several checkpoints, in no order. */
function rowsIn(folder: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const names = readdirSync(folder).filter((name) => !/^[._]/u.test(name));
  for (const name of names) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (line === '') continue;
      const { op, ...row } = JSON.parse(line) as { readonly op: string };
      const text = JSON.stringify(row);
      counts.set(text, (counts.get(text) ?? 0) + (op === '+I' || op === '+U' ? 1 : -1));
    }
  }
  return new Map([...counts].filter(([, count]) => count !== 0).sort());
}

test.each(['q17', 'q19', 'bidders', 'busy', 'joined', 'words'])(
  '%s, killed twice',
  async (query) => {
    const scene = { cwd: tempFolder({ 'package.json': '{"type":"module"}' }), query };
    writeFileSync(join(scene.cwd, 'job.ts'), jobText);
    summaryOf(await start(scene, 'whole/', 2, []).ended);
    const checkpoints = ['--checkpoint-dir', 'chk', '--checkpoint-interval', '100ms'];
    const flags = [...checkpoints, '--restore', 'latest'];
    let killedCount = 0;
    for (const [run, parallelism] of [3, 7].entries()) {
      const paced = [...flags, '--rate', String(eventsPerSecond)];
      const isKilled = await killRun({
        start: () => start(scene, 'out/', parallelism, paced),
        logFolder: join(scene.cwd, 'chk/changes/log'),
        lifeMs: 500 + run * 700,
      });
      if (isKilled) killedCount++;
    }
    summaryOf(await start(scene, 'out/', 2, flags).ended);
    const [found, expected] = [rowsIn(join(scene.cwd, 'out')), rowsIn(join(scene.cwd, 'whole'))];
    expect([...found.values()].every((count) => count === 1)).toBe(true);
    expect(found).toEqual(expected);
    expect(killedCount).toBe(2);
  },
);
