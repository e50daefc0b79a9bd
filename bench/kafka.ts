/**
 * The Kafka bench: what records cost the process that reads, writes or counts them. The broker is on the same machine and is not
 * counted.
 *
 *     source   records of 100 bytes read to the end        Millrace · a consumer of kafkajs
 *     sink     records of 100 bytes written                Millrace · an idempotent producer of kafkajs
 *     counts   count and sum by key and 10 s, exactly once, a commit each second     Millrace · Kafka Streams
 *
 * What is compared is records per second of CPU time, user and system, of the whole process from its start on, by /proc: on a
 * machine that others use seconds of the clock say little.
 *
 * Expectation before the first figure: a record is a few varints and 100 bytes copied twice, 200 ns; kafkajs makes an object of
 * each, 1 µs.
 *
 * Before: bench/main.ts. After: bench/kafka-topics.ts, bench/kafka-report.ts.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { outputPath, peersFolder, projectFolder } from './bench-cache.ts';
import { countsDifference } from './kafka-report.ts';
import type { KafkaMeasure, KafkaQuestion, KafkaResult } from './kafka-result.ts';
import { type KafkaService, startKafka } from './kafka-service.ts';
import { fillBids, fillPlain, makeTopic, withClient } from './kafka-topics.ts';
import { mavenClassPath, prepareMaven } from './prepare-maven.ts';
import { cpuSecondsOf } from './process-cpu.ts';

export const kafkaBenchName = 'kafka';

/** Multiples of 46: of 50 events of the generator so many are bids. */
export const kafkaSizes = { '5M': 5_000_200, '1M': 1_000_040, '100K': 100_004 } as const;
export type KafkaSize = keyof typeof kafkaSizes;

const valueBytes = 100;
const threads = 2;

export async function runKafkaBench(
  { size, runs }: { readonly size: KafkaSize; readonly runs: number },
  tell: (line: string) => void,
): Promise<KafkaResult[]> {
  prepareMaven('kafka', tell);
  const recordCount = kafkaSizes[size];
  const service = await startKafka();
  try {
    const bench = new KafkaBench(service, recordCount);
    await bench.fill(tell);
    const results: KafkaResult[] = [];
    for (const [question, contestants] of Object.entries(bench.contestants)) {
      const own = Object.keys(contestants).map((contestant): KafkaResult => {
        return { question: question as KafkaQuestion, contestant, recordCount, measured: [] };
      });
      for (let run = 1; run <= runs; run++) {
        for (const { contestant, measured } of own) {
          tell(`${question}, ${contestant}, run ${run} of ${runs}`);
          measured.push(await bench.measure(question as KafkaQuestion, contestant));
        }
      }
      results.push(...own);
    }
    return results;
  } finally {
    await service.stop();
  }
}

type Contestant = () => Promise<KafkaMeasure>;

class KafkaBench {
  readonly #brokers: string;
  readonly #count: number;
  readonly #folder = outputPath('kafka');
  #turn = 0;

