/** Goal: jobs that run are found and asked over their sockets; those that are dead leave nothing behind. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { typedError } from '../../../base/typed-error.ts';
import { cancelCommand } from '../../../cli/commands/cancel.ts';
import { checkpointsCommand } from '../../../cli/commands/checkpoints.ts';
import { listCommand } from '../../../cli/commands/list.ts';
import { savepointCommand } from '../../../cli/commands/savepoint.ts';
import { stateCommand } from '../../../cli/commands/state.ts';
import { statusCommand } from '../../../cli/commands/status.ts';
import { stopCommand } from '../../../cli/commands/stop.ts';
import { whyCommand } from '../../../cli/commands/why.ts';
import type { Reach } from '../../../cli/control/control-command.ts';
import { removeStaleSockets } from '../../../cli/control/job-client.ts';
import { newSocketPath } from '../../../cli/control/job-folder.ts';
import { type JobSocket, openJobSocket } from '../../../cli/control/job-socket.ts';
import type { RunProgress } from '../../../cli/embedded.ts';
import { type CheckpointsView, noCheckpoints } from '../../../coordinator/job/checkpoints-view.ts';
import type { TaskInspection } from '../../../coordinator/job/job-inspection.ts';
import type { JobControl } from '../../../coordinator/job/job-service.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const env = createRealEnv();

function placesIn(folder: string) {
  const userId = process.getuid?.() ?? 0;
  // No other place: jobs of this user may run on the machine.
  const onlyFolder = join(folder, 'jobs');
  return { onlyFolder, runtimeFolder: undefined, temporaryFolder: folder, userId };
}

const spin: TaskInspection = {
  ...{ taskId: 'v1[0]', vertexId: 'v1', attempt: 1, slotIndex: 0, hasAnswered: true, error: null },
  ...{ running: 'spin', runningSinceMs: 0, source: null, waitsFor: [], senders: [] },
  operators: [
    {
      ...{ id: 'spin-1', name: 'spin', kind: 'mapRows', rowsIn: 9, rowsOut: 8, busyMs: 1_500 },
      tells: { held: 3 },
      ...{ waitsForTime: false, watermarkMs: null, watermarkAtMs: null },
    },
  ],
};

const shownTask = {
  ...{ taskId: 'v1[0]', durationMs: 40, startDelayMs: 5, alignmentMs: 12, syncMs: 1, asyncMs: 22 },
  ...{ sizeBytes: 2_048, fullBytes: 8_192, inFlightBytes: 512 },
};
const shownCheckpoints: CheckpointsView = {
  underWay: [],
  ended: (['committed', 'declined'] as const).map((state, at) => ({
    ...{ checkpointId: at + 1, epoch: 1, kind: 'checkpoint', state, durationMs: 45, missing: [] },
    ...{ triggeredAtMs: 1_700_000_000_000, sizeBytes: 2_048, tasks: [shownTask] },
    reason: state === 'declined' ? 'task "v1[0]": no space' : '',
  })),
  counts: { ...noCheckpoints.counts, committed: 1, declined: 1 },
};

/** Jobs of this process with sockets, and a way to them. */
function scene() {
  const folder = tempFolder();
  const places = placesIn(folder);
  const sockets: JobSocket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) await socket.close();
  });
  const start = async (name: string, jobId: string | null, facts: Partial<RunProgress> = {}) => {
    const reasons: string[] = [];
    const skipped = { rows: 0, rowGroups: 0, pages: 0 };
    const totals = { rowsIn: 9, bytesIn: 0, rowsOut: 0, deadLetters: 0, skipped };
    let asked = 0;
    const control: JobControl = {
      jobId,
      isStopping: false,
      inspect: async () => {
        const [operator] = spin.operators;
        if (operator === undefined || jobId === null) return null;
        const busyMs = 1_000 * ++asked;
        const tasks = [{ ...spin, operators: [{ ...operator, busyMs }] }];
        return { jobId, phase: 'running', atMs: 1_000 * asked, ...totals, tasks };
      },
      stateOf: async (operator, key) => {
        if (operator !== 'spin') {
          throw typedError('OPERATOR_NOT_FOUND', `no "${operator}"`, { hint: 'It is "spin".' });
        }
        return key === 'de' ? { parts: [{ taskId: 'v1[0]', value: { visits: 3 } }] } : null;
      },
      saved: () => ({
        savepoint: async (path) => ({ checkpointId: 7, path }),
        // The job ends as soon as it has said so.
        stop: async ({ folder: path, drains }) => {
          if (path === null)
            throw typedError('SAVEPOINT_FAILED', 'no room', { hint: 'Make some.' });
          reasons.push(drains ? 'drained' : 'stopped');
          void socket.close();
          return { checkpointId: 8, path };
        },
        checkpoints: () => shownCheckpoints,
        restarts: () => ({
          count: 1,
          last: [{ atMs: 1_700_000_000_000, code: 'THREAD_DIED', message: 'it ended' }],
        }),
        rescale: async (to) => ({ from: 2, to, checkpointId: 9, pausedMs: 1_200 }),
      }),
    };
    const progress: RunProgress = {
      ...{ phase: 'running', rowsIn: 1_234, bytesIn: 2_048, bytesTotal: 0, rowsOut: 5, seconds: 2 },
      ...{ deadLetters: 0, stages: [], share: 0.5 },
      ...facts,
    };
    const notes: string[] = [];
    const socket = await openJobSocket(env, {
      ...{ places, name, file: '/job.ts', processId: process.pid, control },
      run: {
        progress: () => progress,
        cancel: (reason) => {
          reasons.push(reason);
          void socket.close();
        },
      },
      onUnavailable: (reason) => notes.push(reason),
    });
    sockets.push(socket);
    return { socket, reasons, notes };
  };
  const command = async (
    run: typeof listCommand,
    ...args: string[]
  ): Promise<{ stdout: string; stderr: string }> => {
    const surroundings = fakeCliEnv({ columns: 120 });
    expect(await run(surroundings, args, { env, places })).toBe(0);
    return { stdout: surroundings.stdout.text, stderr: surroundings.stderr.text };
  };
  return { folder, places, start, command };
}

