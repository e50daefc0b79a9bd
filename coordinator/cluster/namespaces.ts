/**
 * Namespaces and their quotas: kept in the metadata log, and counted by the job queue.
 *
 * Before: coordinator/cluster/client-service.ts. After: coordinator/cluster/slot-queue.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { MetadataStore } from '../metadata/metadata-store.ts';
import type { QuotasAnswer, QuotaView, SetQuotaRequest } from '../protocol/clients.ts';
import { usedBy } from '../scheduler/queue-state.ts';
import { isClusterName } from './cluster-name.ts';
import type { SlotQueue } from './slot-queue.ts';

export interface NamespacesOptions {
  readonly store: MetadataStore;
  readonly queue: SlotQueue;
  readonly term: number;
}

export class Namespaces {
  readonly #options: NamespacesOptions;

  constructor(options: NamespacesOptions) {
    this.#options = options;
    const { store } = options;
    for (const { namespace, ...quota } of Object.values(store.state.namespaces)) {
      options.queue.setQuota({ namespace, quota });
    }
  }

  /** @throws NAMESPACE_INVALID, errors of the log */
  async set({ namespace, slotsMax, memoryBytesMax }: SetQuotaRequest): Promise<QuotaView> {
    const { store, queue, term } = this.#options;
    if (!isClusterName(namespace)) throw badNameError(namespace);
    const quota = { slotsMax, memoryBytesMax };
    await store.propose(term, () => [{ kind: 'namespaceSet', namespace, ...quota }]);
    queue.setQuota({ namespace, quota });
    return this.#view(namespace);
  }

  all(): QuotasAnswer {
    const { store, queue } = this.#options;
    const { waiting, running, reservations } = queue.state;
    const held = [...running.values(), ...reservations.values()].map(({ job }) => job);
    const used = [...waiting, ...held].map(({ namespace }) => namespace);
    const names = new Set([...Object.keys(store.state.namespaces), ...used]);
    return { quotas: [...names].sort().map((namespace) => this.#view(namespace)) };
  }

  #view(namespace: string): QuotaView {
    const { store, queue } = this.#options;
    const { slotsMax = null, memoryBytesMax = null } = store.state.namespaces[namespace] ?? {};
    const { slots: slotsUsed, memoryBytes: memoryBytesUsed } = usedBy(queue.state, namespace);
    return { namespace, slotsMax, memoryBytesMax, slotsUsed, memoryBytesUsed };
  }
}

function badNameError(namespace: string) {
  return typedError('NAMESPACE_INVALID', `"${namespace}" can't be the name of a namespace`, {
    hint: 'Letters, digits, "-", "_" and "." only, at most 64.',
  });
}
