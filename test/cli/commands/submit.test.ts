/**
 * Goal: `submit` sends a job once, with whole paths and its bundle; `--wait` tells its end as `run` does; what can't run on a
 * cluster is refused before anything is sent.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toWire, typedError } from '../../../base/typed-error.ts';
import { clientMethods } from '../../../coordinator/protocol/clients.ts';
import { bundlePartBytes } from '../../../coordinator/protocol/members.ts';
import { type FakeCliEnv, fakeCliEnv } from '../../support/fake-cli-env.ts';
import { fakeCluster, finished, watched } from '../../support/fake-coordinator.ts';
import { nativeImport } from '../../support/native-import.ts';
import { tempFolder } from '../../support/temp-folder.ts';

// Its bundle is loaded by Node, and so is the engine that builds its graph.
const { submitCommand } =
  nativeImport<typeof import('../../../cli/commands/submit.ts')>('cli/commands/submit.ts');
const { sendJob } =
  nativeImport<typeof import('../../../cli/cluster/send-job.ts')>('cli/cluster/send-job.ts');

const address = 'memory:c1';
const jobOf = (source: string, sink = 'files.sink({ path: params.output })') => `
import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';
import { console } from 'millrace/console';
export default defineJob({
  name: 'copy',
  params: { input: t.path(), output: t.path().default('out.csv') },
  build: ({ read, params }) => read(${source}).writeTo(${sink}),
});
void console;
`;
const whole = 'files.source({ path: params.input, format: text() })';

async function scene(job = jobOf(whole)) {
  const folder = tempFolder({ 'job.ts': job });
  const { reach, start } = fakeCluster();
  const coordinator = await start(address);
  const submit = async (env: FakeCliEnv, ...args: string[]) => {
    const given = ['job.ts', '--cluster', address, '--input', 'in.txt', ...args];
    return await submitCommand(env, given, reach);
  };
  const env = () => fakeCliEnv({ workingFolder: folder });
  return { folder, coordinator, submit, env, reach };
}

test('the bundle is sent where it is not there, and the job with whole paths', async () => {
  const { folder, coordinator, submit, env } = await scene();
  const first = env();
  const flags = ['--priority', '7', '--checkpoint-dir', 'chk', '--from-savepoint', 'sp'];
  expect(await submit(first, ...flags, '--memory', '400MB')).toBe(0);
  const [{ jobId = '', job } = {}] = coordinator.submissions;
  expect(jobId).toMatch(/^copy-[0-9a-f]{8}$/);
  expect(first.stdout.text).toBe(`${jobId}\n`);
  expect(first.stderr.text).toContain(`millrace status ${jobId} --cluster ${address}`);
  expect(job).toMatchObject({
    params: { input: join(folder, 'in.txt'), output: join(folder, 'out.csv') },
    // As many as the largest worker has; they share the memory.
    ...{ parallelism: 4, slotMemoryBytes: 100 * 1024 ** 2 },
    ...{ priority: 7, namespace: 'default', isFailFast: false, shuffle: 'memory' },
    checkpoints: {
      folder: join(folder, 'chk'),
      from: { kind: 'savepoint', path: join(folder, 'sp') },
    },
  });
  const [source] = job?.graph.nodes ?? [];
  expect(source).toMatchObject({ source: { options: { path: join(folder, 'in.txt') } } });
  expect(coordinator.bundles.get(job?.bundle ?? '')?.toString()).toContain('name: "copy"');
  const { length } = coordinator.calls;
  const second = env();
  expect(await submit(second, '--parallelism', '3', '--json')).toBe(0);
  expect(coordinator.calls.slice(length)).toEqual([clientMethods.putBundle, clientMethods.submit]);
  const id = coordinator.submissions[1]?.jobId;
  expect(id).not.toBe(jobId);
  expect(JSON.parse(second.stdout.text)).toEqual({
    ...{ job: 'copy', id, status: 'submitted', slots: 3 },
  });
});

test('--wait shows what the job waits for, and ends as run does', async () => {
  const { coordinator, submit, env } = await scene();
  const surroundings = env();
  let looks = 0;
  coordinator.on(clientMethods.watch, () => {
    surroundings.advance(5_000);
    if (++looks < 3) return watched(null, { phase: 'queued', reason: 'waits for 2 slots' });
    return watched(finished);
  });
  expect(await submit(surroundings, '--wait')).toBe(0);
  expect(surroundings.stderr.text).toContain('waits for 2 slots …\n');
  expect(surroundings.stderr.text).toContain(
    'job "words" finished in 2.0 s\n  read     1,000 rows',
  );
  expect(surroundings.stdout.text).toBe('');
  expect([surroundings.timerCount(), surroundings.signalListenerCount()]).toEqual([0, 0]);
});

test('an error on a worker leads to the file of the user, and to exit code 1', async () => {
  const { coordinator, submit, env } = await scene();
  const cause = new Error('no number');
  cause.stack = 'Error: no number\n    at parse (job:///lib/parse.ts:12:20)';
  const error = toWire(typedError('USER_FUNCTION_FAILED', 'user function "map" failed', { cause }));
  const outcome = { ...finished, status: 'failed' as const, error };
  coordinator.on(clientMethods.watch, () => watched(outcome, { phase: 'failed' }));
  const surroundings = env();
  expect(await submit(surroundings, '--wait', '--json')).toBe(1);
  expect(surroundings.stderr.text).toContain('at parse (lib/parse.ts:12:20)');
  expect(surroundings.stderr.text).not.toContain('job://');
  expect(JSON.parse(surroundings.stdout.text)).toMatchObject({
    ...{ status: 'failed', error: { code: 'USER_FUNCTION_FAILED' } },
  });
});

test('Ctrl-C while it waits leaves the job alone', async () => {
  const { coordinator, submit, env } = await scene();
  const surroundings = env();
  coordinator.on(clientMethods.watch, () => {
    surroundings.signal('SIGINT');
    return watched(null);
  });
  expect(await submit(surroundings, '--wait')).toBe(130);
  expect(surroundings.stderr.text).toMatch(/job "copy" goes on: millrace status copy-/);
  expect(coordinator.calls).not.toContain('job.cancel');
});

test('what does not exist is refused at once with --fail-fast', async () => {
  const { coordinator, submit, env } = await scene();
  const error = toWire(typedError('SLOTS_NOT_THERE', 'needs 9 slots'));
  let looks = 0;
  coordinator.on(clientMethods.watch, () =>
    ++looks === 1
      ? watched(null, { phase: 'queued' })
      : watched({ ...finished, status: 'failed', error }, { phase: 'failed' }),
  );
  await expect(submit(env(), '--fail-fast')).rejects.toThrow('needs 9 slots');
  expect(coordinator.submissions[0]?.job.isFailFast).toBe(true);
});

test.each`
  what                       | job                               | args                      | message
  ${'what this program has'} | ${jobOf(whole, 'console.sink()')} | ${[]}                     | ${'a sink of connector "console" is in this program'}
  ${'a priority in words'}   | ${jobOf(whole)}                   | ${['--priority', 'high']} | ${'--priority: "high" is no whole number'}
  ${'too little memory'}     | ${jobOf(whole)}                   | ${['--memory', '100MB']}  | ${'--memory: 100MB is too little for 4 slots'}
  ${'a name with a space'}   | ${jobOf(whole)}                   | ${['--namespace', 'a b']} | ${'--namespace: "a b" can\'t be a name'}
`('$what is refused, and nothing is sent', async ({ job, args, message }) => {
  const { coordinator, submit, env } = await scene(job);
  await expect(submit(env(), ...args)).rejects.toThrow(message);
  expect(coordinator.submissions).toEqual([]);
});

test('without a cluster nothing is done', async () => {
  const { env, reach } = await scene();
  const submitted = submitCommand(env(), ['job.ts', '--input', 'in.txt'], reach);
  await expect(submitted).rejects.toThrow('"millrace submit" needs --cluster');
});

test('help tells the flags of the job and of the cluster', async () => {
  const { env } = await scene();
  const surroundings = fakeCliEnv({ workingFolder: env().workingFolder, columns: 160 });
  expect(await submitCommand(surroundings, ['job.ts', '--help'])).toBe(0);
  for (const flag of ['--input', '--cluster', '--wait', '--priority', '--from-savepoint']) {
    expect(surroundings.stdout.text).toContain(flag);
  }
  expect(surroundings.stdout.text).toContain('(default as many as the largest worker has)');
});

test('a bundle goes in parts, anew when one of them went astray, and to a coordinator that has it not', async () => {
  const bundle = { hash: 'ab', bytes: new Uint8Array(2 * bundlePartBytes + 1) };
  const job = { bundle: 'ab' } as never;
  const asked: string[] = [];
  let isAstray = true;
  let isMissing = true;
  const ask = async ({ method, body }: { method: string; body?: unknown }) => {
    const { part, data, isLast } = body as { part: number; data: string; isLast: boolean };
    asked.push(method === clientMethods.submit ? 'submit' : `${part} ${data.length > 0} ${isLast}`);
    if (part === 1 && isAstray) {
      isAstray = false;
      throw typedError('BUNDLE_DAMAGED', 'part 1 does not follow');
    }
    if (method === clientMethods.submit && isMissing) {
      isMissing = false;
      throw typedError('BUNDLE_MISSING', 'the cluster has no bundle');
    }
    return { isStored: false, jobId: 'a-1' };
  };
  const errors = nativeImport<typeof import('../../../base/typed-error.ts')>('base/typed-error.ts');
  const native = async (call: { method: string; body?: unknown }) => {
    try {
      return await ask(call);
    } catch (error) {
      throw errors.fromWire(toWire(error)); // Of the copy that sendJob knows.
    }
  };
  const cluster = { ask: native } as never;
  expect(await sendJob(cluster, { jobId: 'a-1', job, bundle })).toBe('a-1');
  const whole = ['0 true false', '1 true false', '2 true true'];
  const first = ['0 false false', ...whole.slice(0, 2), ...whole, 'submit'];
  expect(asked).toEqual([...first, '0 false false', ...whole, 'submit']);
});
