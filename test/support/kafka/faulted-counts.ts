/**
 * The job `kafka-counts`, exactly once, from a topic to a topic, while what it stands on breaks: its process is killed, or
 * stopped for longer than Kafka keeps a transaction, and its broker ends, in peace or not. Whatever befalls it, it goes on by
 * itself or is started again with `--restore latest`; the kinds of faults and their moments are drawn from a seed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient } from '../../../connectors/kafka/kafka-client.ts';
import type { NotedTransaction } from '../../../connectors/kafka/kafka-transactions.ts';
import { outcomeOf } from '../../../connectors/kafka/transaction-outcome.ts';
import { drawing } from '../../../jobs/ledger/make-entries.ts';
import {
  type CliProcess,
  type CliResult,
  projectFolder,
  startCli,
  summaryOf,
} from '../cli-process.ts';
import type { KafkaBroker } from './kafka-broker.ts';

export const faultKinds = [
  /** SIGKILL of Millrace, which is started again. */
  'kill',
  /** The broker ends in peace under the running job, and comes back. */
  'brokerStop',
  /** The broker is killed under the running job, and comes back. */
  'brokerKill',
  /** SIGSTOP for longer than a transaction may be open, then SIGCONT: the job goes on in its process. */
  'pause',
  /** The same, but a successor has begun meanwhile: the process that wakes up has to end, and harm nothing. */
  'zombie',
  /** SIGKILL right behind a complete checkpoint, and nobody there for longer than a transaction may be open. */
  'away',
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface FaultedCounts {
  readonly folder: string;
  readonly broker: KafkaBroker;
  readonly client: KafkaClient;
  readonly from: string;
  readonly to: string;
  readonly seed: number;
  /** Bids per second. */
  readonly rate: number;
}

/** How long Kafka keeps a transaction open, at least; it looks twice a second. */
const transactionTimeoutMs = 2_000;
const beyondTimeoutMs = transactionTimeoutMs + 1_000;
/** How long the job runs between two faults. */
const lifeMsMax = 1_500;
const runDeadlineMs = 3_600_000;
const wakeDeadlineMs = 60_000;
/** Of a job that can't go on by itself: a broker that is gone for longer than any call waits. */
const mayEndWith = /KAFKA_UNREACHABLE|KAFKA_REFUSED|CHECKPOINT_FAILED/;

export class FaultedJob {
  /** How often each kind has befallen the job while it ran. */
  readonly counts: Record<FaultKind, number> = {
    ...{ kill: 0, brokerStop: 0, brokerKill: 0, pause: 0, zombie: 0, away: 0 },
  };
  /** Transactions that a checkpoint had noted and that Kafka had ended before the job went on. */
  lostCount = 0;
  /** Runs that had to be started again by hand. */
  endedCount = 0;
  readonly #options: FaultedCounts;
  readonly #draw: (limit: number) => number;
  #run: CliProcess | null = null;
  #hasFinished = false;
  #starts = 0;

  constructor(options: FaultedCounts) {
    this.#options = options;
    this.#draw = drawing(options.seed);
  }

