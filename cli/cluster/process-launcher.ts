/**
 * Executors as processes of this host's Node. One is always started ahead: it has loaded all its code, and waits on its stdin for
 * the line that says what it is for, so that a job begins at once.
 *
 *     supervisor ──stdin: one line, then open as long as the supervisor lives──▶ executor
 *                ◀──stdout, stderr: into the job's log──────────────────────────
 *
 * Before: worker/supervisor/executor-launcher.ts. After: cli/cluster/executor.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { CancelTimer, Timers } from '../../base/env/timers.ts';
import type { TlsCertificates } from '../../base/env/tls-certificates.ts';
import type {
  ExecutorLauncher,
  ExecutorProcess,
  ExecutorSpec,
  ProcessEnd,
} from '../../worker/supervisor/executor-launcher.ts';

/** Beside this file, as a source and in the bundle. */
const executorFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './executor.ts' : './executor.js', import.meta.url),
);
/** A start takes processor time that the job before it needs more, for its own start. */
const spareAfterMs = 3_000;
/** A thread that waits takes 30 MB, whether it is needed or not. */
const warmSlotsMax = 4;
/** What it had printed is read by then. */
const outputAfterEndMs = 1_000;
const lastWordsLengthMax = 4_096;

/** The line that an executor reads. */
export interface ExecutorStart extends ExecutorSpec {
  /** Of all its TCP connections: the supervisor has read the files. */
  readonly tls?: TlsCertificates;
}

export interface LauncherOptions {
  /** Those that jobs will most likely have here: threads for them are started ahead. @defaultValue 1 */
  readonly slots?: number;
  /** Program and arguments. Tests give others. @defaultValue Node with the executor */
  readonly command?: readonly [string, ...string[]];
  /** Whether one is started ahead. @defaultValue true */
  readonly hasSpare?: boolean;
  /** For executors. @defaultValue plain connections */
  readonly tls?: TlsCertificates | undefined;
}

export function createProcessLauncher(
  env: { readonly timers: Timers },
  { command, slots = 1, hasSpare = true, tls }: LauncherOptions = {},
): ExecutorLauncher {
  // So that errors of a job have the places of its source and not those of its bundle.
  const node = [process.execPath, '--enable-source-maps', executorFile] as const;
  const start = (slotCount: number) => {
    const [program, ...args] = command ?? [...node, String(slotCount)];
    return new Started(env.timers, program, args);
  };
  let spare: Started | null = null;
  let cancelSpare: CancelTimer = () => undefined;
  const prepare = () => {
    if (hasSpare && !spare?.isRunning) spare = start(Math.min(slots, warmSlotsMax));
  };
  return {
    prepare,
    launch(spec, onOutput): ExecutorProcess {
      const started = spare?.isRunning ? spare : start(spec.slots);
      spare = null;
      cancelSpare();
      cancelSpare = env.timers.after(spareAfterMs, prepare);
      const told: ExecutorStart = { ...spec, ...(tls !== undefined && { tls }) };
      return started.use(JSON.stringify(told), onOutput);
    },
    async close() {
      cancelSpare();
      const ended = spare?.use('', async () => undefined);
      spare = null;
      ended?.kill('now');
      await ended?.ended;
    },
  };
}

class Started {
  readonly #timers: Timers;
  readonly #child: ChildProcess;
  readonly #closed: Promise<Omit<ProcessEnd, 'lastWords'>>;
  #startError = '';

  constructor(timers: Timers, program: string, args: readonly string[]) {
    this.#timers = timers;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#closed = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
      child.once('error', (error) => {
        this.#startError = error.message;
        if (child.pid === undefined) resolve({ exitCode: null, signal: null });
      });
    });
    // It has ended before it was told all: its end says so.
    child.stdin?.on('error', () => undefined);
  }

  get isRunning(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** Says what it is for. */
  use(line: string, onOutput: (bytes: Uint8Array) => Promise<void>): ExecutorProcess {
    const { stdin, stdout, stderr } = this.#child;
    stdin?.write(`${line}\n`);
    let lastWords = '';
    const read = [
      handOn(stdout, onOutput),
      handOn(stderr, (bytes) => {
        lastWords = (lastWords + Buffer.from(bytes).toString()).slice(-lastWordsLengthMax);
        return onOutput(bytes);
      }),
    ];
    const end = async (): Promise<ProcessEnd> => {
      const closed = await this.#closed;
      // What the job itself has started may have its streams open for ever.
      const cancel = this.#timers.after(outputAfterEndMs, () => {
        for (const stream of [stdout, stderr]) stream?.destroy();
      });
      await Promise.all(read);
      cancel();
      return { ...closed, lastWords: lastWords || this.#startError };
    };
    const kill = (how: 'asked' | 'now') => {
      this.#child.kill(how === 'now' ? 'SIGKILL' : 'SIGTERM');
    };
    return { ended: end(), kill };
  }
}

/** Reads on when what came is written: a job that prints more than the disk takes waits, and fills no memory here. */
async function handOn(
  stream: Readable | null,
  onOutput: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  if (stream === null) return;
  try {
    for await (const bytes of stream) await onOutput(bytes);
  } catch (error) {
    // Its end was not waited for: below.
    if (!stream.destroyed) throw error;
  }
}
