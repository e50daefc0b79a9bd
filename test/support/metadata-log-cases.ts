/** The contract of the metadata log (coordinator/metadata/metadata-log.ts) as cases that every implementation runs. */
import { expect } from 'vitest';
import type { JsonValue } from '../../base/rpc/message.ts';
import { codeOf } from '../../base/typed-error.ts';
import {
  appendBytesMax,
  type LogEntry,
  type LogPage,
  type MetadataLog,
} from '../../coordinator/metadata/metadata-log.ts';

/** A log of its own for one case; a second call opens the same one again, after a close or beside it. */
export type OpenLog = () => Promise<MetadataLog>;

const at = (after: number, term: number, ...events: JsonValue[]) => ({ after, term, events });
const eventsOf = (entries: readonly LogEntry[]) => entries.map(({ event }) => event);

/** The code of what it rejects with; null when it does not. */
export async function codeFrom(work: Promise<unknown>): Promise<string | null> {
  return await work.then(
    () => null,
    (error: unknown) => codeOf(error),
  );
}

/** Waits for what a watcher is told later. */
async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !isSo(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(isSo()).toBe(true);
}

export const metadataLogCases: Readonly<Record<string, (open: OpenLog) => Promise<void>>> = {
  'an empty log has position 0, and takes what comes behind it': async (open) => {
    const log = await open();
    expect(await log.head()).toEqual({ position: 0, term: 0 });
    expect(await log.read(0)).toEqual({ snapshot: null, entries: [] });
    expect(await log.append(at(0, 1, 'a', { b: [1, 'ä', null] }))).toEqual({
      kind: 'ok',
      position: 2,
    });
    expect(await log.head()).toEqual({ position: 2, term: 1 });
    const { entries } = await log.read(0);
    expect(entries).toMatchObject([
      { position: 1, term: 1, event: 'a' },
      { position: 2, term: 1, event: { b: [1, 'ä', null] } },
    ]);
    expect(eventsOf((await log.read(1)).entries)).toEqual([{ b: [1, 'ä', null] }]);
    expect((await log.read(2)).entries).toEqual([]);
    await log.close();
  },

  'of appends behind one position one is done': async (open) => {
    const log = await open();
    const outcomes = await Promise.all(['a', 'b', 'c'].map((event) => log.append(at(0, 1, event))));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['ok', 'conflict', 'conflict']);
    expect(await log.append(at(0, 1, 'd'))).toEqual({ kind: 'conflict' });
    expect(await log.append(at(7, 1, 'd'))).toEqual({ kind: 'conflict' });
    expect(eventsOf((await log.read(0)).entries)).toEqual(['a']);
    await log.close();
  },

  'appends follow each other without waiting': async (open) => {
    const log = await open();
    const all = Array.from({ length: 300 }, (_, index) => log.append(at(index, 1, index)));
    const outcomes = await Promise.all(all);
    expect(outcomes.at(-1)).toEqual({ kind: 'ok', position: 300 });
    expect(eventsOf((await log.read(0)).entries)).toEqual(all.map((_, index) => index));
    await log.close();
  },

  'an older term is refused from the first append of a newer one on': async (open) => {
    const log = await open();
    await log.append(at(0, 3, 'a'));
    expect(await log.append(at(1, 2, 'b'))).toEqual({ kind: 'fenced', term: 3 });
    expect(await log.append(at(1, 5, 'c'))).toEqual({ kind: 'ok', position: 2 });
    expect(await log.append(at(2, 3, 'd'))).toEqual({ kind: 'fenced', term: 5 });
    expect(await log.head()).toEqual({ position: 2, term: 5 });
    await log.close();
  },

  'what was answered is there when the log is opened again': async (open) => {
    const log = await open();
    await log.append(at(0, 1, 'a'));
    await log.append(at(1, 4, 'b', 'c'));
    const before = await log.read(0);
    await log.close();
    const again = await open();
    expect(await again.head()).toEqual({ position: 3, term: 4 });
    expect(await again.read(0)).toEqual(before);
    expect(await again.append(at(3, 4, 'd'))).toEqual({ kind: 'ok', position: 4 });
    await again.close();
  },

  'a watcher is told all, in order, from where it asked': async (open) => {
    const log = await open();
    await log.append(at(0, 1, 'a', 'b'));
    const heard: LogEntry[] = [];
    const take = ({ entries }: LogPage) => void heard.push(...entries);
    const stop = log.watch(1, take);
    await log.append(at(2, 1, 'c'));
    await log.append(at(3, 1, 'd'));
    await until(() => heard.length >= 3);
    expect(heard.map(({ position, event }) => `${position}${event}`)).toEqual(['2b', '3c', '4d']);
    stop();
    await log.append(at(4, 1, 'e'));
    expect(heard).toHaveLength(3);
    await log.close();
  },

  'a snapshot takes the place of events, and what is behind it stays': async (open) => {
    const log = await open();
    await log.append(at(0, 1, 'a', 'b', 'c'));
    await log.append(at(3, 2, 'd'));
    const state = { sum: ['a', 'b'], text: 'x'.repeat(1_000) };
    expect(await log.compact({ position: 2, term: 2, state })).toEqual({ kind: 'ok', position: 2 });
    for (const one of [log, await reopened(log, open)]) {
      const page = await one.read(0);
      expect(page.snapshot).toMatchObject({ position: 2, state });
      expect(page.entries).toMatchObject([
        { position: 3, term: 1, event: 'c' },
        { position: 4, term: 2, event: 'd' },
      ]);
      expect((await one.read(2)).snapshot).toBeNull();
      expect(eventsOf((await one.read(3)).entries)).toEqual(['d']);
      expect(await one.head()).toEqual({ position: 4, term: 2 });
      if (one !== log) expect(await one.append(at(4, 2, 'e'))).toMatchObject({ kind: 'ok' });
      const pages: LogPage[] = [];
      const stop = one.watch(0, (told) => pages.push(told));
      await until(() => pages.length > 0);
      expect(pages[0]?.snapshot).toMatchObject({ position: 2, state });
      stop();
      if (one !== log) await one.close();
    }
  },

  'a snapshot of an older leader, or of what is not there, is refused': async (open) => {
    const log = await open();
    await log.append(at(0, 2, 'a', 'b'));
    expect(await log.compact({ position: 1, term: 1, state: 1 })).toEqual({
      kind: 'fenced',
      term: 2,
    });
    expect(await log.compact({ position: 3, term: 2, state: 1 })).toEqual({ kind: 'conflict' });
    expect(await log.compact({ position: 2, term: 2, state: 1 })).toMatchObject({ kind: 'ok' });
    expect(await log.compact({ position: 1, term: 2, state: 1 })).toEqual({ kind: 'conflict' });
    expect(await log.read(0)).toMatchObject({ snapshot: { position: 2, state: 1 }, entries: [] });
    expect(await log.append(at(2, 2, 'c'))).toEqual({ kind: 'ok', position: 3 });
    await log.close();
  },

  'an append that is too large is refused, and the log goes on': async (open) => {
    const log = await open();
    const large = 'x'.repeat(appendBytesMax);
    expect(await codeFrom(log.append(at(0, 1, large)))).toBe('METADATA_APPEND_TOO_LARGE');
    const half = 'x'.repeat(appendBytesMax / 2);
    const all = [0, 1, 2, 3, 4, 5].map((after) => log.append(at(after, 1, half)));
    expect((await Promise.all(all)).at(-1)).toEqual({ kind: 'ok', position: 6 });
    await log.close();
  },
};

async function reopened(log: MetadataLog, open: OpenLog): Promise<MetadataLog> {
  await log.head();
  return await open();
}
