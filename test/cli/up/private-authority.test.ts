/** Goal: certificates that OpenSSL takes, with the role in the subject, in files of this user alone, made anew when they run out. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareAuthority, tlsRoles } from '../../../cli/up/private-authority.ts';
import { contentsOf, tempFolder } from '../../support/temp-folder.ts';

const nowMs = Date.UTC(2026, 10, 28);
const dayMs = 24 * 60 * 60 * 1000;
const hosts = ['localhost', '127.0.0.1', '::1', 'fe80::1:0:ab', 'worker-1.example'];

function prepared(more: { hosts?: string[]; nowMs?: number; folder?: string } = {}) {
  const folder = more.folder ?? join(tempFolder(), 'tls');
  return { folder, files: prepareAuthority({ hosts, nowMs, ...more, folder }) };
}

const certificateAt = (path: string) => new X509Certificate(readFileSync(path));

test('each role has a certificate with its role, for all hosts, that the authority has signed', () => {
  const { files, folder } = prepared();
  const authority = certificateAt(join(folder, 'authority.pem'));
  expect([authority.ca, authority.checkIssued(authority)]).toEqual([true, true]);
  const serials = tlsRoles.map((role) => {
    const certificate = certificateAt(files[role].certificate);
    expect(certificate.subject).toBe(`O=Millrace\nOU=${role}\nCN=millrace ${role}`);
    expect([certificate.ca, certificate.checkIssued(authority)]).toEqual([false, true]);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkHost('worker-1.example')).toBe('worker-1.example');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.checkIP('fe80::1:0:ab')).toBe('fe80::1:0:ab');
    expect(certificate.checkHost('elsewhere.example')).toBeUndefined();
    expect(certificate.validToDate.getTime()).toBe(nowMs + 365 * dayMs);
    return certificate.serialNumber;
  });
  expect(new Set(serials).size).toBe(3);
});

test('OpenSSL reads them, strictly', () => {
  const { files, folder } = prepared();
  const authority = join(folder, 'authority.pem');
  for (const role of tlsRoles) {
    const at = String(nowMs / 1000);
    const flags = ['-x509_strict', '-purpose', 'sslserver', '-attime', at, '-CAfile', authority];
    const said = execFileSync('openssl', ['verify', ...flags, files[role].certificate], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/: OK\n$/);
  }
  // Of 2050 and later, times have another form.
  expect(
    certificateAt(prepared({ nowMs: Date.UTC(2049, 11, 1) }).files.client.certificate),
  ).toMatchObject({
    validFrom: 'Nov 30 00:00:00 2049 GMT',
    validTo: 'Dec  1 00:00:00 2050 GMT',
  });
});

test('files are for this user alone', () => {
  const { folder } = prepared();
  const modes = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
  expect(modes).toEqual(Array(8).fill(0o600));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test.each`
  what                            | more                                 | anew
  ${'nothing has changed'}        | ${{}}                                | ${[]}
  ${'fewer hosts are asked for'}  | ${{ hosts: ['localhost'] }}          | ${[]}
  ${'another host is asked for'}  | ${{ hosts: [...hosts, '10.0.0.1'] }} | ${tlsRoles}
  ${'30 days are left'}           | ${{ nowMs: nowMs + 335 * dayMs }}    | ${[]}
  ${'less than 30 days are left'} | ${{ nowMs: nowMs + 336 * dayMs }}    | ${tlsRoles}
  ${'the authority has run out'}  | ${{ nowMs: nowMs + 3650 * dayMs }}   | ${['authority', ...tlsRoles]}
`('prepared again when $what, these are new: $anew', ({ more, anew }) => {
  const { folder } = prepared();
  const before = contentsOf(folder);
  const { files } = prepared({ folder, ...more });
  const after = contentsOf(folder);
  const names = [...anew].flatMap((role: string) => [`${role}.key`, `${role}.pem`]);
  const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
  expect(changed.sort()).toEqual(names.sort());
  const authority = certificateAt(join(folder, 'authority.pem'));
  for (const role of tlsRoles) {
    expect(certificateAt(files[role].certificate).verify(authority.publicKey)).toBe(true);
  }
});

test.each(['worker.pem', 'worker.key'])('%s that was cut off is made anew', (name) => {
  const { folder, files } = prepared();
  truncateSync(join(folder, name), 100);
  prepared({ folder });
  const key = readFileSync(files.worker.key, 'utf8');
  expect(key).toMatch(/END PRIVATE KEY-----\n$/);
  expect(certificateAt(files.worker.certificate).subject).toContain('OU=worker');
});
