/** The typed errors of the exchange between processes. */
import type { Address } from '../../base/env/net.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';

export function exchangeLostError(address: Address, afterMs: number, reason: string): TypedError {
  const message = `rows from "${address}" did not come for ${afterMs} ms: ${reason}`;
  return typedError('EXCHANGE_LOST', message, {
    hint: 'The worker there died or was cut off. Look at its log, and at the network between the two.',
    retryable: true,
    details: { address },
  });
}

export function exchangeRefusedError(address: Address, reason: string): TypedError {
  return typedError('EXCHANGE_REFUSED', `"${address}" gives no rows to this worker: ${reason}`, {
    hint: 'Run the same version of Millrace on all workers. An attempt of a job that is over can not go on.',
    details: { address },
  });
}
