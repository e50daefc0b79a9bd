/** Wrong parts for the metadata log: each is a mistake that a reader might let pass, and the checker must notice it. */
import type { Disk } from '../../base/env/disk.ts';
import type { LogPage, MetadataLog } from '../../coordinator/metadata/metadata-log.ts';
import type { MetadataPlant } from '../../simulation/metadata-scenario.ts';

function changed<T extends object>(whole: T, replaced: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      const own = replaced[name as keyof T] ?? target[name as keyof T];
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

const withoutFsync = (disk: Disk): Disk => changed(disk, { fsync: async () => undefined });
const withoutSyncDir = (disk: Disk): Disk => changed(disk, { syncDir: async () => undefined });

/** Reads are answered from what was read some reads ago. */
const staleReads = (log: MetadataLog): MetadataLog => {
  const pages: LogPage[] = [];
  return changed(log, {
    async read(after) {
      pages.push(await log.read(after));
      return pages[Math.max(0, pages.length - 3)] as LogPage;
    },
  });
};

/** Answers before the append is durable. */
const answersEarly = (log: MetadataLog): MetadataLog =>
  changed(log, {
    async append(request) {
      const { position, term } = await log.head();
      if (request.after !== position || request.term < term) return await log.append(request);
      void log.append(request);
      return { kind: 'ok', position: position + request.events.length };
    },
  });

/** Appends behind whatever is there. */
const blindAppend = (log: MetadataLog): MetadataLog =>
  changed(log, {
    async append(request) {
      const { position } = await log.head();
      return await log.append({ ...request, after: position });
    },
  });

/** A leader that was replaced may go on. */
const noFence = (log: MetadataLog): MetadataLog =>
  changed(log, {
    async append(request) {
      const { term } = await log.head();
      return await log.append({ ...request, term: Math.max(term, request.term) });
    },
  });

/** One append in twenty is done although it is said to have failed. */
const failsButDoes = (log: MetadataLog): MetadataLog => {
  let count = 0;
  return changed(log, {
    async append(request) {
      const outcome = await log.append(request);
      return outcome.kind === 'ok' && count++ % 20 === 19 ? { kind: 'failed' } : outcome;
    },
  });
};

/** A snapshot that leaves the last event out. */
const shortSnapshot = (log: MetadataLog): MetadataLog =>
  changed(log, {
    compact: (snapshot) =>
      log.compact({ ...snapshot, state: (snapshot.state as string[]).slice(0, -1) }),
  });

export const metadataPlants: Readonly<Record<string, MetadataPlant>> = {
  'no fsync': { disk: withoutFsync },
  'no sync of the folder after the rename': { disk: withoutSyncDir },
  'stale reads': { log: staleReads },
  'answer before the append is durable': { log: answersEarly },
  'append without looking at the position': { log: blindAppend },
  'no fence': { log: noFence },
  'said to have failed, and done': { log: failsButDoes },
  'a snapshot that leaves something out': { log: shortSnapshot },
};
