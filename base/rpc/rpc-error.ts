/**
 * How a call can end: ok, failed, or unknown. Unknown is not a kind of failure: the work may have
 * been done, so a caller that must know reads the state again. `outcomeOf` is the one place that
 * decides; an error that nobody expected counts as unknown, for nobody can say what it left behind.
 */
import { type ErrorInfo, TypedError, typedError } from '../typed-error.ts';

export type CallOutcome = 'failed' | 'unknown';

/** What an error of a call says about the work: surely not done, or perhaps done. */
export function outcomeOf(error: unknown): CallOutcome {
  if (!(error instanceof TypedError) || error.info.code === 'INTERNAL_UNEXPECTED') return 'unknown';
  return error.info.details?.outcome === 'unknown' ? 'unknown' : 'failed';
}

/** The same error, saying that an earlier attempt may have done the work. */
export function asUnknown(error: unknown): unknown {
  if (!(error instanceof TypedError)) return error;
  const info: ErrorInfo = {
    ...error.info,
    details: { ...error.info.details, outcome: 'unknown' },
  };
  return new TypedError(error.message, info, error.cause);
}

const readAgain = 'The work may have been done. Read the state again before deciding anything.';

export function deadlineError(method: string, address: string, deadlineMs: number): TypedError {
  const message = `call "${method}" had no answer from "${address}" within ${deadlineMs} ms`;
  const details = { method, address, outcome: 'unknown' };
  return typedError('RPC_DEADLINE', message, { hint: readAgain, retryable: true, details });
}

export function disconnectedError(
  address: string,
  outcome: CallOutcome,
  cause?: unknown,
): TypedError {
  const when = outcome === 'failed' ? 'could not be made' : 'broke before the answer came';
  return typedError('RPC_DISCONNECTED', `connection with "${address}" ${when}`, {
    hint: outcome === 'failed' ? 'Nothing was sent; the call may be repeated.' : readAgain,
    retryable: true,
    details: { address, outcome },
    cause,
  });
}

export function stoppedError(address: string, outcome: CallOutcome): TypedError {
  return typedError('RPC_STOPPED', `client of "${address}" was stopped`, {
    hint: outcome === 'failed' ? 'Nothing was sent.' : readAgain,
    details: { address, outcome },
  });
}

export function busyError(where: string, limit: number): TypedError {
  return typedError('RPC_BUSY', `${where} has ${limit} calls in work already`, {
    hint: 'Nothing was done; repeat the call later.',
    retryable: true,
    details: { limit, outcome: 'failed' },
  });
}

export function noMethodError(method: string): TypedError {
  return typedError('RPC_NO_METHOD', `no method named "${method}"`, {
    hint: 'Check that both sides have the same version, and that the address is the right role.',
    details: { method, outcome: 'failed' },
  });
}

export function staleEpochError(what: 'term' | 'epoch', given: number, seen: number): TypedError {
  return typedError('RPC_STALE_EPOCH', `${what} ${given} is older than ${what} ${seen}`, {
    hint: 'The caller was replaced by a newer one and must stop.',
    details: { what, given, seen, outcome: 'failed' },
  });
}

export function frameError(reason: string, cause?: unknown): TypedError {
  return typedError('RPC_FRAME', `frame is no rpc message: ${reason}`, { cause });
}
