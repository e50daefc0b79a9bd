/** Goal: what is wrong with a certificate or key file is said with the file, before anything is connected. */
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTlsCertificates } from '../../../base/env/tls-certificates.ts';
import { TypedError } from '../../../base/typed-error.ts';
import { prepareAuthority } from '../../../cli/up/private-authority.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const madeAtMs = Date.UTC(2026, 10, 28);
const dayMs = 24 * 60 * 60 * 1000;

function prepared() {
  const folder = join(tempFolder(), 'tls');
  const { worker } = prepareAuthority({ folder, hosts: ['localhost'], nowMs: madeAtMs });
  return { folder, files: worker };
}

test('files that are right are read as they are', () => {
  const { files } = prepared();
  const { authority, certificate, key } = readTlsCertificates(files, madeAtMs);
  expect([authority, certificate]).toEqual([
    expect.stringMatching(/^-----BEGIN CERTIFICATE-----/),
    expect.stringMatching(/^-----BEGIN CERTIFICATE-----/),
  ]);
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
});

const remove = (path: string) => rmSync(path);
const garble = (path: string) => writeFileSync(path, 'hello');
const asFolder = (path: string) => {
  rmSync(path);
  mkdirSync(path);
};
const damaged = (path: string) =>
  writeFileSync(path, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
const withPassword = (path: string) => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'a' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(path, privateKey);
};
const ofClient = (name: string) => (path: string) => copyFileSync(join(path, '..', name), path);
const ofStranger = (path: string) => copyFileSync(join(prepared().folder, 'authority.pem'), path);

test.each`
  file             | change                    | code                 | says
  ${'authority'}   | ${remove}                 | ${'TLS_FILE'}        | ${'authority.pem" can not be read: ENOENT'}
  ${'certificate'} | ${remove}                 | ${'TLS_FILE'}        | ${'worker.pem" can not be read: ENOENT'}
  ${'key'}         | ${remove}                 | ${'TLS_FILE'}        | ${'worker.key" can not be read: ENOENT'}
  ${'key'}         | ${asFolder}               | ${'TLS_FILE'}        | ${'worker.key" can not be read: EISDIR'}
  ${'authority'}   | ${garble}                 | ${'TLS_FILE'}        | ${'authority.pem" has no certificate in PEM'}
  ${'certificate'} | ${damaged}                | ${'TLS_FILE'}        | ${'worker.pem" has a certificate that is damaged'}
  ${'key'}         | ${garble}                 | ${'TLS_FILE'}        | ${'worker.key" has no private key in PEM'}
  ${'key'}         | ${withPassword}           | ${'TLS_FILE'}        | ${'worker.key" has a key with a password'}
  ${'key'}         | ${ofClient('client.key')} | ${'TLS_CERTIFICATE'} | ${'worker.key" is not the key of "'}
  ${'authority'}   | ${ofStranger}             | ${'TLS_CERTIFICATE'} | ${'worker.pem" was not signed by "'}
`('$file: $says', ({ file, change, code, says }) => {
  const { files } = prepared();
  change(files[file as keyof typeof files]);
  const read = () => readTlsCertificates(files, madeAtMs);
  expect(read).toThrow(TypedError);
  expect(read).toThrow(says);
  expect(read).toThrow(expect.objectContaining({ name: code }));
});

test.each`
  nowMs                      | says
  ${madeAtMs + 364 * dayMs}  | ${null}
  ${madeAtMs + 366 * dayMs}  | ${'worker.pem" ran out at 2027-11-28 00:00:00 UTC'}
  ${madeAtMs - 2 * dayMs}    | ${'authority.pem" is not valid before 2026-11-27 00:00:00 UTC'}
  ${madeAtMs + 3651 * dayMs} | ${'authority.pem" ran out at 2036-11-25 00:00:00 UTC'}
`('at $nowMs: $says', ({ nowMs, says }) => {
  const { files } = prepared();
  const read = () => readTlsCertificates(files, nowMs);
  if (says === null) expect(read().key).not.toBe('');
  else expect(read).toThrow(says);
});

test('one authority of several, and certificates in between, are enough', () => {
  const [ours, others] = [prepared(), prepared()];
  const bundle = join(ours.folder, 'bundle.pem');
  const text = [others, ours].map(({ files }) => readTlsCertificates(files, madeAtMs).authority);
  writeFileSync(bundle, text.join(''));
  expect(readTlsCertificates({ ...ours.files, authority: bundle }, madeAtMs).authority).toBe(
    text.join(''),
  );
});
