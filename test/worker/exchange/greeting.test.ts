/** Goal: who is taken in, who is refused for now and who for good; and what is no greeting is known to be none. */
import { describe, expect, test } from 'vitest';
import { exchangeVersion } from '../../../worker/exchange/frame.ts';
import {
  decodeHello,
  decodeOpen,
  decodeRefusal,
  encodeGreeting,
  type Hello,
  judgeHello,
  type Refusal,
} from '../../../worker/exchange/greeting.ts';

const own = { jobId: 'a', epoch: 5 };
const hello: Hello = { version: exchangeVersion, ...own, from: 'x', connection: 2 };

type Judge = typeof judgeHello;

const rules = [
  { what: 'the right one', hello, answer: null },
  { what: 'another version', hello: { ...hello, version: 99 }, answer: false },
  { what: 'another job', hello: { ...hello, jobId: 'b' }, answer: true },
  { what: 'an older epoch', hello: { ...hello, epoch: 4 }, answer: false },
  { what: 'a newer epoch', hello: { ...hello, epoch: 6 }, answer: true },
  { what: 'the connection that is there', hello: { ...hello, connection: 1 }, answer: false },
];

const answerOf = (refusal: Refusal | null) => refusal?.mayComeBack ?? null;

test.each(rules)('$what: may come back $answer', ({ hello: said, answer }) => {
  expect(answerOf(judgeHello(said, own, 1))).toBe(answer);
});

test('where nothing runs all may come back', () => {
  expect(answerOf(judgeHello(hello, null, 0))).toBe(true);
});

const mistakes: Record<string, Judge> = {
  'the epoch is not looked at': (said, ...rest) => judgeHello({ ...said, epoch: 5 }, ...rest),
  'the version is not looked at': (said, ...rest) => {
    return judgeHello({ ...said, version: exchangeVersion }, ...rest);
  },
  'the job is not looked at': (said, ...rest) => judgeHello({ ...said, jobId: 'a' }, ...rest),
  'an older connection is taken': (said, here) => judgeHello(said, here, 0),
};

describe('a planted mistake is found', () => {
  test.each(Object.keys(mistakes))('%s', (name) => {
    const judge = mistakes[name] ?? judgeHello;
    const wrong = rules.filter((rule) => answerOf(judge(rule.hello, own, 1)) !== rule.answer);
    expect(wrong).toHaveLength(name.includes('epoch') ? 2 : 1);
  });
});

test('greetings come back as they were, and bytes that are none as none', () => {
  const refusal = { reason: 'no', mayComeBack: true };
  const open = { key: 'k', windowSlots: 4, slotBytes: 64, next: 7, consumed: 3 };
  expect(decodeHello(encodeGreeting(hello))).toEqual(hello);
  expect(decodeRefusal(encodeGreeting(refusal))).toEqual(refusal);
  expect(decodeOpen(encodeGreeting(open))).toEqual(open);
  for (const text of ['', '{', '7', 'null', '{"version":"1"}', '{"key":"k","windowSlots":-1}']) {
    const body = new TextEncoder().encode(text);
    expect([decodeHello(body), decodeRefusal(body), decodeOpen(body)]).toEqual([null, null, null]);
  }
});
