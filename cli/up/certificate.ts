/**
 * Writes X.509 certificates of the one shape that a private authority needs: ECDSA over P-256 with SHA-256, version 3, by RFC 5280.
 *
 *     Certificate ── TBSCertificate ── serial, issuer, validity, subject, public key, extensions
 *                 ├─ algorithm
 *                 └─ signature of the authority over the bytes of TBSCertificate
 *
 * Why by hand: Node makes keys, signs, and checks certificates, but does not write them. The library that is kept up (@peculiar/x509)
 * brings 20 packages and a global for reflection, for a hundred lines of DER. Nothing is read here: what others wrote is read by
 * OpenSSL alone, and what is written here is given to it in the tests.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

export interface CertificateRequest {
  readonly subject: Name;
  readonly publicKey: KeyObject;
  readonly issuer: Name;
  readonly issuerPublicKey: KeyObject;
  readonly issuerPrivateKey: KeyObject;
  /** 16 bytes by chance: a serial number is never used twice. */
  readonly serial: Uint8Array;
  readonly fromMs: number;
  readonly toMs: number;
  /** Host names and addresses that it is shown at; null for an authority. */
  readonly hosts: readonly string[] | null;
}

export interface Name {
  readonly organization: string;
  /** The role: a part of the subject, so that whoever is shown it can look. */
  readonly unit: string;
  readonly common: string;
}

/** The certificate in PEM. */
export function writeCertificate(request: CertificateRequest): string {
  const signed = signedPart(request);
  const signature = sign('sha256', signed, { key: request.issuerPrivateKey, dsaEncoding: 'der' });
  const bytes = sequence(signed, ecdsaWithSha256, bitString(signature));
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function signedPart(request: CertificateRequest): Buffer {
  const { subject, publicKey, issuer, issuerPublicKey, serial, fromMs, toMs, hosts } = request;
  // A number, so its first bit must not be set; and not 0 in front, which DER would leave out.
  const number = Buffer.from([(serial[0] ?? 0) | 0x40, ...serial.slice(1)]);
  number[0] = (number[0] ?? 0) & 0x7f;
  return sequence(
    explicit(0, tagged(tags.integer, Buffer.from([2]))), // Version 3.
    tagged(tags.integer, number),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(fromMs), time(toMs)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensionsOf(publicKey, issuerPublicKey, hosts))),
  );
}

function extensionsOf(own: KeyObject, issuer: KeyObject, hosts: readonly string[] | null) {
  const isAuthority = hosts === null;
  const constraints = isAuthority
    ? sequence(isTrue, tagged(tags.integer, Buffer.from([0])))
    : sequence();
  // Bits from the left: 0 digitalSignature, 5 keyCertSign.
  const usage = isAuthority ? bitString(Buffer.from([0x04]), 2) : bitString(Buffer.from([0x80]), 7);
  const extensions = [
    extension('2.5.29.19', constraints, true),
    extension('2.5.29.15', usage, true),
    extension('2.5.29.14', tagged(tags.octets, keyIdOf(own))),
    extension('2.5.29.35', sequence(tagged(0x80, keyIdOf(issuer)))),
  ];
  if (isAuthority) return extensions;
  const purposes = sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId('1.3.6.1.5.5.7.3.2')); // Server, client.
  const names = sequence(...hosts.map(alternativeName));
  return [...extensions, extension('2.5.29.37', purposes), extension('2.5.29.17', names)];
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [isTrue] : [];
  return sequence(objectId(id), ...critical, tagged(tags.octets, value));
}

function alternativeName(host: string): Buffer {
  return isIP(host) === 0
    ? tagged(0x82, Buffer.from(host, 'ascii'))
    : tagged(0x87, addressBytes(host));
}

function addressBytes(host: string): Buffer {
  if (isIP(host) === 4) return Buffer.from(host.split('.').map(Number));
  // A URL writes all forms of an address in one: groups without leading zeros, "::" once, no dots.
  const text = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string | undefined) =>
    part === undefined || part === '' ? [] : part.split(':');
  const [before, behind] = [groups(head), groups(tail)];
  const zeros = Array<string>(8 - before.length - behind.length).fill('0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...behind].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  return bytes;
}

/** What tells keys apart: of two authorities with one name, the right one is found. */
function keyIdOf(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

function nameOf({ organization, unit, common }: Name): Buffer {
  const part = (id: string, text: string) =>
    tagged(tags.set, sequence(objectId(id), tagged(tags.utf8, Buffer.from(text))));
  return sequence(part('2.5.4.10', organization), part('2.5.4.11', unit), part('2.5.4.3', common));
}

/** Years before 2050 have two digits, by the RFC. */
function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')}`;
  const isShort = ms < Date.UTC(2050, 0);
  return isShort
    ? tagged(tags.utcTime, Buffer.from(text.slice(2)))
    : tagged(tags.generalizedTime, Buffer.from(text));
}

const tags = {
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const isTrue = Buffer.from([0x01, 0x01, 0xff]);
const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));

/** Tag, length, content: the one form of DER. */
function tagged(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = length < 0x100 ? [length] : [length >> 8, length & 0xff]; // A certificate has far less than 64 KiB.
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length, ...digits]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(tags.sequence, Buffer.concat(parts));
}

function explicit(number: number, content: Uint8Array): Buffer {
  return tagged(0xa0 | number, content);
}

function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(tags.bits, Buffer.concat([Buffer.from([unusedBits]), bytes]));
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number);
  return tagged(tags.objectId, Buffer.from([first * 40 + second, ...others.flatMap(base128)]));
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let rest = number >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}
