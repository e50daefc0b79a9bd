/**
 * The register of the leader lease in etcd: one key, whose own version is that of the register. The lease's rules
 * (coordinator/lease/leader-lease.ts) need nothing else; etcd's leases, whose end the holder learns of from
 * etcd only, are not used.
 *
 * Before: coordinator/etcd/etcd-gateway.ts. After: coordinator/lease/lease-keeper.ts.
 */
import { outcomeOf } from '../../base/rpc/rpc-error.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  isLeaseRecord,
  type LeaseRegister,
  type RegisterSnapshot,
} from '../lease/lease-register.ts';
import type { EtcdGateway, EtcdValue } from './etcd-gateway.ts';

export function createEtcdRegister(etcd: EtcdGateway, key: string): LeaseRegister {
  const range = { kind: 'range', key } as const;
  return {
    async read() {
      const { found } = await etcd.transact({ compare: [], success: [range], failure: [] });
      return snapshotOf(key, found[0]?.[0]);
    },
    async compareAndSwap(expectedVersion, record) {
      try {
        const { isDone } = await etcd.transact({
          compare: [{ key, target: 'version', version: expectedVersion }],
          success: [{ kind: 'put', key, value: JSON.stringify(record) }],
          failure: [],
        });
        return isDone ? { kind: 'ok', version: expectedVersion + 1 } : { kind: 'conflict' };
      } catch (error) {
        return { kind: outcomeOf(error) };
      }
    },
  };
}

function snapshotOf(key: string, value: EtcdValue | undefined): RegisterSnapshot {
  if (value === undefined) return { version: 0, record: null };
  const record: unknown = JSON.parse(value.value);
  if (isLeaseRecord(record)) return { version: value.version, record };
  throw typedError('LEASE_REGISTER_CORRUPT', `key "${key}" of etcd is no leader lease`, {
    hint: 'Somebody else writes to it. Give each cluster a prefix of its own.',
    details: { path: key },
  });
}
