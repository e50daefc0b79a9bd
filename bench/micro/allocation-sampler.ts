/**
 * What this thread allocates on JavaScript's heap, by the function that does: V8's sampling profiler, which
 * also counts what was collected meanwhile.
 */
import { Session } from 'node:inspector';

/** One sample per so many bytes: of a megabyte 500, so its sum is right by some percent. */
const samplingInterval = 2048;

interface ProfileNode {
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

export interface Allocations {
  readonly bytes: number;
  /** By function, the most first. */
  readonly sites: readonly { readonly site: string; readonly bytes: number }[];
}

export class AllocationSampler {
  readonly #session = new Session();

  start(): void {
    this.#session.connect();
    this.#session.post('HeapProfiler.startSampling', {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    } as object);
  }

  stop(): Allocations {
    const found = new Map<string, number>();
    this.#session.post('HeapProfiler.stopSampling', (error, result) => {
      if (error !== null) throw error;
      addSites((result as { profile: { head: ProfileNode } }).profile.head, found);
    });
    this.#session.disconnect();
    const sites = [...found].map(([site, bytes]) => ({ site, bytes }));
    sites.sort((a, b) => b.bytes - a.bytes);
    return { bytes: sites.reduce((sum, { bytes }) => sum + bytes, 0), sites };
  }
}

/** What is built in (`next`, `map`) counts where it is called. */
function addSites(node: ProfileNode, found: Map<string, number>, caller = ''): void {
  const { functionName, url, lineNumber } = node.callFrame;
  const place = `${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
  const site = url === '' ? `${caller} ${functionName}` : `${functionName} ${place}`;
  found.set(site, (found.get(site) ?? 0) + node.selfSize);
  for (const child of node.children) addSites(child, found, site);
}
