/**
 * The metadata log in etcd, for two or more coordinators.
 *
 *     <prefix>/head                 position of the last event       both are compared and set by every append:
 *     <prefix>/term                 greatest term that was there     compare-and-swap, and the fence
 *     <prefix>/events/<last>        a group of events, by the position of its last one
 *     <prefix>/snapshot             {position, term, parts}: what took the place of the events up to there
 *     <prefix>/parts/<position>/<n> its state, in parts that fit into a request
 *
 * An append is one transaction: if the head is where it was decided and no later term was there, then the
 * group, the head and the term. Numbers are written with 16 digits, so that etcd's order of text is theirs.
 * A read looks at one revision. A watch that breaks reads again from where it was.
 *
 * Before: coordinator/etcd/etcd-gateway.ts. After: coordinator/metadata/metadata-store.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { outcomeOf } from '../../base/rpc/rpc-error.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  entriesOf,
  GroupedAppends,
  type GroupOutcome,
  type LogGroup,
} from '../metadata/grouped-appends.ts';
import type {
  AppendOutcome,
  AppendRequest,
  LogEntry,
  LogHead,
  LogListener,
  LogPage,
  LogSnapshot,
  MetadataLog,
} from '../metadata/metadata-log.ts';
import { type EtcdAnswer, type EtcdGateway, type EtcdValue, prefixEnd } from './etcd-gateway.ts';

type LogEnv = Pick<Env, 'clock' | 'timers' | 'observe'>;

interface SnapshotPointer extends LogHead {
  readonly parts: number;
}

/** Groups of one request when many are read; each is 1 MiB at most, and mostly far less. */
const groupsPerRead = 32;
/** Characters of a part: at most 3 bytes each, below etcd's 1.5 MiB of a request. */
const partLength = 256 * 1024;
const watchAgainMs = 200;
/** A watch may be cut off without a word: after this another one is begun, and what was missed is read. */
const watchMsMax = 30_000;

/** Opens the log below a prefix, or makes it. Rejects when etcd can't be reached. */
export async function openEtcdLog(
  env: LogEnv,
  etcd: EtcdGateway,
  prefix: string,
): Promise<MetadataLog> {
  const keys = keysOf(prefix);
  await etcd.transact({
    compare: [{ key: keys.head, target: 'version', version: 0 }],
    success: [
      { kind: 'put', key: keys.head, value: digits(0) },
      { kind: 'put', key: keys.term, value: digits(0) },
    ],
    failure: [],
  });
  const log = new EtcdLog(env, etcd, keys);
  await log.head();
  return log;
}

type Keys = ReturnType<typeof keysOf>;

function keysOf(prefix: string) {
  return {
    ...{ head: `${prefix}/head`, term: `${prefix}/term`, snapshot: `${prefix}/snapshot` },
    ...{ events: `${prefix}/events/`, parts: `${prefix}/parts/` },
  };
}

class EtcdLog implements MetadataLog {
  readonly #env: LogEnv;
  readonly #etcd: EtcdGateway;
  readonly #keys: Keys;
  readonly #appends: GroupedAppends;
  readonly #watches = new Set<() => void>();

  constructor(env: LogEnv, etcd: EtcdGateway, keys: Keys) {
    this.#env = env;
    this.#etcd = etcd;
    this.#keys = keys;
    const write = (group: LogGroup) => this.#write(group);
    const wallMs = () => env.clock.wall();
    this.#appends = new GroupedAppends({ write, wallMs }, { position: 0, term: 0 });
  }

  async head(): Promise<LogHead> {
    return (await this.#look()).head;
  }

  async read(after: number): Promise<LogPage> {
    return (await this.#readAt(after)).page;
  }

  async append(request: AppendRequest): Promise<AppendOutcome> {
    return await this.#appends.append(request);
  }

  watch(after: number, listener: LogListener): () => void {
    let isOn = true;
    let endNow = (): void => undefined;
    const stop = (): void => {
      isOn = false;
      endNow();
      this.#watches.delete(stop);
    };
    this.#watches.add(stop);
    void this.#follow(after, (page) => isOn && listener(page), {
      isOn: () => isOn,
      onStop: (end) => {
        endNow = end;
      },
    });
    return stop;
  }

  async compact(snapshot: LogSnapshot): Promise<AppendOutcome> {
    try {
      return await this.#compact(snapshot);
    } catch (error) {
      return { kind: outcomeOf(error) };
    }
  }

