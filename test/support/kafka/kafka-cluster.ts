/** Three brokers with replicas of everything on all of them, two of which have to be there for a write. */
import kafkajs from 'kafkajs';
import { addressOf } from './broker-config.ts';
import { freePorts, KafkaBroker } from './kafka-broker.ts';

const brokerCount = 3;

export class KafkaCluster {
  /** By the number of their node, from 1 on. */
  readonly brokers: readonly KafkaBroker[];

  private constructor(brokers: readonly KafkaBroker[]) {
    this.brokers = brokers;
  }

  static async start(): Promise<KafkaCluster> {
    const ports = [];
    for (let node = 1; node <= brokerCount; node++) ports.push(await freePorts());
    const voters = ports.map(({ controller }, index) => `${index + 1}@${addressOf(controller)}`);
    const brokers = ports.map((own, index) => {
      return KafkaBroker.make({ nodeId: index + 1, ports: own, voters });
    });
    await Promise.all(brokers.map((broker) => broker.resume()));
    await brokers[0]?.warmUp();
    return new KafkaCluster(brokers);
  }

  /** Of all brokers, as clients take it. */
  get address(): string {
    return this.brokers.map(({ address }) => address).join(',');
  }

  broker(node: number): KafkaBroker {
    const broker = this.brokers[node - 1];
    if (broker === undefined) throw new Error(`there is no node ${node}`);
    return broker;
  }

  /** Whether all replicas of a topic are in step with their leaders. */
  async inStep(topic: string): Promise<boolean> {
    const brokers = this.brokers.map(({ address }) => address);
    const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics.flatMap((one) => one.partitions);
      return partitions.every(({ isr, replicas }) => isr.length === replicas.length);
    } finally {
      await admin.disconnect();
    }
  }

  async remove(): Promise<void> {
    // Beside each other: who is the last one of them waits for a quorum that is gone.
    await Promise.all(this.brokers.map((broker) => broker.remove()));
  }
}
