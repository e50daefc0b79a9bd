/** Goal: what is said arrives as said, and what is no message is refused, whatever it is. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessage, encodeMessage, type RpcMessage } from '../../../base/rpc/message.ts';
import { codeOf } from '../../../base/typed-error.ts';

const id = fc.nat();
const body = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));
const messages = fc.oneof(
  fc.record(
    {
      kind: fc.constant('call' as const),
      id,
      method: fc.string(),
      body,
      deadlineMs: fc.nat(),
      term: fc.nat(),
      epoch: fc.nat(),
      key: fc.string(),
    },
    { requiredKeys: ['kind', 'id', 'method', 'body', 'deadlineMs'] },
  ),
  fc.record({ kind: fc.constant('ok' as const), id, body }),
);

test('a message survives encoding', () => {
  fc.assert(
    fc.property(messages, (message) => {
      expect(decodeMessage(encodeMessage(message as RpcMessage))).toEqual(message);
    }),
  );
});

test('any other JSON, and any other bytes, are RPC_FRAME', () => {
  const codeFrom = (frame: Uint8Array): string | null => {
    try {
      decodeMessage(frame);
      return null;
    } catch (error) {
      return codeOf(error);
    }
  };
  fc.assert(
    fc.property(fc.uint8Array(), (frame) => {
      expect(codeFrom(frame)).toBe('RPC_FRAME');
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(codeFrom(new TextEncoder().encode(JSON.stringify(value)))).toBe('RPC_FRAME');
    }),
  );
});

test.each`
  what                       | changed
  ${'a term below zero'}     | ${{ term: -1 }}
  ${'a term with fractions'} | ${{ term: 1.5 }}
  ${'an epoch of text'}      | ${{ epoch: '3' }}
  ${'a key that is none'}    | ${{ key: 3 }}
  ${'no body'}               | ${{ body: undefined }}
  ${'another version'}       | ${{ v: 2 }}
`('a call with $what is refused', ({ changed }) => {
  const call = { v: 1, kind: 'call', id: 1, method: 'm', body: null, deadlineMs: 5, ...changed };
  const frame = new TextEncoder().encode(JSON.stringify(call));
  expect(() => decodeMessage(frame)).toThrow('frame is no rpc message');
});
