/** The typed errors of the net seam, made in one place for all its adapters. */
import { type TypedError, typedError } from '../typed-error.ts';
import { systemCodeOf } from './disk-error.ts';
import type { Address } from './net.ts';

export function unreachableError(address: Address, reason: string, cause?: unknown): TypedError {
  return typedError('NET_UNREACHABLE', `address "${address}" could not be reached: ${reason}`, {
    hint: 'Check that the process is running and that the address is right.',
    retryable: true,
    details: { address, ...(cause !== undefined && { systemCode: systemCodeOf(cause) }) },
    cause,
  });
}

export function brokenError(address: Address, cause?: unknown): TypedError {
  return typedError('NET_BROKEN', `connection with "${address}" broke`, {
    hint: 'The peer died or was cut off. What was sent last may or may not have arrived.',
    retryable: true,
    details: { address },
    cause,
  });
}

/** Why a connection could not be made. */
export function connectError(address: Address, error: Error): TypedError {
  const reason = trustReasonOf(error);
  if (reason !== null) return notTrustedError(address, reason, error);
  // Before the handshake of TLS is over, Node has a sentence for the end, which says no more.
  return unreachableError(address, systemCodeOf(error), error);
}

/** Why a connection has ended that was there. TLS 1.3 tells who connects only then that it is not taken. */
export function socketError(address: Address, error: Error): TypedError {
  const reason = trustReasonOf(error);
  return reason === null ? brokenError(address, error) : notTrustedError(address, reason, error);
}

/** What TLS complains of, in words; null for all that is no matter of trust. */
function trustReasonOf(error: Error): string | null {
  const code = systemCodeOf(error);
  const known = trustReasons.find(([codes]) => codes.test(code));
  if (known !== undefined) return known[1];
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') ? error.message : null;
}

const trustReasons: readonly (readonly [RegExp, string])[] = [
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its certificate is for other hosts'],
  [/SELF_SIGNED|UNABLE_TO_|CERT_SIGNATURE_FAILURE/, 'its certificate is of another authority'],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has run out'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet'],
  [/^ERR_SSL_.*ALERT/, 'it does not take the certificate that it was shown'],
  [/^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG))$/, 'it does not speak TLS'],
];

export function notTrustedError(address: Address, reason: string, cause?: unknown): TypedError {
  return typedError(
    'NET_NOT_TRUSTED',
    `"${address}" and this process do not trust each other: ${reason}`,
    {
      hint: 'Both need certificates that one authority has signed, for the host that is connected to: look at tls.authority, tls.certificate and tls.key with millrace config, on both sides.',
      details: { address },
      cause,
    },
  );
}

export function addressInUseError(address: Address, cause?: unknown): TypedError {
  return typedError('NET_ADDRESS_IN_USE', `address "${address}" is in use`, {
    hint: 'Stop the process that listens there, or choose another address.',
    details: { address },
    cause,
  });
}

export function notLoopbackError(address: Address): TypedError {
  return typedError('NET_NOT_LOOPBACK', `address "${address}" is not on this host`, {
    hint: 'Plain connections stay on this host: use 127.0.0.1:<port>, [::1]:<port> or unix:<path>, or give tls.authority, tls.certificate and tls.key.',
    details: { address },
  });
}

export function addressFormError(address: Address): TypedError {
  return typedError('NET_ADDRESS_FORM', `address "${address}" has none of the known forms`, {
    hint: 'Write <host>:<port>, unix:<path> or memory:<name>.',
    details: { address },
  });
}

export function frameTooLargeError(
  address: Address,
  sizeBytes: number,
  sizeBytesMax: number,
): TypedError {
  const message = `frame of ${sizeBytes} bytes for "${address}" is above ${sizeBytesMax} bytes`;
  return typedError('NET_FRAME_TOO_LARGE', message, {
    hint: 'Send large content in several messages, or through the exchange.',
    details: { address, sizeBytes, sizeBytesMax },
  });
}
