/** A Kafka broker for the bench, with the jars that Maven has fetched for the peers, on free ports and data of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { outputPath } from './bench-cache.ts';
import { mavenClassPath } from './prepare-maven.ts';

const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg';
const startTimeoutMs = 300_000;

export interface KafkaService {
  /** `host:port` */
  readonly address: string;
  /** Ends it, and removes its data. */
  stop(): Promise<void>;
}

export async function startKafka(): Promise<KafkaService> {
  const folder = outputPath('kafka-broker');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [clients, controller] = [await freePort(), await freePort()];
  const config = join(folder, 'server.properties');
  writeFileSync(config, propertiesOf(join(folder, 'data'), clients, controller));
  const classPath = ['-cp', mavenClassPath('kafka')];
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config];
  const made = spawnSync('java', [...classPath, ...tool], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`Kafka's storage was not made: ${made.stderr}`);
  const log = openSync(join(folder, 'broker.log'), 'a');
  const level = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
  const args = ['-Xms512m', '-Xmx512m', level, ...classPath, 'kafka.Kafka', config];
  const broker = spawn('java', args, { stdio: ['ignore', log, log] });
  const address = `127.0.0.1:${clients}`;
  await listening(broker, clients, join(folder, 'broker.log'));
  return {
    address,
    stop: async () => {
      const ended = new Promise((resolve) => broker.once('exit', resolve));
      if (broker.kill('SIGTERM')) await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listening(broker: ChildProcess, port: number, log: string): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await answers(port))) {
    if (broker.exitCode !== null || performance.now() > deadline) {
      broker.kill('SIGKILL');
      throw new Error(`the broker did not come up: see ${log}`);
    }
    await pause(100);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function propertiesOf(data: string, clients: number, controller: number): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${clients},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${clients}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
background.threads=2
log.retention.ms=-1
log.cleaner.dedupe.buffer.size=4194304
`;
}
