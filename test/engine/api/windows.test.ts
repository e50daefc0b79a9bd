/** Goal: durations and counts of windows that can't be are refused where they are written, each by its name. */
import { countWindow, cumulating, session, sliding, tumbling } from 'millrace';
import { describe, expect, test } from 'vitest';
import { firingOf } from '../../../engine/api/window-firing.ts';

const spec = { kind: 'tumbling', sizeMs: 10, offsetMs: 0, timeZone: null } as const;

/** By what is wrong: with that value, and what the message calls it. */
const durations: Record<string, (value: number) => unknown> = {
  'sizeMs of tumbling': (sizeMs) => tumbling({ sizeMs }),
  'sizeMs of sliding': (sizeMs) => sliding({ sizeMs, slideMs: 1 }),
  'slideMs of sliding': (slideMs) => sliding({ sizeMs: 10, slideMs }),
  'sizeMs of cumulating': (sizeMs) => cumulating({ sizeMs, stepMs: 1 }),
  'stepMs of cumulating': (stepMs) => cumulating({ sizeMs: 10, stepMs }),
  'gapMs of session': (gapMs) => session({ gapMs }),
  'rows of countWindow': (rows) => countWindow({ rows, slideRows: 1 }),
  'slideRows of countWindow': (slideRows) => countWindow({ rows: 10, slideRows }),
  'everyMs of a window': (everyMs) => firingOf(spec, { early: { everyMs } }),
  'everyRows of a window': (everyRows) => firingOf(spec, { early: { everyRows } }),
  'everyEventTimeMs of a window': (everyEventTimeMs) =>
    firingOf(spec, { early: { everyEventTimeMs } }),
};
const impossible = [0, -1, -10_000, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];

const invalid = (message: string) =>
  expect.objectContaining({
    message: expect.stringContaining(message),
    info: expect.objectContaining({ code: 'JOB_ARGUMENT_INVALID' }),
  });

describe.each(Object.entries(durations))('%s', (name, make) => {
  test.each(impossible)('%s is refused', (value) => {
    expect(() => make(value)).toThrow(invalid(name));
  });

  test('1 is not', () => {
    expect(() => make(1)).not.toThrow();
  });
});

test('lateness may be 0, and no less', () => {
  expect(firingOf(spec, { allowedLatenessMs: 0 }).allowedLatenessMs).toBe(0);
  for (const allowedLatenessMs of [-1, 0.5, Number.NaN]) {
    expect(() => firingOf(spec, { allowedLatenessMs })).toThrow(invalid('allowedLatenessMs'));
  }
});

test('windows come out for each late row where they take some, and go by a time', () => {
  const lateFiring = 'perRow';
  const firing = firingOf(spec, { allowedLatenessMs: 1, lateFiring });
  expect(firing.isLatePerRow).toBe(true);
  expect(() => firingOf(spec, { lateFiring })).toThrow(invalid('lateFiring'));
  expect(() => firingOf({ kind: 'global' }, { allowedLatenessMs: 1, lateFiring })).toThrow(
    invalid('no late rows'),
  );
  expect(() => firingOf(spec, { lateFiring: 'perKey' as never })).toThrow(invalid('lateFiring'));
});

test('a gap that no time can be added to is refused', () => {
  expect(() => session({ gapMs: 2 ** 43 })).not.toThrow();
  expect(() => session({ gapMs: 2 ** 43 + 1 })).toThrow(invalid('gapMs of session'));
});

test('a window of a count takes no option', () => {
  const count = { kind: 'count', rows: 3, slideRows: 3 } as const;
  for (const options of [{ allowedLatenessMs: 1 }, { missing: 'late' }, { early: {} }] as const) {
    expect(() => firingOf(count, options)).toThrow(invalid('no option'));
  }
  expect(() => firingOf(count, {})).not.toThrow();
});
