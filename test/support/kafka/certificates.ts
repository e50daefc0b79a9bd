/**
 * Certificates for the brokers of a test, made by openssl: an authority, a broker of it for 127.0.0.1, and an authority that
 * has nothing to do with either.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** The authority of the broker. */
  readonly caFile: string;
  readonly otherCaFile: string;
  /** Key and certificates of the broker, in one file. */
  readonly brokerFile: string;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-certificates-'));
  const at = (name: string) => join(folder, name);
  for (const name of ['ca', 'other']) {
    openssl([
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
    ]);
  }
  openssl([
    ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=broker'],
    ...['-keyout', at('broker.key'), '-out', at('broker.csr')],
  ]);
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
  openssl([
    ...['x509', '-req', '-in', at('broker.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
    ...['-CAcreateserial', '-days', '2', '-extfile', at('names'), '-out', at('broker.pem')],
  ]);
  const chain = ['broker.key', 'broker.pem', 'ca.pem'].map((name) => readFileSync(at(name)));
  writeFileSync(at('all.pem'), Buffer.concat(chain));
  return {
    ...{ caFile: at('ca.pem'), otherCaFile: at('other.pem'), brokerFile: at('all.pem') },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function openssl(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`the tests of Kafka with TLS need openssl: ${error?.message ?? stderr}`);
}
