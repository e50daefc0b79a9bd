/** Goal: what was written is read as it was, and what can not be understood is refused, not left out. */
import { expect, test } from 'vitest';
import type { JsonValue } from '../../../base/rpc/message.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { decodeEvent, encodeEvent } from '../../../coordinator/metadata/metadata-event.ts';
import { metadataEvents } from './metadata-events.ts';

test.each(metadataEvents.map((event) => [event.kind, event] as const))(
  '%s is read as it was written',
  (_, event) => {
    const stored = JSON.parse(JSON.stringify(encodeEvent(event))) as JsonValue;
    expect(decodeEvent(stored, 1)).toEqual(event);
  },
);

test.each`
  stored                                          | code
  ${{ kind: 'jobPaused', v: 1 }}                  | ${'METADATA_VERSION'}
  ${{ kind: 'scheduleRemoved', v: 2, name: 'a' }} | ${'METADATA_VERSION'}
  ${{ kind: 'toString', v: 1 }}                   | ${'METADATA_VERSION'}
  ${{ kind: 'scheduleRemoved', v: 1 }}            | ${'METADATA_LOG_DAMAGED'}
  ${{ kind: 'scheduleRemoved', v: 1, name: 7 }}   | ${'METADATA_LOG_DAMAGED'}
  ${{ kind: 'scheduleRemoved', name: 'a' }}       | ${'METADATA_LOG_DAMAGED'}
  ${{ v: 1 }}                                     | ${'METADATA_LOG_DAMAGED'}
  ${null}                                         | ${'METADATA_LOG_DAMAGED'}
  ${'text'}                                       | ${'METADATA_LOG_DAMAGED'}
`('$stored is refused with $code', ({ stored, code }) => {
  let found: string | null = null;
  try {
    decodeEvent(stored, 7);
  } catch (error) {
    found = codeOf(error);
  }
  expect(found).toBe(code);
});