test('a savepoint is where it was wanted, a stop waits for the end, a failure is told', async () => {
  const { start, command } = scene();
  const { reasons } = await start('ledger', 'ledger-1');
  const { stdout } = await command(savepointCommand, 'ledger', '/kept');
  expect(stdout).toBe('savepoint 7 of job "ledger" is in /kept\n');
  await expect(command(stopCommand, 'ledger')).rejects.toThrow('no room');
  const { stdout: stopped } = await command(stopCommand, 'ledger', '--savepoint', '/sp', '--json');
  expect(JSON.parse(stopped)).toMatchObject({
    ...{ id: 'ledger-1', status: 'stopped', checkpointId: 8, savepoint: '/sp' },
  });
  expect(reasons).toEqual(['stopped']);
});

test('the checkpoints of a job are shown with how long each part took, and why some failed', async () => {
  const { start, command } = scene();
  await start('ledger', 'ledger-1');
  const show = (env: Parameters<typeof listCommand>[0], args: readonly string[], reach?: Reach) =>
    checkpointsCommand(env, args, createRealDisk(), reach);
  const { stdout } = await command(show, 'ledger', '--tasks');
  expect(stdout).toMatch(
    /│ +1 │ 2023-11-14T22:13:20Z │ checkpoint │ committed │ 45 ms │ +5 ms │ 12 ms │ 1 ms │ 22 ms │ +2.0 KB │ +512 B │ 8.0 KB │/,
  );
  expect(stdout).toMatch(/│ +2 │ v1\[0\] │ 40 ms │/);
  expect(stdout).toMatch(
    /checkpoint 2 declined: task "v1\[0\]": no space\nall tasks started again at 2023-11-14T22:13:20Z: THREAD_DIED, it ended\n1 committed, 1 declined\n$/,
  );
  const { stdout: json } = await command(show, 'ledger', '--json');
  const { counts, ended, restarts } = JSON.parse(json);
  expect([counts.declined, ended[0].tasks[0].alignmentMs, restarts.count]).toEqual([1, 12, 1]);
});

test('list shows the jobs that run, with what they have done', async () => {
  const { start, command } = scene();
  expect(await command(listCommand)).toEqual({
    stdout: '',
    stderr: 'no job of this user runs on this machine\n',
  });
  await start('words', 'words-1');
  const { stdout } = await command(listCommand);
  expect(stdout).toMatch(/│ words │ words-1 │ +\d+ │ 2\.\d s ago │ running │ +1,234 │ +5 │ +617 │/);
  const { jobs } = JSON.parse((await command(listCommand, '--json')).stdout);
  expect(jobs).toMatchObject([
    { name: 'words', id: 'words-1', pid: process.pid, phase: 'running', rowsIn: 1_234, rowsOut: 5 },
  ]);
  expect(Math.abs(Date.parse(jobs[0].since) + 2_000 - Date.now())).toBeLessThan(60_000);
});

test("a socket is its user's alone, and is gone with its job", async () => {
  const { start, command } = scene();
  const { socket } = await start('words', 'words-1');
  expect(statSync(socket.path ?? '').mode & 0o777).toBe(0o600);
  await socket.close();
  expect(existsSync(socket.path ?? '')).toBe(false);
  expect((await command(listCommand)).stdout).toBe('');
});

