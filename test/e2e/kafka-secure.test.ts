/**
 * Goal: a listener with TLS and SCRAM is reached by jobs and by both clients, with the password from the environment or a
 * file; a wrong password or authority is told apart and said, and no password shows in anything that a job leaves.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { expectFailure, runCli, summaryOf } from '../support/cli-process.ts';
import { plainUser, scramUser } from '../support/kafka/broker-config.ts';
import { type Certificates, makeCertificates } from '../support/kafka/certificates.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import { recordsIn, testClient, textBatch, valueText } from '../support/kafka/kafka-clients.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

let certificates: Certificates;
let broker: KafkaBroker;
beforeAll(async () => {
  certificates = makeCertificates();
  broker = await KafkaBroker.start(certificates.brokerFile);
}, 900_000);
afterAll(async () => {
  await broker?.remove();
  certificates?.remove();
});

const passwordFile = (password: string) =>
  join(tempFolder({ password: `${password}\n` }), 'password');

test.each([
  ['platformatic', 'scram-sha-256'],
  ['platformatic', 'scram-sha-512'],
  ['platformatic', 'plain'],
  ['kafkajs', 'scram-sha-256'],
  ['kafkajs', 'scram-sha-512'],
  ['kafkajs', 'plain'],
] as const)(
  '%s signs in by %s over TLS, and is refused with a wrong password',
  async (client, mechanism) => {
    const { username, password } = mechanism === 'plain' ? plainUser : scramUser;
    const settings = (given: string) => ({
      ...{ client, callTimeoutMs: 10_000, tls: { caFile: certificates.caFile } },
      sasl: { mechanism, username, passwordFile: passwordFile(given) },
    });
    const known = await testClient(broker.tlsAddress, settings(password));
    const topic = `${client}-${mechanism}`;
    await known.createTopic(topic, { partitionCount: 1 });
    const producer = await known.producer(topic);
    await producer.send([textBatch(0, ['kept safe'])]);
    const [record] = await recordsIn(await testClient(broker.address), topic);
    expect(record && valueText(record)).toBe('kept safe');
    const other = await testClient(broker.tlsAddress, settings('guessed'));
    const refusal = await other.partitionsOf(topic).then(() => null, String);
    expect(refusal).toMatch(/^KAFKA_AUTHENTICATION: Kafka at 127.0.0.1:\d+ refuses the user/);
    expect(refusal).not.toContain('guessed');
  },
);

test.each(['platformatic', 'kafkajs'] as const)(
  '%s trusts no other authority, and none but its own',
  async (client) => {
    const sasl = { username: scramUser.username, passwordFile: passwordFile(scramUser.password) };
    const codeWith = async (tls: boolean | { readonly caFile: string }, address: string) => {
      const own = await testClient(address, { client, callTimeoutMs: 3_000, tls, sasl });
      return own.partitionsOf('nowhere').then(() => 'answered', codeOf);
    };
    const { caFile, otherCaFile } = certificates;
    expect(await codeWith({ caFile }, broker.tlsAddress)).toBe('KAFKA_TOPIC_NOT_FOUND');
    expect(await codeWith({ caFile: otherCaFile }, broker.tlsAddress)).toBe('KAFKA_TLS');
    expect(await codeWith(true, broker.tlsAddress)).toBe('KAFKA_TLS');
    expect(await codeWith(false, broker.tlsAddress)).toBe('KAFKA_UNREACHABLE');
  },
);

/** Reads and writes over TLS, exactly once. */
const jobText = `
import { defineJob, t } from 'millrace';
import { kafka, text } from 'millrace/kafka';
export default defineJob({
  name: 'secure',
  params: { brokers: t.utf8(), ca: t.utf8(), to: t.utf8() },
  build: ({ read, params: { brokers, ca, to } }) => {
    const connection = {
      brokers, tls: { caFile: ca }, callTimeoutMs: 10_000,
      sasl: { username: '${scramUser.username}', passwordEnv: 'KAFKA_PASSWORD' },
    };
    return read(kafka.source({ ...connection, topic: 'secure-in', format: text(), until: 'end' }))
      .writeTo(kafka.sink({ ...connection, topic: to, value: 'value', delivery: 'exactly-once' }));
  },
});
`;

async function runJob(env: Record<string, string>, to: string, ca = certificates.caFile) {
  const folder = tempFolder({ 'job.ts': jobText });
  const flags = ['--brokers', broker.tlsAddress, '--ca', ca, '--to', to];
  const args = ['job.ts', ...flags, '--json', '--checkpoint-dir', 'chk'];
  const result = await runCli(['run', ...args], { cwd: folder, env });
  const explained = await runCli(['explain', 'job.ts', ...flags, '--json'], { cwd: folder, env });
  const said = [result, explained].flatMap(({ stdout, stderr }) => [stdout, stderr]);
  return { result, left: [...said, ...Object.values(contentsOf(folder))].join('\n') };
}

test('a job reads and writes over TLS, and its password shows nowhere', async () => {
  const client = await testClient(broker.address);
  await client.createTopic('secure-in', { partitionCount: 2 });
  await client.createTopic('secure-out', { partitionCount: 1 });
  const producer = await client.producer('secure-in');
  await producer.send([textBatch(0, ['a', 'b']), textBatch(1, ['c'])]);
  const { result, left } = await runJob({ KAFKA_PASSWORD: scramUser.password }, 'secure-out');
  summaryOf(result);
  const records = await recordsIn(client, 'secure-out', 0, 'committed');
  expect(records.map(valueText).sort()).toEqual(['a', 'b', 'c']);
  expect(left).not.toContain(scramUser.password);
  expect(left).not.toContain(Buffer.from(scramUser.password).toString('base64'));
});

test('a job says what is wrong with its password or its authority, and not what the password is', async () => {
  const wrong = await runJob({ KAFKA_PASSWORD: 'guessed wrongly' }, 'secure-out');
  expectFailure(wrong.result, {
    code: 'KAFKA_AUTHENTICATION',
    exitCode: 1,
    says: /refuses the user/,
  });
  expect(wrong.left).not.toContain('guessed wrongly');
  const missing = await runJob({}, 'secure-out');
  const says = /the variable "KAFKA_PASSWORD" with the password for kafka is not set/;
  expectFailure(missing.result, { code: 'KAFKA_OPTION_INVALID', exitCode: 1, says });
  const strange = await runJob(
    { KAFKA_PASSWORD: scramUser.password },
    'secure-out',
    certificates.otherCaFile,
  );
  expectFailure(strange.result, { code: 'KAFKA_TLS', exitCode: 1, says: /certificate/ });
  expect(strange.left).not.toContain(scramUser.password);
});