  async close(): Promise<void> {
    for (const stop of [...this.#watches]) stop();
    this.#etcd.close();
  }

  async #write(group: LogGroup): Promise<GroupOutcome> {
    const { head, term, events } = this.#keys;
    const last = group.after + group.events.length;
    try {
      const answer = await this.#etcd.transact({
        compare: [
          { key: head, target: 'value', result: 'EQUAL', value: digits(group.after) },
          { key: term, target: 'value', result: 'LESS', value: digits(group.term + 1) },
        ],
        success: [
          { kind: 'put', key: events + digits(last), value: JSON.stringify(group) },
          { kind: 'put', key: head, value: digits(last) },
          { kind: 'put', key: term, value: digits(group.term) },
        ],
        failure: [
          { kind: 'range', key: head },
          { kind: 'range', key: term },
        ],
      });
      if (answer.isDone) return { kind: 'ok' };
      const now = headIn(answer);
      return { kind: now.term > group.term ? 'fenced' : 'conflict', head: now };
    } catch (error) {
      this.#env.observe.event('metadata.append-failed', { error: String(error) });
      return { kind: outcomeOf(error), head: null };
    }
  }

  /** Head and snapshot at one revision. */
  async #look(): Promise<{ head: LogHead; pointer: SnapshotPointer | null; revision: number }> {
    const { head, term, snapshot } = this.#keys;
    const success = [head, term, snapshot].map((key) => ({ kind: 'range', key }) as const);
    const answer = await this.#etcd.transact({ compare: [], success, failure: [] });
    const found = headIn(answer);
    this.#appends.learn(found);
    const pointer = answer.found[2]?.[0];
    return {
      head: found,
      pointer: pointer === undefined ? null : JSON.parse(pointer.value),
      revision: answer.revision,
    };
  }

  async #readAt(after: number): Promise<{ page: LogPage; position: number; revision: number }> {
    const { head, pointer, revision } = await this.#look();
    const isCompacted = pointer !== null && after < pointer.position;
    const from = isCompacted ? pointer.position : after;
    const snapshot = isCompacted ? await this.#snapshot(pointer, revision) : null;
    const groups = await this.#all(
      this.#keys.events + digits(from + 1),
      this.#keys.events,
      revision,
    );
    const entries = groups.flatMap(entriesIn).filter(({ position }) => position > from);
    return { page: { snapshot, entries }, position: head.position, revision };
  }

  async #snapshot(
    { position, term, parts }: SnapshotPointer,
    revision: number,
  ): Promise<LogSnapshot> {
    const prefix = `${this.#keys.parts}${digits(position)}/`;
    const found = await this.#all(prefix, prefix, revision);
    const text = found.map(({ value }) => value).join('');
    if (found.length !== parts) throw damagedError(prefix);
    return { position, term, state: JSON.parse(text) as JsonValue };
  }

  /** All keys of a prefix from one on, at a revision. */
  async #all(from: string, prefix: string, revision: number): Promise<EtcdValue[]> {
    const found: EtcdValue[] = [];
    for (let key = from; ; ) {
      const range = { key, end: prefixEnd(prefix) };
      const page = await this.#etcd.range(range, { revision, limit: groupsPerRead });
      found.push(...page);
      const last = page.at(-1);
      if (page.length < groupsPerRead || last === undefined) return found;
      key = `${last.key}\0`;
    }
  }

  async #compact({ position, term, state }: LogSnapshot): Promise<AppendOutcome> {
    const { head, pointer } = await this.#look();
    if (term < head.term) return { kind: 'fenced', term: head.term };
    if (position > head.position || position <= (pointer?.position ?? 0))
      return { kind: 'conflict' };
    const text = JSON.stringify(state);
    const parts = Math.max(1, Math.ceil(text.length / partLength));
    for (let part = 0; part < parts; part++) {
      const key = `${this.#keys.parts}${digits(position)}/${digits(part)}`;
      const value = text.slice(part * partLength, (part + 1) * partLength);
      await this.#etcd.transact({
        compare: [],
        success: [{ kind: 'put', key, value }],
        failure: [],
      });
    }
    const { snapshot, events } = this.#keys;
    const answer = await this.#etcd.transact({
      compare: [
        { key: this.#keys.term, target: 'value', result: 'LESS', value: digits(term + 1) },
        pointer === null
          ? { key: snapshot, target: 'version', version: 0 }
          : { key: snapshot, target: 'value', result: 'EQUAL', value: JSON.stringify(pointer) },
      ],
      success: [
        { kind: 'put', key: snapshot, value: JSON.stringify({ position, term, parts }) },
        { kind: 'delete', key: events, end: events + digits(position + 1) },
        { kind: 'delete', key: this.#keys.parts, end: this.#keys.parts + digits(position) },
      ],
      failure: [],
    });
    return answer.isDone ? { kind: 'ok', position } : { kind: 'conflict' };
  }

  /** Reads, then watches from that revision on; and again, whenever the watch ends. Never rejects. */
  async #follow(
    after: number,
    listener: LogListener,
    watch: { readonly isOn: () => boolean; readonly onStop: (end: () => void) => void },
  ): Promise<void> {
    let known = after;
    const { events } = this.#keys;
    while (watch.isOn()) {
      try {
        const { page, position, revision } = await this.#readAt(known);
        known = Math.max(known, position);
        if (page.snapshot !== null || page.entries.length > 0) listener(page);
        const range = { key: events, end: prefixEnd(events), after: revision };
        const stream = this.#etcd.watch(range, (values) => {
          const entries = values.flatMap(entriesIn).filter((entry) => entry.position > known);
          known = entries.at(-1)?.position ?? known;
          if (entries.length > 0) listener({ snapshot: null, entries });
        });
        watch.onStop(() => stream.close());
        const cancel = this.#env.timers.after(watchMsMax, () => stream.close());
        if (!watch.isOn()) stream.close();
        await stream.ended;
        cancel();
      } catch (error) {
        this.#env.observe.event('metadata.watch-failed', { error: String(error) });
      }
      if (watch.isOn()) await this.#env.timers.sleep(watchAgainMs);
    }
  }
}

function headIn({ found }: EtcdAnswer): LogHead {
  return { position: Number(found[0]?.[0]?.value ?? 0), term: Number(found[1]?.[0]?.value ?? 0) };
}

function entriesIn({ value }: EtcdValue): LogEntry[] {
  return entriesOf(JSON.parse(value) as LogGroup);
}

/** So that the order of text is that of numbers. */
function digits(count: number): string {
  return String(count).padStart(16, '0');
}

function damagedError(prefix: string) {
  return typedError(
    'METADATA_LOG_DAMAGED',
    `parts of the snapshot "${prefix}" are missing in etcd`,
    {
      hint: 'Somebody else writes to it. Give each cluster a prefix of its own.',
      details: { path: prefix },
    },
  );
}
