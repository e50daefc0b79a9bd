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

export function addressInUseError(address: Address, cause?: unknown): TypedError {
  return typedError('NET_ADDRESS_IN_USE', `address "${address}" is in use`, {
    hint: 'Stop the process that listens there, or choose another address.',
    details: { address },
    cause,
  });
}

export function notLoopbackError(address: Address): TypedError {
  return typedError('NET_NOT_LOOPBACK', `address "${address}" is not on this host`, {
    hint: 'Plain connections stay on this host: use 127.0.0.1:<port>, [::1]:<port> or unix:<path>.',
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
