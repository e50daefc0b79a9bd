/**
 * What a connection is opened with: the options of a plan, with what they only name: passwords and certificates. They are read
 * by each process that connects, at the moment it does, and are in no plan, checkpoint, message or log.
 *
 * Before: connectors/kafka/connection-options.ts. After: connectors/kafka/open-client.ts.
 */
import { fileText, variableText } from '../../base/env/named-text.ts';
import {
  type KafkaConnectionOptions,
  optionError,
  type SaslMechanism,
} from './connection-options.ts';

export interface KafkaConnection extends Pick<KafkaConnectionOptions, 'brokers' | 'callTimeoutMs'> {
  /** Certificates and a key, as text (PEM). */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
  readonly sasl: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: string;
  } | null;
}

/** @throws KAFKA_OPTION_INVALID where a variable or a file that is named is not there. */
export async function connectionOf(options: KafkaConnectionOptions): Promise<KafkaConnection> {
  const { brokers, callTimeoutMs } = options;
  const [tls, sasl] = await Promise.all([tlsOf(options.tls), userOf(options.sasl)]);
  return { brokers, callTimeoutMs, tls, sasl };
}

async function tlsOf(tls: KafkaConnectionOptions['tls']): Promise<KafkaConnection['tls']> {
  if (tls === null) return null;
  const read = (option: string, path: string | null) =>
    path === null ? undefined : textOf(`${option} of kafka`, path);
  const [ca, cert, key] = await Promise.all([
    read('caFile', tls.caFile),
    read('certFile', tls.certFile),
    read('keyFile', tls.keyFile),
  ]);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

async function userOf(sasl: KafkaConnectionOptions['sasl']): Promise<KafkaConnection['sasl']> {
  if (sasl === null) return null;
  const { mechanism, username, password } = sasl;
  const { from, name } = password;
  const found = from === 'env' ? variableText(name) : await textOf('passwordFile of kafka', name);
  if (found === undefined || found === '') {
    throw optionError(
      from === 'env'
        ? `the variable "${name}" with the password for kafka is not set`
        : `passwordFile of kafka: "${name}" is empty`,
      'Set it where the job is started; every process that runs tasks needs it.',
    );
  }
  return { mechanism, username, password: found.replace(/\r?\n$/, '') };
}

async function textOf(what: string, path: string): Promise<string> {
  try {
    return await fileText(path);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    throw optionError(
      `${what}: "${path}" can't be read${why}`,
      'Give the path of a file that every process that runs tasks can read.',
    );
  }
}
