/** Goal: workers follow from cores, slots from both, and each process has the flags it needs and a folder of its own. */
import { expect, test } from 'vitest';
import { readConfig } from '../../../cli/config/read-config.ts';
import { parseWorkers, planUp, workersByCores } from '../../../cli/up/up-plan.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';

const gigabyte = 1024 ** 3;

async function planned({
  cores = 4,
  workers,
  flags = {},
  tls = null,
}: {
  readonly cores?: number;
  readonly workers?: number;
  readonly flags?: Readonly<Record<string, string>>;
  readonly tls?: Parameters<typeof planUp>[0]['tls'];
}) {
  const config = await readConfig(fakeCliEnv({ cores }), { role: 'up', flags });
  const plan = planUp({ cores, memoryBytes: 16 * gigabyte, workers, config, data: '/d', tls });
  const args = (role: { args: (address: string) => readonly string[] }) => role.args('HOST:1');
  return { ...plan, coordinatorArgs: args(plan.coordinator), workerArgs: plan.workers.map(args) };
}

const flagIn = (args: readonly string[] | undefined, flag: string) => {
  return args?.[args.indexOf(flag) + 1];
};

test.each`
  cores  | workers
  ${1}   | ${1}
  ${2}   | ${2}
  ${4}   | ${2}
  ${8}   | ${2}
  ${12}  | ${3}
  ${64}  | ${16}
  ${512} | ${64}
`('$cores cores have $workers workers', ({ cores, workers }) => {
  expect(workersByCores(cores)).toBe(workers);
});

test.each`
  cores | workers      | flags                            | count | slots | memory
  ${2}  | ${undefined} | ${{}}                            | ${2}  | ${1}  | ${2 * gigabyte}
  ${8}  | ${undefined} | ${{}}                            | ${2}  | ${4}  | ${4 * gigabyte}
  ${8}  | ${3}         | ${{}}                            | ${3}  | ${2}  | ${Math.floor((16 * gigabyte) / 6)}
  ${2}  | ${5}         | ${{}}                            | ${5}  | ${1}  | ${Math.floor((16 * gigabyte) / 10)}
  ${2}  | ${2}         | ${{ slots: '3' }}                | ${2}  | ${3}  | ${4 * gigabyte}
  ${2}  | ${2}         | ${{ slots: '3', memory: '1GB' }} | ${2}  | ${3}  | ${gigabyte}
`(
  '$cores cores, $workers workers, $flags: $count with $slots slots',
  async ({ cores, workers, flags, count, slots, memory }) => {
    const plan = await planned({ cores, workers, flags });
    expect([plan.workers.length, plan.slots]).toEqual([count, slots]);
    for (const args of plan.workerArgs) {
      expect(flagIn(args, '--slots')).toBe(String(slots));
      expect(flagIn(args, '--memory')).toBe(String(memory));
    }
  },
);

test('each process has a folder, a name and a log of its own', async () => {
  const { coordinator, coordinatorArgs, workers, workerArgs } = await planned({ workers: 2 });
  expect(coordinatorArgs).toEqual([
    ...['coordinator', '--listen', '127.0.0.1:7070', '--data', '/d/coordinator', '--json'],
  ]);
  expect(workerArgs.map((args) => flagIn(args, '--data'))).toEqual(['/d/worker-1', '/d/worker-2']);
  expect(workerArgs.map((args) => flagIn(args, '--name'))).toEqual(['worker-1', 'worker-2']);
  expect(workerArgs.map((args) => flagIn(args, '--coordinator'))).toEqual(['HOST:1', 'HOST:1']);
  expect([coordinator, ...workers].map(({ logFile }) => logFile)).toEqual([
    ...['/d/logs/coordinator.log', '/d/logs/worker-1.log', '/d/logs/worker-2.log'],
  ]);
});

test.each`
  listen              | workerListen
  ${'127.0.0.1:7070'} | ${'127.0.0.1:0'}
  ${'10.0.0.1:7070'}  | ${'10.0.0.1:0'}
  ${'[fe80::1]:7070'} | ${'[fe80::1]:0'}
  ${'unix:/a/b'}      | ${'127.0.0.1:0'}
`(
  'workers of a coordinator at $listen listen at $workerListen',
  async ({ listen, workerListen }) => {
    const { coordinatorArgs, workerArgs } = await planned({ flags: { listen } });
    expect(flagIn(coordinatorArgs, '--listen')).toBe(listen);
    expect(flagIn(workerArgs[0], '--listen')).toBe(workerListen);
  },
);

test('with an authority each role has its own certificate', async () => {
  const files = (role: string) => ({
    ...{ authority: 'a.pem', certificate: `${role}.pem`, key: `${role}.key` },
  });
  const tls = { coordinator: files('c'), worker: files('w'), client: files('k') };
  const { coordinatorArgs, workerArgs } = await planned({ tls });
  expect(flagIn(coordinatorArgs, '--tls-key')).toBe('c.key');
  expect(flagIn(workerArgs[0], '--tls-key')).toBe('w.key');
  expect(flagIn(workerArgs[1], '--tls-authority')).toBe('a.pem');
});

test.each(['0', '65', 'x', '', '1.5'])('--workers %s is refused', (text) => {
  expect(() => parseWorkers(text)).toThrow(
    `--workers: "${text}" is not a whole number from 1 to 64`,
  );
});
