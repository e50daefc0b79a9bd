/**
 * The private authority of `millrace up`: certificates that only the processes and clients of one cluster have.
 *
 *     DATA/tls    authority.pem  authority.key          signs the others; ten years
 *                 coordinator.pem  coordinator.key      OU=coordinator: the role is in the subject
 *                 worker.pem  worker.key                a year; made anew when less than 30 days are left
 *                 client.pem  client.key                or when they are not for the host any more
 *
 * Keys can be read by this user only (0600, in a folder of 0700), and never leave their files.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { systemCodeOf } from '../../base/env/disk-error.ts';
import type { TlsFiles } from '../config/config.ts';
import { type Name, writeCertificate } from './certificate.ts';

export const tlsRoles = ['coordinator', 'worker', 'client'] as const;
export type TlsRole = (typeof tlsRoles)[number];

export interface AuthorityRequest {
  readonly folder: string;
  /** Names and addresses that processes are reached at. */
  readonly hosts: readonly string[];
  readonly nowMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;
const authorityMs = 3650 * dayMs;
const certificateMs = 365 * dayMs;
/** A certificate is made anew when it has less left. */
const leftMsMin = 30 * dayMs;
/** Clocks of hosts may differ. */
const earlierMs = dayMs;

/** Makes what is missing or has run out; the files by role. */
export function prepareAuthority(request: AuthorityRequest): Readonly<Record<TlsRole, TlsFiles>> {
  mkdirSync(request.folder, { recursive: true, mode: 0o700 });
  chmodSync(request.folder, 0o700);
  const authority = readIdentity(request, 'authority') ?? makeIdentity(request, 'authority', null);
  const files = tlsRoles.map((role) => {
    const old = readIdentity(request, role);
    if (old === null || !isSignedBy(old, authority) || !isFor(old, request.hosts)) {
      makeIdentity(request, role, authority);
    }
    return [role, filesOf(request.folder, role)] as const;
  });
  return Object.fromEntries(files) as Record<TlsRole, TlsFiles>;
}

interface Identity {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function filesOf(folder: string, role: TlsRole | 'authority'): TlsFiles {
  return {
    authority: join(folder, 'authority.pem'),
    certificate: join(folder, `${role}.pem`),
    key: join(folder, `${role}.key`),
  };
}

/** Null for one that is not there, does not fit together, or has run out. */
function readIdentity(
  { folder, nowMs }: AuthorityRequest,
  role: TlsRole | 'authority',
): Identity | null {
  const files = filesOf(folder, role);
  const [certificatePem, keyPem] = [readOrNull(files.certificate), readOrNull(files.key)];
  if (certificatePem === null || keyPem === null) return null;
  try {
    const certificate = new X509Certificate(certificatePem);
    const privateKey = createPrivateKey(keyPem);
    const isCurrent = certificate.validToDate.getTime() - nowMs >= leftMsMin;
    if (!isCurrent || !certificate.checkPrivateKey(privateKey)) return null;
    return { certificate, privateKey, publicKey: createPublicKey(privateKey) };
  } catch {
    return null; // Cut off while it was written, or another file: it is made anew.
  }
}

function isSignedBy({ certificate }: Identity, authority: Identity): boolean {
  return certificate.verify(authority.publicKey);
}

function isFor({ certificate }: Identity, hosts: readonly string[]): boolean {
  return hosts.every((host) => {
    return (
      (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
    );
  });
}

function makeIdentity(
  { folder, hosts, nowMs }: AuthorityRequest,
  role: TlsRole | 'authority',
  authority: Identity | null,
): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = writeCertificate({
    subject: nameOf(role),
    publicKey,
    issuer: nameOf('authority'),
    issuerPublicKey: authority?.publicKey ?? publicKey,
    issuerPrivateKey: authority?.privateKey ?? privateKey,
    serial: randomBytes(16),
    fromMs: nowMs - earlierMs,
    toMs: nowMs + (authority === null ? authorityMs : certificateMs),
    hosts: authority === null ? null : hosts,
  });
  const files = filesOf(folder, role);
  // The key first: a certificate that is there has its key.
  writePrivateFile(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  writePrivateFile(files.certificate, pem);
  return { certificate: new X509Certificate(pem), privateKey, publicKey };
}

function nameOf(role: TlsRole | 'authority'): Name {
  return { organization: 'Millrace', unit: role, common: `millrace ${role}` };
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all, and this user's alone from its first byte on. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