  constructor({ address }: KafkaService, count: number) {
    this.#brokers = address;
    this.#count = count;
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { recursive: true });
  }

  readonly contestants: Record<KafkaQuestion, Record<string, Contestant>> = {
    source: { millrace: () => this.#millraceReads(), kafkajs: () => this.#kafkajsReads() },
    sink: { millrace: () => this.#millraceWrites(), kafkajs: () => this.#kafkajsWrites() },
    counts: {
      millrace: () => this.#millraceCounts(),
      'kafka-streams': () => this.#streamsCounts(),
    },
  };

  async fill(tell: (line: string) => void): Promise<void> {
    tell(`Filling two topics with ${this.#count} records each …`);
    await makeTopic(this.#brokers, 'plain');
    await fillPlain(this.#brokers, { topic: 'plain', count: this.#count, bytes: valueBytes });
    await makeTopic(this.#brokers, 'bids');
    await fillBids(this.#brokers, { topic: 'bids', count: this.#count });
  }

  async measure(question: KafkaQuestion, contestant: string): Promise<KafkaMeasure> {
    const measured = await this.contestants[question][contestant]?.();
    if (measured === undefined) throw new Error(`no contestant "${contestant}"`);
    return measured;
  }

  async #millraceReads(): Promise<KafkaMeasure> {
    const output = join(this.#folder, 'read.csv');
    const args = [
      ...this.#job('kafka-read'),
      '--topic',
      'plain',
      '--output',
      output,
      '--overwrite',
    ];
    const measured = await measureProcess(process.execPath, args);
    const [, line = ''] = readFileSync(output, 'utf8').split('\n');
    this.#expect(line.split(','), [this.#count, this.#count * valueBytes]);
    return measured;
  }

  async #kafkajsReads(): Promise<KafkaMeasure> {
    const script = join(peersFolder, 'kafka-consume.mjs');
    const measured = await measureProcess(process.execPath, [script, this.#brokers, 'plain']);
    const { count, bytes } = JSON.parse(measured.stdout);
    this.#expect([count, bytes], [this.#count, this.#count * valueBytes]);
    return measured;
  }

  async #millraceWrites(): Promise<KafkaMeasure> {
    const topic = await this.#newTopic();
    const args = [...this.#job('kafka-write'), '--topic', topic, '--count', String(this.#count)];
    const measured = await measureProcess(process.execPath, [
      ...args,
      '--bytes',
      String(valueBytes),
    ]);
    this.#expect([await this.#recordsIn(topic)], [this.#count]);
    return measured;
  }

  async #kafkajsWrites(): Promise<KafkaMeasure> {
    const topic = await this.#newTopic();
    const args = [this.#brokers, topic, String(this.#count), String(valueBytes)];
    const script = join(peersFolder, 'kafka-produce.mjs');
    const measured = await measureProcess(process.execPath, [script, ...args]);
    this.#expect([await this.#recordsIn(topic)], [this.#count]);
    return measured;
  }

  /** What Millrace has counted, for the comparison with the other. */
  #counts = '';

  async #millraceCounts(): Promise<KafkaMeasure> {
    const topic = await this.#newTopic();
    const measured = await measureProcess(process.execPath, [
      ...this.#job('../../jobs/kafka-counts/job'),
      ...['--from', 'bids', '--to', topic, '--until-offset', 'end', '--delivery', 'exactly-once'],
      ...['--checkpoint-dir', join(this.#folder, topic), '--checkpoint-interval', '1s'],
    ]);
    this.#counts = await this.#read(topic);
    return measured;
  }

  async #streamsCounts(): Promise<KafkaMeasure> {
    const topic = await this.#newTopic();
    const level = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
    const measured = await measureProcess('java', [
      ...[
        '-Xmx512m',
        level,
        '-cp',
        mavenClassPath('kafka'),
        'StreamsCounts',
        this.#brokers,
        'bids',
      ],
      ...[topic, `streams-${topic}`, String(threads), join(this.#folder, `state-${topic}`)],
    ]);
    const difference = countsDifference(this.#counts, await this.#read(topic));
    if (difference !== null) throw new Error(`the answers differ: ${difference}`);
    return measured;
  }

  /** Values of a topic as lines of JSON, once they are committed. */
  async #read(topic: string): Promise<string> {
    const output = join(this.#folder, `${topic}.ndjson`);
    const job = this.#job('../../jobs/kafka-to-files/job');
    const args = ['--from', topic, '--until-offset', 'end', '--output', output, '--overwrite'];
    await measureProcess(process.execPath, [...job, ...args]);
    return readFileSync(output, 'utf8');
  }

  #job(name: string): string[] {
    const file = join(projectFolder, 'bench/jobs', `${name}.ts`);
    const command = [join(projectFolder, 'cli/millrace.mjs'), 'run', file, '--json'];
    return [...command, '--brokers', this.#brokers, '--parallelism', String(threads)];
  }

  async #newTopic(): Promise<string> {
    const topic = `written-${this.#turn++}`;
    await makeTopic(this.#brokers, topic);
    return topic;
  }

  async #recordsIn(topic: string): Promise<number> {
    const ends = await withClient(this.#brokers, (client) =>
      client.offsetsOf(topic, 'latest', 'committed'),
    );
    return ends.reduce((sum, end) => sum + end, 0);
  }

  #expect(found: readonly (string | number)[], wanted: readonly number[]): void {
    if (found.map(Number).join() !== wanted.join()) {
      throw new Error(`found ${found.join()} in place of ${wanted.join()}`);
    }
  }
}

const sampleMs = 20;
async function measureProcess(
  command: string,
  args: readonly string[],
): Promise<KafkaMeasure & { readonly stdout: string }> {
  const startMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  let exitCode: number | null | undefined;
  child.once('close', (code) => {
    exitCode = code;
  });
  let cpuSeconds = 0;
  while (exitCode === undefined) {
    cpuSeconds = Math.max(cpuSeconds, cpuSecondsOf(child.pid ?? 0));
    await pause(sampleMs);
  }
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${said.stderr}`);
  return { cpuSeconds, seconds: (performance.now() - startMs) / 1_000, stdout: said.stdout };
}
