/** Real certificates of a private authority, made for one test. */
import { join } from 'node:path';
import { readTlsCertificates, type TlsCertificates } from '../../base/env/tls-certificates.ts';
import { prepareAuthority, type TlsRole } from '../../cli/up/private-authority.ts';
import { tempFolder } from './temp-folder.ts';

export interface CertificatesOptions {
  /** Names and addresses they are for. @defaultValue this host's */
  readonly hosts?: readonly string[];
  /** When they are made. @defaultValue now */
  readonly nowMs?: number;
}

/** Of one authority, by role; each call is another authority. */
export function makeCertificates({
  hosts = ['localhost', '127.0.0.1', '::1'],
  nowMs = Date.now(),
}: CertificatesOptions = {}): Readonly<Record<TlsRole, TlsCertificates>> {
  const files = prepareAuthority({ folder: join(tempFolder(), 'tls'), hosts, nowMs });
  const read = (role: TlsRole) => readTlsCertificates(files[role], nowMs);
  return { coordinator: read('coordinator'), worker: read('worker'), client: read('client') };
}
