/**
 * The one error class of the project. Match on `info.code`, never on `instanceof`: an error that
 * crosses a thread or a socket is cloned, and the clone keeps message and cause but loses the class,
 * the name and all own fields. Every boundary therefore calls `toWire` and `fromWire`.
 *
 * Message: short, lower case, no full stop, names the object and quotes the user's names with `"`.
 * Hint: full sentences that say what to do.
 */
import { type ErrorCode, type ErrorKind, errorKinds } from './error-codes.ts';

export interface ErrorInfo {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  /** What to do, in full sentences. */
  readonly hint?: string;
  /** Small facts for machines: operator, path, byteOffset, row… */
  readonly details?: Readonly<Record<string, string | number>>;
}

export type WireError = ErrorInfo & {
  readonly message: string;
  readonly stack?: string;
  readonly cause?: WireError;
};

export interface ErrorOptions {
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly details?: Readonly<Record<string, string | number>>;
  readonly cause?: unknown;
}

export class TypedError extends Error {
  readonly info: ErrorInfo;

  constructor(message: string, info: ErrorInfo, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = info.code;
    this.info = info;
  }
}

/** Makes a typed error; its kind follows from the code. The usual way to create one. */
export function typedError(
  code: ErrorCode,
  message: string,
  options: ErrorOptions = {},
): TypedError {
  const { hint, retryable = false, details, cause } = options;
  const info: ErrorInfo = {
    code,
    kind: errorKinds[code],
    retryable,
    ...(hint !== undefined && { hint }),
    ...(details !== undefined && { details }),
  };
  return new TypedError(message, info, cause);
}

/** The code of a typed error, or null for anything else. */
export function codeOf(error: unknown): ErrorCode | null {
  return error instanceof TypedError ? error.info.code : null;
}

const unexpected: ErrorInfo = { code: 'INTERNAL_UNEXPECTED', kind: 'internal', retryable: false };

export function toWire(error: unknown): WireError {
  const { message, cause, stack } = error instanceof Error ? error : new Error(String(error));
  const info = error instanceof TypedError ? error.info : unexpected;
  return {
    ...info,
    message,
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause: toWire(cause) }),
  };
}

export function fromWire({ message, cause, stack, ...info }: WireError): TypedError {
  const error = new TypedError(message, info, cause && fromWire(cause));
  if (stack !== undefined) error.stack = stack;
  return error;
}
