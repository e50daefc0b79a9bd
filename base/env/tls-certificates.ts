/**
 * Certificates as files: read, and looked at before they are used, for what OpenSSL says of a wrong one says neither which file nor
 * what to do.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type TypedError, typedError } from '../typed-error.ts';
import { systemCodeOf } from './disk-error.ts';

/** Texts in PEM, as they are in the files. */
export interface TlsCertificates {
  /** One or more. */
  readonly authority: string;
  /** The own one first, then those between it and the authority. */
  readonly certificate: string;
  readonly key: string;
}

/** Reads three files. @throws TLS_CERTIFICATE, TLS_FILE */
export function readTlsCertificates(
  paths: Readonly<Record<keyof TlsCertificates, string>>,
  nowMs: number,
): TlsCertificates {
  const texts = {
    authority: textOf(paths.authority),
    certificate: textOf(paths.certificate),
    key: textOf(paths.key),
  };
  const authorities = certificatesIn(texts.authority, paths.authority);
  const chain = certificatesIn(texts.certificate, paths.certificate);
  const key = keyIn(texts.key, paths.key);
  for (const one of authorities) checkTime(one, paths.authority, nowMs);
  for (const one of chain) checkTime(one, paths.certificate, nowMs);
  const [own, last] = [chain[0], chain.at(-1)];
  if (own?.checkPrivateKey(key) !== true) {
    throw certificateError(paths.key, `is not the key of "${paths.certificate}"`, {
      hint: 'Give the key that the certificate was made with.',
    });
  }
  if (!authorities.some((authority) => last !== undefined && isIssuedBy(last, authority))) {
    throw certificateError(paths.certificate, `was not signed by "${paths.authority}"`, {
      hint: 'All processes and clients of a cluster have certificates of one authority. Certificates in between belong into the certificate file, behind the own one.',
    });
  }
  return texts;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const systemCode = systemCodeOf(error);
    throw typedError('TLS_FILE', `"${path}" can not be read: ${systemCode}`, {
      hint: 'Look at the path, and at who may read the file: tls.authority, tls.certificate and tls.key name files in PEM.',
      details: { path, systemCode },
      cause: error,
    });
  }
}

const certificateForm = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

function certificatesIn(text: string, path: string): X509Certificate[] {
  const found = text.match(certificateForm) ?? [];
  if (found.length === 0) throw formError(path, 'has no certificate in PEM');
  try {
    return found.map((one) => new X509Certificate(one));
  } catch (error) {
    throw formError(path, 'has a certificate that is damaged', error);
  }
}

function keyIn(text: string, path: string): KeyObject {
  if (/ENCRYPTED/.test(text))
    throw formError(path, 'has a key with a password, which nobody could give');
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw formError(path, 'has no private key in PEM', error);
  }
}

function formError(path: string, reason: string, cause?: unknown): TypedError {
  return typedError('TLS_FILE', `"${path}" ${reason}`, {
    hint: 'Files in PEM have lines such as -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----.',
    details: { path },
    // What OpenSSL says of a key says nothing of the key itself.
    cause,
  });
}

function checkTime({ validFromDate, validToDate }: X509Certificate, path: string, nowMs: number) {
  const time = (date: Date) => date.toISOString().slice(0, 19).replace('T', ' ');
  if (nowMs > validToDate.getTime()) {
    throw certificateError(path, `ran out at ${time(validToDate)} UTC`, {
      hint: 'Make a new certificate; millrace up does that by itself when it starts.',
    });
  }
  if (nowMs < validFromDate.getTime()) {
    throw certificateError(path, `is not valid before ${time(validFromDate)} UTC`, {
      hint: `Look at the clock of this machine: it says ${time(new Date(nowMs))} UTC.`,
    });
  }
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function certificateError(
  path: string,
  reason: string,
  { hint }: { readonly hint: string },
): TypedError {
  return typedError('TLS_CERTIFICATE', `"${path}" ${reason}`, { hint, details: { path } });
}
