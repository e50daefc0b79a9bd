/**
 * What the executors of a job print on one worker, bounded: segments that are named by where they begin, of which the last two
 * are kept.
 *
 *     logs/JOB/0.log          8 MiB, removed when the third begins
 *     logs/JOB/8388608.log    8 MiB
 *     logs/JOB/16777216.log   is being written
 *
 * So a place in the log stays the same place when its beginning is dropped, and a worker that starts again finds the end by the
 * names and sizes. What can't be written, for the disk is full, is left out: a job does not fail for its log.
 *
 * Before: worker/supervisor/supervisor.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { codeOf, toWire } from '../../base/typed-error.ts';
import type { LogPart } from '../../coordinator/protocol/members.ts';

/** Of a segment; two of them are all that is kept. */
const segmentBytesDefault = 8 * 1024 * 1024;
/** Of an answer: small beside the largest frame, also when each byte is escaped. */
const pageBytes = 256 * 1024;

interface Segment {
  readonly start: number;
  sizeBytes: number;
}

export class JobLog {
  readonly #env: Pick<Env, 'disk' | 'observe'>;
  readonly #folder: string;
  readonly #segmentBytes: number;
  /** The oldest first; null until the folder was read. */
  #segments: Segment[] | null = null;
  /** One piece of work after the other. */
  #tail: Promise<unknown> = Promise.resolve();
  #isReported = false;

  constructor(
    env: Pick<Env, 'disk' | 'observe'>,
    { folder, segmentBytes = segmentBytesDefault }: { folder: string; segmentBytes?: number },
  ) {
    this.#env = env;
    this.#folder = folder;
    this.#segmentBytes = segmentBytes;
  }

  /** Resolves when it is written, or was left out; never rejects. */
  append(bytes: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#write(bytes);
      } catch (error) {
        // Once: each line of a job that prints much would be an event else.
        if (!this.#isReported) {
          const { message } = toWire(error);
          this.#env.observe.event('log.not-written', { folder: this.#folder, message });
        }
        this.#isReported = true;
      }
    });
  }

  /** @param from - Bytes of the log to leave out; negative: so many before its end. */
  read(from: number): Promise<LogPart> {
    return this.#inTurn(async () => {
      const segments = await this.#known();
      const first = segments[0]?.start ?? 0;
      const last = segments.at(-1);
      const end = last === undefined ? 0 : last.start + last.sizeBytes;
      const start = Math.min(Math.max(from < 0 ? end + from : from, first), end);
      const segment = segments.findLast(
        (one) => one.start <= start && start < one.start + one.sizeBytes,
      );
      if (segment === undefined) return { text: '', next: end, isEnd: true };
      const left = segment.start + segment.sizeBytes - start;
      const bytes = await this.#read(segment, start, Math.min(left, pageBytes));
      const { text, byteCount } = wholeText(bytes, left > pageBytes || segment !== last);
      const next = start + byteCount;
      return { text, next, isEnd: next >= end };
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined); // Who asked for it hears of it.
    return done;
  }

  async #known(): Promise<Segment[]> {
    this.#segments ??= await this.#find();
    return this.#segments;
  }

  async #find(): Promise<Segment[]> {
    const names = await this.#env.disk.list(this.#folder).catch((error: unknown) => {
      if (codeOf(error) === 'DISK_NOT_FOUND') return [];
      throw error;
    });
    const starts = names.flatMap(({ name }) => /^(\d{1,15})\.log$/.exec(name)?.[1] ?? []);
    const segments = starts.map(Number).sort((a, b) => a - b);
    return await Promise.all(
      segments.map(async (start) => {
        const { sizeBytes = 0 } = (await this.#env.disk.stat(this.#pathOf(start))) ?? {};
        return { start, sizeBytes };
      }),
    );
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const segments = await this.#known();
    let segment = segments.at(-1);
    if (segment === undefined || segment.sizeBytes >= this.#segmentBytes) {
      const start = segment === undefined ? 0 : segment.start + segment.sizeBytes;
      await this.#env.disk.makeDir(this.#folder, true);
      segment = { start, sizeBytes: 0 };
      segments.push(segment);
      for (const old of segments.splice(0, Math.max(0, segments.length - 2))) {
        await this.#env.disk.unlink(this.#pathOf(old.start));
      }
    }
    const file = await this.#env.disk.open(this.#pathOf(segment.start), 'update');
    try {
      await this.#env.disk.write(file, bytes, segment.sizeBytes);
      segment.sizeBytes += bytes.length;
    } finally {
      await this.#env.disk.close(file);
    }
  }

  async #read(segment: Segment, start: number, byteCount: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(byteCount);
    const file = await this.#env.disk.open(this.#pathOf(segment.start), 'read');
    try {
      return bytes.subarray(0, await this.#env.disk.read(file, bytes, start - segment.start));
    } finally {
      await this.#env.disk.close(file);
    }
  }

  #pathOf(start: number): string {
    return `${this.#folder}/${start}.log`;
  }
}

/** Characters that are cut by the end of a page come with the next one; those cut by its beginning are left out. */
export function wholeText(
  bytes: Uint8Array,
  hasMore: boolean,
): { readonly text: string; readonly byteCount: number } {
  const isInside = (at: number) => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  let start = 0;
  while (start < Math.min(3, bytes.length) && isInside(start)) start++;
  let end = bytes.length;
  if (hasMore) {
    let lead = end - 1;
    while (lead > start && end - lead < 4 && isInside(lead)) lead--;
    if (lead >= start && lead + lengthOf(bytes[lead] ?? 0) > end) end = lead;
  }
  if (end <= start) end = bytes.length; // No text at all: it is passed on as it is.
  return { text: new TextDecoder().decode(bytes.subarray(start, end)), byteCount: end };
}

/** Bytes of a character that begins so; 1 for what begins none. */
function lengthOf(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}
