/**
 * The process of one job attempt on a worker: the worker role as it is embedded, with a network for rows. It is told on stdin
 * what it is for, in one line, and lives as long as stdin is open: a supervisor that dies, however that is, takes it along.
 *
 *     node executor.js 2      has two slot threads before it is told what they are for
 *
 * Before: cli/cluster/process-launcher.ts. After: worker/worker.ts.
 */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { assert } from '../../base/assert.ts';
import { createRealEnv } from '../../base/env/real-env.ts';
import { toWire } from '../../base/typed-error.ts';
import { bundleScheme } from '../../coordinator/protocol.ts';
import type { ExecutorSpec } from '../../worker/supervisor/executor-launcher.ts';
import { PiscinaSlotRunner } from '../../worker/threads/piscina-slot-runner.ts';
import { NetworkThread, startThreadNetwork } from '../../worker/threads/thread-network.ts';
import { startWorker } from '../../worker/worker.ts';
import type { ExecutorStart } from './process-launcher.ts';

const failedExitCode = 1;
/** Of 1,000: the system that needs memory ends this process before its supervisor, and before most others. */
const oomScore = 500;

/** As many as it will most likely be asked for; their threads load their code while nobody waits. */
const warmSlots = Number(process.argv[2] ?? 1);
const warmRunner = new PiscinaSlotRunner(warmSlots);
const warmThread = new NetworkThread();

followSupervisor((line) => {
  // The supervisor has ended it before it was needed.
  if (line === '') process.exit(0);
  const spec: ExecutorStart = JSON.parse(line);
  run(spec).catch((error: unknown) => {
    const { message, hint = '' } = toWire(error);
    process.stderr.write(`executor ${spec.executorId} of job ${spec.jobId}: ${message}. ${hint}\n`);
    process.exit(failedExitCode);
  });
});

/** @param onStart - Called once, with what comes first. */
function followSupervisor(onStart: (line: string) => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.once('line', onStart);
  lines.once('close', () => process.exit(0));
  // A Ctrl-C at the terminal is for the supervisor, which ends us in its turn.
  process.on('SIGINT', () => undefined);
  offerToSystem();
}

function offerToSystem(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(oomScore));
  } catch {
    // Not Linux, or not allowed: the system then chooses by size, which is most often this one.
  }
}

async function run({ tls, ...spec }: ExecutorStart): Promise<void> {
  const env = createRealEnv({ events: (process.env.MILLRACE_DEBUG ?? '0') !== '0', tls });
  const runner = await runnerOf(spec.slots);
  const network = await startThreadNetwork({
    ...{ runner, thread: warmThread, observe: env.observe, address: spec.exchangeAddress },
    name: `${spec.workerId} ${spec.executorId}`,
    ...(tls !== undefined && { tls }),
  });
  const worker = await startWorker(env, {
    ...{ workerId: spec.workerId, executorId: spec.executorId, address: spec.address },
    ...{ coordinatorAddress: spec.coordinator, spillDir: spec.spillDir, runner, network },
    ...{ slotCount: spec.slots, slotMemoryBytes: spec.slotMemoryBytes },
    moduleFile: (file) => fileOf(file, spec),
  });
  process.once('SIGTERM', () => {
    worker.stop().then(
      () => process.exit(0),
      () => process.exit(failedExitCode),
    );
  });
}

/** One with more threads than slots does as well: those that get no work wait. */
async function runnerOf(slots: number): Promise<PiscinaSlotRunner> {
  if (slots <= warmSlots) return warmRunner;
  await warmRunner.close();
  return new PiscinaSlotRunner(slots);
}

/** The coordinator knows a module by the hash of its bundle; it is where the supervisor has put it. */
function fileOf(file: string, { bundle }: ExecutorSpec): string {
  assert(
    file === `${bundleScheme}${bundle.hash}`,
    'an executor runs the bundle that it was started for',
  );
  return pathToFileURL(bundle.path).href;
}