  get faultCount(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Faults in an order that is drawn, each kind as often as the others; fewer where the job has come to its end before. */
  async befall(count: number): Promise<void> {
    const kinds = Array.from({ length: count }, (_, n) => faultKinds[n % faultKinds.length]);
    while (kinds.length > 0 && !this.#hasFinished) {
      const [kind] = kinds.splice(this.#draw(kinds.length), 1);
      if (kind !== undefined) await this.#befall(kind);
    }
  }

  /** Runs it to its end without further harm. */
  async finish(): Promise<void> {
    if (this.#run !== null) {
      this.#run.kill('SIGKILL');
      await this.#run.ended;
    }
    summaryOf(await this.#spawn([]).ended);
  }

  async #befall(kind: FaultKind): Promise<void> {
    const run = await this.#running();
    if (run === null || !(await this.#lives(run, this.#draw(lifeMsMax)))) return;
    await this.#faults[kind](run);
    this.counts[kind]++;
  }

  readonly #faults: Record<FaultKind, (run: CliProcess) => Promise<void>> = {
    kill: async (run) => {
      run.kill('SIGKILL');
      await this.#ended(run);
    },
    brokerStop: async () => {
      await this.#options.broker.stop();
      await this.#options.broker.resume();
    },
    brokerKill: async () => {
      await this.#options.broker.kill();
      await this.#options.broker.resume();
    },
    pause: async (run) => {
      run.kill('SIGSTOP');
      await sleep(beyondTimeoutMs);
      run.kill('SIGCONT');
    },
    zombie: async (run) => {
      run.kill('SIGSTOP');
      this.#run = null;
      await this.#running();
      await sleep(beyondTimeoutMs);
      run.kill('SIGCONT');
      const ended = await Promise.race([run.ended, sleep(wakeDeadlineMs, null)]);
      if (!ended?.stderr.includes('CHECKPOINT_FENCED')) {
        throw new Error(`a process that woke up beside its successor said: ${ended?.stderr}`);
      }
    },
    away: async (run) => {
      const before = this.#lastEntry();
      while (this.#lastEntry() === before && (await this.#lives(run, 1)));
      run.kill('SIGKILL');
      await this.#ended(run);
      await sleep(beyondTimeoutMs);
      this.lostCount += await this.#lostTransactions();
    },
  };

  /** Of those that the newest checkpoint has noted: what is written again when the job goes on. */
  async #lostTransactions(): Promise<number> {
    const noted = notedIn(join(this.#options.folder, 'chk/kafka-counts'));
    const { client } = this.#options;
    const outcomes = noted.map(async (one) =>
      outcomeOf(one, await client.transactionOf(one.transactionalId)),
    );
    return (await Promise.all(outcomes)).filter((outcome) => outcome === 'lost').length;
  }

  /** The run that there is, or a new one whose attempt has begun; null when the job has come to its end. */
  async #running(): Promise<CliProcess | null> {
    if (this.#run !== null && (await this.#lives(this.#run, 0))) return this.#run;
    while (!this.#hasFinished) {
      const before = this.#lastEntry();
      const parallelism = String(1 + (this.#starts++ % 2));
      const run = this.#spawn(['--rate', String(this.#options.rate), '--parallelism', parallelism]);
      this.#run = run;
      let isAlive = true;
      while (this.#lastEntry() === before && isAlive) isAlive = await this.#lives(run, 5);
      if (isAlive) return run;
    }
    return null;
  }

  /** Whether the run is still there after so long; one that has ended is looked at. */
  async #lives(run: CliProcess, ms: number): Promise<boolean> {
    const ended = await Promise.race([run.ended, sleep(ms, null)]);
    if (ended === null) return true;
    this.#run = null;
    if (ended.exitCode === 0) this.#hasFinished = true;
    else this.#notFinished(ended);
    return false;
  }

  #notFinished({ stderr }: CliResult): void {
    if (!mayEndWith.test(stderr)) throw new Error(`the job has failed: ${stderr}`);
    this.endedCount++;
  }

  /** Of a run that was killed. */
  async #ended(run: CliProcess): Promise<void> {
    await run.ended;
    this.#run = null;
  }

  #spawn(flags: readonly string[]): CliProcess {
    const { folder, broker, from, to } = this.#options;
    return startCli(
      [
        ...['run', join(projectFolder, 'jobs/kafka-counts/job.ts'), '--json', '--size', '1'],
        ...['--brokers', broker.address, '--from', from, '--to', to, '--until-offset', 'end'],
        ...['--delivery', 'exactly-once', '--transactional-id', `counts-of-${to}`],
        ...['--transaction-timeout', String(transactionTimeoutMs), '--restore', 'latest'],
        ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '200ms', ...flags],
      ],
      { cwd: folder, deadlineMs: runDeadlineMs },
    );
  }

  #lastEntry(): string {
    try {
      return readdirSync(join(this.#options.folder, 'chk/kafka-counts/log')).sort().at(-1) ?? '';
    } catch {
      return ''; // No attempt has begun.
    }
  }
}

/** What the manifest of the newest checkpoint has noted. */
function notedIn(folder: string): NotedTransaction[] {
  const entries = readdirSync(join(folder, 'log')).sort();
  const lines = entries.map((name) => readFileSync(join(folder, 'log', name), 'utf8'));
  // The last one may be torn: its process was killed while it wrote.
  const contents = lines.filter((line) => line.endsWith('\n')).map(jsonOf);
  const newest = contents.filter(({ kind }) => kind === 'complete').at(-1);
  if (newest === undefined) return [];
  const manifest = jsonOf(readFileSync(join(folder, String(newest.manifest)), 'utf8'));
  const writes = Object.values(manifest.writes as Record<string, { write: NotedTransaction }[]>);
  return writes.flat().map(({ write }) => write);
}

/** Behind the name and the checksum. */
function jsonOf(line: string): Record<string, unknown> {
  return JSON.parse(line.slice(line.indexOf('{')));
}
