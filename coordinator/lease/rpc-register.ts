/**
 * A register over rpc: the store serves its register, coordinators use it through a client. Swaps
 * are not repeated here: the lease's own rules know what to do with an unknown outcome.
 *
 * Before: coordinator/lease/file-register.ts.
 */
import type { RpcClient } from '../../base/rpc/client.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { frameError, outcomeOf } from '../../base/rpc/rpc-error.ts';
import type { RpcServer } from '../../base/rpc/server.ts';
import {
  isLeaseRecord,
  type LeaseRecord,
  type LeaseRegister,
  type RegisterSnapshot,
  type SwapOutcome,
} from './lease-register.ts';

const readMethod = 'lease.read';
const swapMethod = 'lease.compareAndSwap';

/** Answers the register's calls on a server. */
export function serveRegister(server: RpcServer, register: LeaseRegister): void {
  server.handle(readMethod, async () => {
    const { version, record } = await register.read();
    return { version, record: record === null ? null : { ...record } };
  });
  server.handle(swapMethod, async (body) => {
    const { expectedVersion, record } = swapArgumentsOf(body);
    return { ...(await register.compareAndSwap(expectedVersion, record)) };
  });
}

/** The register that is served at the other end of `client`. */
export function createRpcRegister(
  client: RpcClient,
  { deadlineMs }: { readonly deadlineMs: number },
): LeaseRegister {
  return {
    async read() {
      return snapshotOf(await client.call(readMethod, null, { deadlineMs, isRead: true }));
    },
    async compareAndSwap(expectedVersion, record): Promise<SwapOutcome> {
      const body = { expectedVersion, record: { ...record } };
      try {
        return swapOutcomeOf(await client.call(swapMethod, body, { deadlineMs }));
      } catch (error) {
        return { kind: outcomeOf(error) };
      }
    },
  };
}

function swapArgumentsOf(body: JsonValue): { expectedVersion: number; record: LeaseRecord } {
  const { expectedVersion, record } = (body ?? {}) as Record<string, unknown>;
  if (!isVersion(expectedVersion) || !isLeaseRecord(record)) {
    throw frameError('not the arguments of a swap');
  }
  return { expectedVersion, record };
}

function snapshotOf(body: JsonValue): RegisterSnapshot {
  const { version, record } = (body ?? {}) as Record<string, unknown>;
  const isRecord = record === null || isLeaseRecord(record);
  if (!isVersion(version) || !isRecord) throw frameError('not a snapshot of the register');
  return { version, record };
}

function swapOutcomeOf(body: JsonValue): SwapOutcome {
  const { kind, version } = (body ?? {}) as Record<string, unknown>;
  if (kind === 'ok' && isVersion(version)) return { kind, version };
  if (kind === 'conflict' || kind === 'failed') return { kind };
  return { kind: 'unknown' };
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