test('a name that several jobs have is refused with their ids; an id finds its job', async () => {
  const { start, command } = scene();
  await start('words', 'words-1');
  await start('words', 'words-2');
  await expect(command(statusCommand, 'words')).rejects.toMatchObject({
    info: { code: 'JOB_AMBIGUOUS', hint: expect.stringMatching(/"words-[12]" .*"words-[12]"/) },
  });
  const { stdout } = await command(statusCommand, 'words-2');
  expect(stdout).toContain('job "words" (words-2), process');
  expect(stdout).toMatch(/│ spin +│ spin-1 │ +1 │ +9 │ +8 │ 2\.0 s │/);
});

test('a job that does not run is no reason to guess', async () => {
  const { start, command } = scene();
  await expect(command(whyCommand, 'words')).rejects.toMatchObject({
    info: { code: 'JOB_NOT_RUNNING', hint: expect.stringContaining('millrace run') },
  });
  await start('words', 'words-1');
  await expect(command(whyCommand, 'word')).rejects.toMatchObject({
    info: { code: 'JOB_NOT_RUNNING', hint: expect.stringContaining('"words" (words-1)') },
  });
});

test('why says what holds a job back, of all of it or of one operator', async () => {
  const { start, command } = scene();
  await start('words', 'words-1');
  const { stdout } = await command(whyCommand, 'words');
  expect(stdout).toContain('operator "spin" takes 100% of the time of v1[0]\n');
  expect(stdout).toContain('v1[0] "spin": {"held":3}\n');
  const answer = JSON.parse((await command(whyCommand, 'words', 'spin', '--json')).stdout);
  expect(answer.findings).toMatchObject([{ kind: 'busy', operatorId: 'spin-1', share: 1 }]);
  expect(answer.tasks).toHaveLength(1);
  await expect(command(whyCommand, 'words', 'spn')).rejects.toMatchObject({
    info: { code: 'OPERATOR_NOT_FOUND', hint: expect.stringContaining('Did you mean "spin"?') },
  });
});

test('a job that is being planned has nothing to tell yet', async () => {
  const { start, command } = scene();
  await start('words', null, { phase: 'starting' });
  const { stdout } = await command(whyCommand, 'words');
  expect(stdout).toContain('(no id yet): starting');
  expect(stdout).toContain('nothing holds it back now');
});

test('the state of a key is printed as JSON; none is said so', async () => {
  const { start, command } = scene();
  await start('words', 'words-1');
  const found = await command(stateCommand, 'get', 'words', 'spin', 'de');
  expect(JSON.parse(found.stdout)).toEqual({ visits: 3 });
  const none = await command(stateCommand, 'get', 'words', 'spin', 'fr');
  expect(none).toEqual({ stdout: '', stderr: 'operator "spin" has no state for key fr\n' });
  const json = await command(stateCommand, 'get', 'words', 'spin', 'fr', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ isFound: false, parts: [] });
  await expect(command(stateCommand, 'get', 'words', 'other', 'de')).rejects.toMatchObject({
    info: { code: 'OPERATOR_NOT_FOUND', hint: 'It is "spin".' },
  });
});

test('cancel ends the job and waits until it is gone', async () => {
  const { start, command } = scene();
  const { reasons } = await start('words', 'words-1');
  const { stdout } = await command(cancelCommand, 'words', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ id: 'words-1', status: 'cancelled' });
  expect(reasons).toEqual(['cancelled with "millrace cancel"']);
});

test('a job that writes its result already is not cancelled', async () => {
  const { start, command } = scene();
  const { reasons } = await start('words', 'words-1', { phase: 'committing' });
  await expect(command(cancelCommand, 'words')).rejects.toThrow('is writing its result already');
  expect(reasons).toEqual([]);
});

test('the socket of a killed process is removed; one whose process is silent is shown and kept', async () => {
  const { folder, places, command } = scene();
  const dead = newSocketPath(places, 4_000_000, 'dead') ?? '';
  // A process that listens and is killed leaves its socket.
  const listen = `require('node:net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(spawnSync(process.execPath, ['-e', listen]).signal).toBe('SIGKILL');
  expect(existsSync(dead)).toBe(true);
  const silent = join(folder, 'jobs/4000001-51.sock');
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(silent, resolve);
  });
  onTestFinished(() => void server.close());
  await removeStaleSockets(env, places);
  expect([existsSync(dead), existsSync(silent)]).toEqual([false, true]);
  const { jobs } = JSON.parse((await command(listCommand, '--json')).stdout);
  expect(jobs).toEqual([{ pid: 4_000_001, phase: 'notAnswering' }]);
  expect((await command(listCommand)).stdout).toContain('no answer');
});

test('a job without a place for its socket runs without one, and says so once', async () => {
  const { start, places } = scene();
  Object.assign(places, {
    onlyFolder: '/proc/none',
  });
  const { socket, notes } = await start('words', 'words-1');
  expect(socket.path).toBeNull();
  expect(notes).toEqual(["there is no folder that is this user's alone for its socket"]);
});
