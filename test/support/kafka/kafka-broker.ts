/**
 * A real Kafka broker for a test file: one process on free ports of the loopback, with data of its own.
 *
 *     format ─▶ start ─▶ its port takes connections ─▶ warm up ─▶ tests … stop, pause, start again ─▶ removed
 *
 * Warm is a broker whose coordinator of transactions has answered: the first questions to it only make its
 * topic, and are told to come again. Its own checks of old transactions run twice a second here, so that tests
 * of timeouts take seconds.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { withKafkaClient } from '../../../connectors/kafka/open-client.ts';
import {
  addressOf,
  type BrokerOptions,
  type BrokerPorts,
  propertiesOf,
  scramFlags,
} from './broker-config.ts';
import { installKafka, type KafkaInstall } from './install-kafka.ts';
import { clientOptions, kafkaEnv } from './kafka-clients.ts';

const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg';
const heap = ['-Xms256m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
/** Far above what it takes beside other work: 2 to 8 s. */
const startTimeoutMs = 300_000;
const pollMs = 50;

export class KafkaBroker {
  /** `host:port`, as clients take it. */
  readonly address: string;
  /** The same, where a user is asked for. */
  readonly saslAddress: string;
  /** The same, over TLS. */
  readonly tlsAddress: string;
  readonly #install: KafkaInstall;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(install: KafkaInstall, folder: string, options: BrokerOptions) {
    const { clients, users, tls } = options.ports;
    this.#install = install;
    this.#folder = folder;
    this.address = addressOf(clients);
    this.saslAddress = addressOf(users);
    this.tlsAddress = addressOf(tls);
    writeFileSync(this.#config, propertiesOf(join(folder, 'data'), options));
  }

  /**
   * Installs what is missing, and starts a broker; rejects with its log when it does not come up.
   * @param certificate - A file with key and certificates (PEM), for a door with TLS.
   */
  static async start(certificate?: string): Promise<KafkaBroker> {
    const ports = await freePorts();
    const broker = KafkaBroker.make({
      ...{ nodeId: 1, ports, voters: [`1@${addressOf(ports.controller)}`] },
      ...(certificate !== undefined && { certificate }),
    });
    await broker.resume();
    await broker.warmUp();
    return broker;
  }

  /** One of a cluster, which is not started yet. */
  static make(options: BrokerOptions): KafkaBroker {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
    const broker = new KafkaBroker(installKafka(), folder, options);
    broker.#format();
    return broker;
  }

  /** Asks its coordinator of transactions once. */
  async warmUp(): Promise<void> {
    await withKafkaClient(clientOptions(this.address), kafkaEnv, (client) =>
      client.transactions({ topic: 'none', transactionalId: 'warm-up', timeoutMs: 60_000 }),
    );
  }

  /** Starts the broker that was stopped or killed, on its data. */
  async resume(): Promise<void> {
    const { classPath, classArchive } = this.#install;
    const archive = existsSync(classArchive)
      ? [`-XX:SharedArchiveFile=${classArchive}`]
      : [`-XX:ArchiveClassesAtExit=${this.#newArchive}`];
    const log = openSync(this.#log, 'a');
    const level = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
    const args = [...heap, ...archive, level, '-cp', classPath, 'kafka.Kafka', this.#config];
    this.#process = spawn('java', args, { stdio: ['ignore', log, log] });
    closeSync(log);
    await this.#until(() => this.#isListening());
  }

  /** Ends it in peace: what it has is on disk. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    if (existsSync(this.#newArchive)) renameSync(this.#newArchive, this.#install.classArchive);
  }

  /** Ends it as a power cut does. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Adds partitions to a topic until it has so many. */
  async setPartitions(topic: string, count: number): Promise<void> {
    const admin = new kafkajs.Kafka({ brokers: [this.address] }).admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count }] });
    await admin.disconnect();
  }

  /** Sets one of its properties that may change while it runs. */
  async setProperty(name: string, value: string): Promise<void> {
    const admin = new kafkajs.Kafka({ brokers: [this.address] }).admin();
    await admin.connect();
    const broker = { type: kafkajs.ConfigResourceTypes.BROKER, name: '1' };
    const resources = [{ ...broker, configEntries: [{ name, value }] }];
    await admin.alterConfigs({ validateOnly: false, resources });
    await admin.disconnect();
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #config(): string {
    return join(this.#folder, 'server.properties');
  }

  get #log(): string {
    return join(this.#folder, 'broker.log');
  }

  get #newArchive(): string {
    return join(this.#folder, 'classes.jsa');
  }

  #format(): void {
    const tool = [
      'kafka.tools.StorageTool',
      'format',
      '-t',
      clusterId,
      '-c',
      this.#config,
      ...scramFlags,
    ];
    const small = ['-Xmx96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const args = [...small, '-cp', this.#install.classPath, ...tool];
    const { status, stdout, stderr } = spawnSync('java', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`Kafka's storage was not made:\n${stdout}${stderr}`);
  }

  async #until(isDone: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    while (!(await isDone())) {
      const hasEnded = this.#process === null || this.#process.exitCode !== null;
      if (hasEnded || performance.now() > deadline) {
        await this.#end('SIGKILL');
        throw new Error(`the broker did not come up:\n${readFileSync(this.#log, 'utf8')}`);
      }
      await pause(pollMs);
    }
  }

  #isListening(): Promise<boolean> {
    return new Promise((resolve) => {
      const port = Number(this.address.split(':')[1]);
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ending = this.#process;
    this.#process = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGCONT');
    ending.kill(signal);
    await ended;
  }
}

/** Ports that nobody listens on. */
export async function freePorts(): Promise<BrokerPorts> {
  const servers = [createServer(), createServer(), createServer(), createServer()];
  const listening = (server: Server) =>
    new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const [clients = 0, users = 0, tls = 0, controller = 0] = await Promise.all(
    servers.map(listening),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { clients, users, tls, controller };
}
