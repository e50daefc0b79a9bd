/** The register of an embedded coordinator: memory of the process, so the lease is granted at once. */
import type { LeaseRegister, RegisterSnapshot } from './lease-register.ts';

export function createMemoryRegister(): LeaseRegister {
  let current: RegisterSnapshot = { version: 0, record: null };
  return {
    read: async () => current,
    async compareAndSwap(expectedVersion, record) {
      if (expectedVersion !== current.version) return { kind: 'conflict' };
      current = { version: current.version + 1, record };
      return { kind: 'ok', version: current.version };
    },
  };
}
