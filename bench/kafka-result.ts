/** What the Kafka bench has measured. */

export type KafkaQuestion = 'source' | 'sink' | 'counts';

export interface KafkaMeasure {
  readonly cpuSeconds: number;
  readonly seconds: number;
}

export interface KafkaResult {
  readonly question: KafkaQuestion;
  readonly contestant: string;
  readonly recordCount: number;
  readonly measured: KafkaMeasure[];
}
