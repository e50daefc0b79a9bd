/**
 * Kafka's error numbers as typed errors, whichever client met them: what is the user's to mend, what comes right
 * by itself (`retryable`: the same call may be made again), and what fences this producer for good.
 *
 * @see https://kafka.apache.org/protocol#protocol_error_codes
 */
import type { ErrorCode } from '../../base/error-codes.ts';
import { codeOf, TypedError, typedError } from '../../base/typed-error.ts';

/** Numbers that the connector itself tells apart. */
export const kafkaCodes = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopic: 3,
  notLeader: 6,
  duplicateSequence: 46,
  unknownTransactionalId: 105,
} as const;

interface Meaning {
  readonly name: string;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable?: true;
}

const wait = 'It was tried again until the deadline. Look at the brokers: are all of them up?';
const grant = 'Give the user the right with "kafka-acls.sh", or connect as another one.';

const meanings: Readonly<Record<number, Meaning>> = {
  1: {
    name: 'offset out of range',
    code: 'KAFKA_OFFSET_OUT_OF_RANGE',
    hint:
      'The records were deleted (retention), or the topic was made anew. Start from "earliest" or "latest", and keep ' +
      'records for longer than a job may be down.',
  },
  3: {
    name: 'unknown topic or partition',
    code: 'KAFKA_TOPIC_NOT_FOUND',
    hint: 'Look at its name, or make it: kafka-topics.sh --create --topic NAME --partitions N.',
  },
  10: {
    name: 'message too large',
    code: 'KAFKA_REFUSED',
    hint: 'Raise "max.message.bytes" of the topic, or give the sink a smaller "batchBytesMax".',
  },
  17: {
    name: 'invalid topic',
    code: 'KAFKA_TOPIC_NOT_FOUND',
    hint: 'Names of topics have letters, digits, ".", "_" and "-", up to 249 of them.',
  },
  29: { name: 'not authorized for the topic', code: 'KAFKA_NOT_AUTHORIZED', hint: grant },
  31: { name: 'not authorized for the cluster', code: 'KAFKA_NOT_AUTHORIZED', hint: grant },
  33: {
    name: 'unsupported SASL mechanism',
    code: 'KAFKA_AUTHENTICATION',
    hint: 'Give one that the broker has: "sasl.enabled.mechanisms" in its properties.',
  },
  36: { name: 'topic exists', code: 'KAFKA_TOPIC_EXISTS', hint: 'Choose another name for it.' },
  50: {
    name: 'invalid transaction timeout',
    code: 'KAFKA_REFUSED',
    hint: 'Give a "transactionTimeoutMs" up to the brokers\' "transaction.max.timeout.ms" (15 minutes by default).',
  },
  53: {
    name: 'not authorized for the transactional id',
    code: 'KAFKA_NOT_AUTHORIZED',
    hint: grant,
  },
  58: {
    name: 'authentication failed',
    code: 'KAFKA_AUTHENTICATION',
    hint: 'Look at user, password and mechanism.',
  },
  ...named(
    'KAFKA_FENCED',
    'Another producer has taken over the transactional id: it is the one that counts.',
    {
      45: 'out of order sequence',
      47: 'invalid producer epoch',
      48: 'invalid transaction state',
      49: 'invalid producer id mapping',
      52: 'transaction coordinator fenced',
      59: 'unknown producer id',
      90: 'producer fenced',
      105: 'transactional id not found',
    },
  ),
  ...named(
    'KAFKA_REFUSED',
    wait,
    {
      2: 'corrupt message',
      5: 'leader not available',
      6: 'not leader or follower',
      7: 'request timed out',
      8: 'broker not available',
      9: 'replica not available',
      13: 'network exception',
      14: 'coordinator is loading',
      15: 'coordinator not available',
      16: 'not the coordinator',
      19: 'not enough replicas',
      20: 'not enough replicas after append',
      41: 'not the controller',
      51: 'concurrent transactions',
      56: 'storage error',
      74: 'fenced leader epoch',
      75: 'unknown leader epoch',
      78: 'offset not available',
      120: 'transaction abortable',
    },
    true,
  ),
};

function named(
  code: ErrorCode,
  hint: string,
  names: Readonly<Record<number, string>>,
  isRetryable = false,
): Record<number, Meaning> {
  return Object.fromEntries(
    Object.entries(names).map(([number, name]) => [
      number,
      { name, code, hint, ...(isRetryable && { retryable: true as const }) },
    ]),
  );
}

/** @param what - Where it was met: `topic "bids", partition 3`. */
export function kafkaError(number: number, what: string, cause?: unknown): TypedError {
  const meaning = meanings[number];
  const {
    code,
    hint,
    retryable = false,
  } = meaning ?? {
    code: 'KAFKA_REFUSED' as const,
    hint: 'The log of the broker has more.',
  };
  const name = meaning?.name ?? 'an error that this version does not know';
  return typedError(code, `${what}: Kafka answers "${name}" (${number})`, {
    hint,
    retryable,
    details: { kafkaCode: number },
    cause,
  });
}

/** Of a partition that is known to be there: a broker that does not know it is not the one to ask. */
export function movedNumber(number: number): number {
  return number === kafkaCodes.unknownTopic ? kafkaCodes.notLeader : number;
}

export function unreachableError(brokers: string, cause: unknown): TypedError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return typedError('KAFKA_UNREACHABLE', `no answer from Kafka at ${brokers}${why}`, {
    hint:
      'Look at the addresses: a broker must be up, and its "advertised.listeners" must name an address that is ' +
      'reachable from here. Where the listener wants TLS, give tls: true.',
    retryable: true,
    cause,
  });
}

export function authenticationError(brokers: string, cause: unknown): TypedError {
  return typedError('KAFKA_AUTHENTICATION', `Kafka at ${brokers} refuses the user`, {
    hint: 'Look at user, password and mechanism of "sasl", and at what "passwordEnv" or "passwordFile" names.',
    cause,
  });
}

/** What Node says of a certificate that it does not trust, or of a listener that speaks no TLS. */
export function isTlsCode(code: unknown): boolean {
  return /CERT|^ERR_(TLS|SSL)|^UNABLE_TO_|ISSUER|SELF_SIGNED|^HOSTNAME_MISMATCH/.test(String(code));
}

export function tlsError(brokers: string, cause: unknown): TypedError {
  const inner = innermostOf(cause);
  return typedError('KAFKA_TLS', `no trust in Kafka at ${brokers}: ${inner}`, {
    hint:
      'Look at the certificate of the listener: "caFile" of "tls" must name the authority that it is of, and it must be ' +
      'for the address that is connected to. A listener without TLS wants no "tls".',
    cause,
  });
}

/** The message that all others are around. */
function innermostOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errors } = error as { readonly errors?: readonly unknown[] };
  const inside = error.cause ?? errors?.[0];
  return inside === undefined ? error.message : innermostOf(inside);
}

export function clientCannotError(client: string, what: string): TypedError {
  return typedError('KAFKA_CLIENT_CANNOT', `the client "${client}" can't ${what}`, {
    hint: 'Leave out "client": the default one can.',
  });
}

/** Kafka's own number in a typed error, null where it came from elsewhere. */
export function kafkaCodeOf(error: unknown): number | null {
  const number = error instanceof TypedError ? error.info.details?.kafkaCode : undefined;
  return typeof number === 'number' ? number : null;
}

/** Whether the same call may be made again without harm. */
export function isRetryable(error: unknown): boolean {
  return codeOf(error) !== null && (error as TypedError).info.retryable;
}
