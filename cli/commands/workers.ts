/**
 * `millrace workers`: the workers of a cluster, with their slots and the jobs that they run.
 *
 * Before: cli/main.ts. After: cli/cluster/cluster-client.ts.
 */
import { formatBytes } from '../../base/units.ts';
import {
  clientMethods,
  type WorkersAnswer,
  type WorkerView,
} from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import { onCluster } from '../cluster/on-cluster.ts';
import { showList } from '../cluster/show-list.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'workers',
  description: 'Shows the workers of a cluster, and what they run.',
  words: [],
  isOfCluster: true,
  examples: [
    'millrace workers --cluster 127.0.0.1:7070',
    'millrace workers --cluster 127.0.0.1:7070 --json',
  ],
};

const right = 'right' as const;
const columns = [
  ...[{ title: 'worker' }, { title: 'address', align: right }, { title: 'slots', align: right }],
  ...[{ title: 'free', align: right }, { title: 'memory', align: right }, { title: 'state' }],
  { title: 'jobs' },
];

export async function workersCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const call = { method: clientMethods.workers, isRepeatable: true };
  const { workers } = await onCluster({ verb: 'workers', request, reach }, (cluster) =>
    cluster.ask<WorkersAnswer>(call),
  );
  showList(env, request.isJson, {
    ...{ name: 'workers', items: workers, columns, cellsOf },
    none: 'the cluster has no worker',
  });
  return exitCodes.done;
}

function cellsOf(worker: WorkerView): string[] {
  const { workerId, address, slots, freeSlots, memoryBytes, isSuspected, jobs } = worker;
  return [
    ...[workerId, address, String(slots), String(freeSlots), formatBytes(memoryBytes)],
    ...[isSuspected ? 'silent' : 'there', jobs.join(', ')],
  ];
}
