/** What a broker of the tests is told: its properties, the port of each of its doors, and the users that it knows. */

export interface BrokerPorts {
  /** For clients, as they are. */
  readonly clients: number;
  /** For clients that sign in. */
  readonly users: number;
  /** For clients that sign in over TLS. */
  readonly tls: number;
  readonly controller: number;
}

export interface BrokerOptions {
  readonly nodeId: number;
  readonly ports: BrokerPorts;
  /** Controllers of all brokers of the cluster: `id@host:port`. */
  readonly voters: readonly string[];
  /** A file with key and certificates (PEM); without it there is no door with TLS. */
  readonly certificate?: string;
}

const host = '127.0.0.1';
const login = 'org.apache.kafka.common.security';

/** User and password, for PLAIN and for SCRAM. */
export const plainUser = { username: 'reader', password: 'secret' } as const;
export const scramUser = { username: 'writer', password: 'a long secret' } as const;

/** What the storage is made with, so that the user is there when the broker starts. */
export const scramFlags = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
  '--add-scram',
  `${mechanism}=[name=${scramUser.username},password=${scramUser.password}]`,
]);

export function addressOf(port: number): string {
  return `${host}:${port}`;
}

/** @param data - The folder of its records. */
export function propertiesOf(
  data: string,
  { nodeId, ports, voters, certificate }: BrokerOptions,
): string {
  const replicas = voters.length;
  const doors = [
    `PLAINTEXT://${addressOf(ports.clients)}`,
    `USERS://${addressOf(ports.users)}`,
    ...(certificate === undefined ? [] : [`SECURE://${addressOf(ports.tls)}`]),
  ].join(',');
  return `process.roles=broker,controller
node.id=${nodeId}
controller.quorum.voters=${voters.join(',')}
listeners=${doors},CONTROLLER://${addressOf(ports.controller)}
advertised.listeners=${doors}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,USERS:SASL_PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.users.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_${plainUser.username}="${plainUser.password}";
${scramLogins('users')}
${certificate === undefined ? '' : tlsProperties(certificate)}
log.dirs=${data}
auto.create.topics.enable=false
default.replication.factor=${replicas}
min.insync.replicas=${Math.max(1, replicas - 1)}
offsets.topic.replication.factor=${replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=${replicas}
transaction.state.log.min.isr=${Math.max(1, replicas - 1)}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=${replicas}
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
num.network.threads=2
num.io.threads=2
background.threads=2
log.retention.ms=-1
log.segment.bytes=268435456
log.cleaner.dedupe.buffer.size=4194304
`;
}

function tlsProperties(certificate: string): string {
  return `ssl.keystore.type=PEM
ssl.keystore.location=${certificate}
listener.name.secure.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_${plainUser.username}="${plainUser.password}";
${scramLogins('secure')}
`;
}

function scramLogins(door: string): string {
  return ['256', '512']
    .map(
      (bits) =>
        `listener.name.${door}.scram-sha-${bits}.sasl.jaas.config=${login}.scram.ScramLoginModule required;`,
    )
    .join('\n');
}
