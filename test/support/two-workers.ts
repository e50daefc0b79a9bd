/**
 * Runs a job on workers with a slot each, whose tasks exchange rows over connections: all in this process, with real threads, rings,
 * sockets and files.
 */
import { join } from 'node:path';
import type { ByteNet } from '../../base/env/byte-net.ts';
import { loadChecksum } from '../../base/env/fast-checksum.ts';
import { createRealEnv } from '../../base/env/real-env.ts';
import { createSocketByteNet } from '../../base/env/socket-byte-net.ts';
import { fromWire } from '../../base/typed-error.ts';
import { connectors } from '../../connectors/registry.ts';
import type { JobSubmission } from '../../coordinator/coordinator.ts';
import { startCoordinator } from '../../coordinator/coordinator-service.ts';
import type { JobHandle } from '../../coordinator/job/job-handle.ts';
import type { JobOutcome } from '../../coordinator/job/job-outcome.ts';
import { createMemoryRegister } from '../../coordinator/lease/memory-register.ts';
import { buildJob, fingerprintOf } from '../../engine/api/build-job.ts';
import type { JobDefinition } from '../../engine/api/index.ts';
import { JoinedWorkers } from '../../simulation/joined-workers.ts';
import { startInlineNetwork } from '../../worker/exchange/exchange-network.ts';
import { PiscinaSlotRunner } from '../../worker/threads/piscina-slot-runner.ts';
import { startThreadNetwork } from '../../worker/threads/thread-network.ts';
import { startWorker } from '../../worker/worker.ts';

export interface WorkersOptions {
  /** For sockets and spill files. */
  readonly folder: string;
  readonly definition: JobDefinition;
  /** Where slot threads find it. */
  readonly file: string;
  readonly params: Readonly<Record<string, string>>;
  readonly workerCount?: number;
  readonly submission?: Partial<JobSubmission>;
  /** Of an exchange's rings; 1: the smallest there are. @defaultValue 32 MiB */
  readonly exchangeBytes?: number;
  /** Rows per second that each source gives out. @defaultValue as fast as it can */
  readonly rate?: number;
  /** Is given the job once it is submitted. */
  readonly onSubmitted?: (job: JobHandle) => void;
  /** Whether networks have threads of their own; then bytes are not counted. @defaultValue false */
  readonly hasNetworkThreads?: boolean;
}

export async function runOnWorkers({
  folder,
  definition,
  file,
  params,
  workerCount = 2,
  submission = {},
  hasNetworkThreads = false,
  onSubmitted,
  exchangeBytes = 32 << 20,
  rate,
}: WorkersOptions): Promise<{ readonly outcome: JobOutcome; readonly exchangedBytes: number }> {
  let exchangedBytes = 0;
  const net = countingNet((bytes) => {
    exchangedBytes += bytes;
  });
  const env = createRealEnv();
  const coordinatorAddress = 'memory:coordinator';
  const coordinator = await startCoordinator(env, {
    ...{ address: coordinatorAddress, nodeId: 'test', connectors },
    register: createMemoryRegister(),
  });
  const joined = new JoinedWorkers(env, {
    ...{ address: 'memory:joined', coordinatorAddress, workerCount },
  });
  await joined.start();
  const starts = Array.from({ length: workerCount }, async (_, index) => {
    const name = `worker-${index}`;
    const runner = new PiscinaSlotRunner(1);
    const place = { address: `unix:${join(folder, `${name}.sock`)}`, name };
    const network = hasNetworkThreads
      ? await startThreadNetwork({ runner, observe: env.observe, ...place })
      : await startInlineNetwork(env, {
          ...{ ...place, net, checksum: loadChecksum() },
          ...{ bell: runner.networkBell, bellOf: (bell: number) => runner.bellOf(bell) },
          yieldToEvents: () => new Promise((resolve) => setImmediate(resolve)),
        });
    return await startWorker(env, {
      ...{ workerId: name, address: `memory:${name}`, coordinatorAddress: 'memory:joined' },
      ...{ slotCount: 1, slotMemoryBytes: 256 << 20, spillDir: join(folder, `spill-${index}`) },
      ...{ runner, network, exchangeBytes },
    });
  });
  const workers = await Promise.all(starts);
  try {
    const flags = { overwrite: true, ...(rate !== undefined && { rate }) };
    const { graph } = buildJob(definition, params, flags);
    const module = { file, params, flags, fingerprint: fingerprintOf(graph) };
    const job = await coordinator.submit({
      ...{ graph, module, parallelism: workerCount, ...submission },
    });
    onSubmitted?.(job);
    const outcome = await job.done;
    if (outcome.error !== null) throw fromWire(outcome.error);
    return { outcome, exchangedBytes };
  } finally {
    for (const worker of workers) await worker.stop();
    await joined.stop();
    await coordinator.stop();
  }
}

/** Counts what comes to those who connect. */
function countingNet(count: (bytes: number) => void): ByteNet {
  const net = createSocketByteNet();
  return {
    listen: (address, accept) => net.listen(address, accept),
    connect: (address, deadlineMs, handlers) =>
      net.connect(address, deadlineMs, {
        ...handlers,
        onBytes: (bytes) => {
          count(bytes.length);
          handlers.onBytes(bytes);
        },
      }),
  };
}
