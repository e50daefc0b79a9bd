/** Goal: what a running job keeps of a key is asked for from another process: of functions over state, windows, joins. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, runCli, startCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = `
  import { agg, defineJob, session, state, t, tumbling } from 'millrace';
  import { files } from 'millrace/files';
  import { nexmark } from 'millrace/generator';

  const number = t.int64({ js: 'number' });
  const Out = t.struct({ auction: number });
  export default defineJob({
    name: 'asked',
    mode: 'streaming',
    params: { output: t.path() },
    build: ({ read, params: { output } }) => {
      const all = read(nexmark.bids({ events: 4_000_000 })).eventTime((bid) => bid.date_time);
      const bids = all.where((bid) => bid.auction.eq(1000));
      const last = bids.keyBy((bid) => bid.auction).process({
        state: {
          ...{ last: state.value(t.float64()), recent: state.list(number), by: state.map(t.utf8(), number) },
          limits: state.broadcast(t.utf8(), number),
        },
        output: Out,
        control: read(nexmark.bids({ events: 100 })).limit(1),
        onControl(_, { state: { limits } }) {
          limits.set('most', 1000);
        },
        onRow(bid, { state: { last, recent, by }, timers }) {
          last.set(Number(bid.price));
          recent.set([...recent.get().slice(-2), bid.bidder]);
          by.set('bids', (by.get('bids') ?? 0) + 1);
          timers.eventTime(4_000_000_000_000);
        },
        onTimer() {},
      }, { id: 'last' });
      const hour = { sizeMs: 864_000_000 };
      const windows = bids
        .keyBy((bid) => [bid.auction, bid.channel])
        .window(tumbling(hour))
        .aggregate({ bids: agg.count(), top: agg.max((bid) => bid.price) }, { id: 'windows' });
      const sessions = bids
        .keyBy((bid) => bid.auction)
        .window(session({ gapMs: 60_000_000 }))
        .aggregate({ bids: agg.count() }, { id: 'sessions' });
      return [
        last.writeTo(files.sink({ path: output + '/last.csv' })),
        windows.writeTo(files.sink({ path: output + '/windows.csv' })),
        sessions.writeTo(files.sink({ path: output + '/sessions.csv' })),
      ];
    },
  });
`;

test('state of a key of a running, paced job', async () => {
  const folder = tempFolder({ 'job.ts': job });
  const options = { cwd: folder, env: { MILLRACE_JOBS_DIR: join(folder, 'run') } };
  const flags = ['--output', '.', '--parallelism', '2', '--rate', '20000'];
  const run = startCli(['run', 'job.ts', ...flags], options);
  const cli = (...args: string[]) => runCli(args, options);
  const get = async (operator: string, key: string) => {
    const { stdout } = await cli('state', 'get', 'asked', operator, key, '--json');
    return stdout === '' ? null : JSON.parse(stdout);
  };
  const poll = { timeout: 60_000, interval: 300 };
  await expect.poll(async () => (await get('last', '1000'))?.isFound, poll).toBe(true);
  const last = await get('last', '1000');
  expect(last).toMatchObject({ operator: 'last', key: '1000' });
  const { states, eventTimers, processingTimers } = last.parts[0].value;
  expect(states.last).toBeGreaterThan(0);
  expect(states.recent.length).toBeGreaterThan(0);
  expect(states.limits).toEqual([['most', 1000]]);
  expect(states.by).toEqual([['bids', expect.any(Number)]]);
  expect([eventTimers, processingTimers]).toEqual([['2096-10-02T07:06:40.000Z'], []]);

  const windows = JSON.stringify([1000, 'Google']);
  await expect.poll(async () => (await get('windows', windows))?.isFound, poll).toBe(true);
  const { parts } = await get('windows', windows);
  const [pane] = parts[0].value.panes;
  expect(pane.values).toEqual({ bids: expect.any(Number), top: expect.any(Number) });
  expect(Date.parse(pane.end) - Date.parse(pane.start)).toBe(864_000_000);
  await expect.poll(async () => (await get('sessions', '1000'))?.isFound, poll).toBe(true);
  expect((await get('sessions', '1000')).parts[0].value.sessions).toHaveLength(1);
  expect(await get('last', '7')).toMatchObject({ isFound: false, parts: [] });

  const noKey = { code: 'STATE_KEY_INVALID', exitCode: 2, says: /key x of operator "process"/ };
  expectFailure(await cli('state', 'get', 'asked', 'last', 'x'), noKey);
  const noList = { code: 'STATE_KEY_INVALID', exitCode: 2, says: /JSON list of 2 values/ };
  expectFailure(await cli('state', 'get', 'asked', 'windows', '1000'), noList);
  expect((await cli('cancel', 'asked')).exitCode).toBe(0);
  expect((await run.ended).exitCode).toBe(130);
});
