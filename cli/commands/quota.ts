/**
 * `millrace quota`: what the jobs of each namespace of a cluster may have together, and what they have; with a namespace,
 * sets it.
 *
 * Before: cli/main.ts. After: cli/cluster/cluster-client.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { formatBytes, parseSize } from '../../base/units.ts';
import {
  clientMethods,
  type QuotasAnswer,
  type QuotaView,
  type SetQuotaRequest,
} from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import { onCluster } from '../cluster/on-cluster.ts';
import { showList } from '../cluster/show-list.ts';
import {
  type ControlCommand,
  type ControlRequest,
  type Reach,
  readControlCommand,
} from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'quota',
  description: 'Shows or sets what the jobs of a namespace may have together.',
  words: ['[NAMESPACE]'],
  flags: [
    { flag: '--slots <count>', description: 'of all its jobs together' },
    { flag: '--memory <size>', description: 'of all its jobs together, such as 4GB' },
  ],
  isOfCluster: true,
  examples: [
    'millrace quota --cluster 127.0.0.1:7070',
    'millrace quota reports --slots 4 --memory 4GB --cluster 127.0.0.1:7070',
  ],
  notes:
    'A job that would exceed it waits; those that run go on, also where the quota is made smaller. Jobs name theirs with --namespace.',
};

const right = 'right' as const;
const columns = [
  ...[{ title: 'namespace' }, { title: 'slots', align: right }, { title: 'of', align: right }],
  ...[
    { title: 'memory', align: right },
    { title: 'of', align: right },
  ],
];

export async function quotaCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const wanted = wantedOf(request);
  const quotas = await onCluster({ verb: 'quota', request, reach }, async (cluster) => {
    if (wanted !== null) {
      const call = { method: clientMethods.setQuota, body: wanted, isRepeatable: true };
      return [await cluster.ask<QuotaView>(call)];
    }
    return (await cluster.ask<QuotasAnswer>({ method: clientMethods.quotas, isRepeatable: true }))
      .quotas;
  });
  showList(env, request.isJson, {
    ...{ name: 'quotas', items: quotas, columns, cellsOf },
    none: 'no namespace has a quota or a job',
  });
  return exitCodes.done;
}

/** Null where nothing is to be set. @throws ARGUMENT_MISSING, FLAG_VALUE */
function wantedOf({ words: [namespace], flags }: ControlRequest): SetQuotaRequest | null {
  const { slots, memory } = flags;
  if (namespace === undefined && slots === undefined && memory === undefined) return null;
  if (namespace === undefined || typeof slots !== 'string' || typeof memory !== 'string') {
    throw typedError('ARGUMENT_MISSING', 'a quota is of a namespace, with --slots and --memory', {
      hint: `For example: ${options.examples[1]}.`,
    });
  }
  return { namespace, slotsMax: countOf(slots), memoryBytesMax: parseSize(memory) };
}

function countOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw typedError('FLAG_VALUE', `--slots: "${text}" is no count`, {
    hint: 'Write a whole number from 0 on: --slots 4.',
  });
}

function cellsOf(quota: QuotaView): string[] {
  const { namespace, slotsMax, memoryBytesMax, slotsUsed, memoryBytesUsed } = quota;
  return [
    ...[namespace, String(slotsUsed), slotsMax === null ? 'any' : String(slotsMax)],
    formatBytes(memoryBytesUsed),
    memoryBytesMax === null ? 'any' : formatBytes(memoryBytesMax),
  ];
}
