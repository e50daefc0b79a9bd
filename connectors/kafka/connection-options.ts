/** How Kafka is reached, as a plan carries it, and the options of a user that become it. */
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';

/** What every source and sink of Kafka takes. */
export interface KafkaConnectionSettings {
  /** `host:port`, or several of them, with commas or as an array; one that answers is enough. */
  readonly brokers: string | readonly string[];
  /** Whether connections are encrypted; `true`: with the authorities that Node trusts. @defaultValue false */
  readonly tls?: boolean | KafkaTlsSettings;
  /** A user, where the listener asks for one. @defaultValue none */
  readonly sasl?: KafkaUserSettings;
  /** How long any question to Kafka may take, with all its retries, in milliseconds from 100 on. @defaultValue 30_000 */
  readonly callTimeoutMs?: number;
  /** The package behind it. `kafkajs` can't read, and has no exactly-once sink. @defaultValue `platformatic` */
  readonly client?: 'platformatic' | 'kafkajs';
}

/** Files of certificates (PEM), which each process reads where it connects. */
export interface KafkaTlsSettings {
  /** Authorities to trust in place of those that Node trusts. @defaultValue those */
  readonly caFile?: string;
  /** A certificate of one's own and its key, for brokers that ask for one. @defaultValue none */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/**
 * A user. The password is never in a job or a plan, which are shown and kept: one says where each process finds it, a
 * variable of the environment or a file (a line break at its end does not count).
 */
export interface KafkaUserSettings {
  /** @defaultValue `scram-sha-512` */
  readonly mechanism?: SaslMechanism;
  readonly username: string;
  readonly passwordEnv?: string;
  readonly passwordFile?: string;
}

export type SaslMechanism = (typeof saslMechanisms)[number];
const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

/** The same, checked. A type alias, since only those are assignable to `Json`. */
export type KafkaConnectionOptions = {
  readonly brokers: readonly string[];
  readonly tls: {
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
  } | null;
  readonly sasl: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: { readonly from: 'env' | 'file'; readonly name: string };
  } | null;
  readonly callTimeoutMs: number;
  readonly client: 'platformatic' | 'kafkajs';
};

const callTimeoutMsDefault = 30_000;
const callTimeoutMsMin = 100;

/** @throws KAFKA_OPTION_INVALID */
export function connectionOptionsOf(settings: KafkaConnectionSettings): KafkaConnectionOptions {
  const { tls = false, sasl, callTimeoutMs = callTimeoutMsDefault } = settings;
  if (!Number.isSafeInteger(callTimeoutMs) || callTimeoutMs < callTimeoutMsMin) {
    throw optionError(
      `callTimeoutMs of kafka can't be ${callTimeoutMs}`,
      `Give whole milliseconds from ${callTimeoutMsMin} on.`,
    );
  }
  return {
    brokers: brokersOf(settings.brokers),
    tls: tlsOf(tls),
    sasl: sasl === undefined ? null : userOf(sasl),
    callTimeoutMs,
    client: kafkaChoice('client', settings.client ?? 'platformatic', ['platformatic', 'kafkajs']),
  };
}

function tlsOf(tls: boolean | KafkaTlsSettings): KafkaConnectionOptions['tls'] {
  if (tls === false) return null;
  const { caFile = null, certFile = null, keyFile = null } = tls === true ? {} : tls;
  if ((certFile === null) !== (keyFile === null)) {
    throw optionError(
      'tls of kafka has a certificate without its key, or a key without its certificate',
      'Give both: tls: { certFile: "me.pem", keyFile: "me.key" }.',
    );
  }
  return { caFile, certFile, keyFile };
}

function userOf(user: KafkaUserSettings): KafkaConnectionOptions['sasl'] {
  const { username, passwordEnv, passwordFile } = user;
  const places = [
    { from: 'env' as const, name: passwordEnv },
    { from: 'file' as const, name: passwordFile },
  ].flatMap(({ from, name }) => (name === undefined || name === '' ? [] : [{ from, name }]));
  const [password] = places;
  if (password === undefined || places.length > 1 || 'password' in user) {
    throw optionError(
      'sasl of kafka needs one place where the password is',
      'Give passwordEnv, the name of a variable of the environment, or passwordFile; a password in a job would be shown with it.',
    );
  }
  if (typeof username !== 'string' || username === '') {
    throw optionError('sasl of kafka needs a username', 'Give it: sasl: { username: "me", … }.');
  }
  const mechanism = kafkaChoice('mechanism', user.mechanism ?? 'scram-sha-512', saslMechanisms);
  return { mechanism, username, password };
}

export function optionError(message: string, hint: string): Error {
  return typedError('KAFKA_OPTION_INVALID', message, { hint });
}

/** @throws KAFKA_OPTION_INVALID when the value is none of the choices. */
export function kafkaChoice<T extends string>(
  option: string,
  given: string,
  choices: readonly T[],
): T {
  const choice = choices.find((one) => one === given);
  if (choice !== undefined) return choice;
  const nearest = nearestName(String(given), choices);
  const meant = nearest === null ? '' : ` Did you mean "${nearest}"?`;
  const all = choices.map((one) => `"${one}"`).join(', ');
  throw optionError(`${option} of kafka can't be "${given}"`, `Choose one of ${all}.${meant}`);
}

/** @throws KAFKA_OPTION_INVALID */
export function topicOf(topic: unknown): string {
  if (typeof topic === 'string' && topic !== '') return topic;
  throw optionError(
    'kafka needs a topic',
    'Give its name: kafka.source({ brokers, topic: "bids", … }).',
  );
}

function brokersOf(given: string | readonly string[]): readonly string[] {
  const all = (typeof given === 'string' ? given.split(',') : [...(given ?? [])])
    .map((broker) => String(broker).trim())
    .filter((broker) => broker !== '');
  const wrong = all.find((broker) => !/^[^\s:]+:\d{1,5}$|^\[[\da-fA-F:]+\]:\d{1,5}$/.test(broker));
  if (all.length > 0 && wrong === undefined) return all;
  const what = wrong === undefined ? 'kafka needs brokers' : `kafka has no broker at "${wrong}"`;
  throw optionError(what, 'Give host and port: brokers: "127.0.0.1:9092", several with commas.');
}
