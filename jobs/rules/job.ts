/**
 * Rules: payments that break rules, which come as a stream of their own and change while the job runs.
 *
 * A rule says how much a payment may be, or all payments of an account in a day. Each task has all rules, in a broadcast
 * state that rows of the control stream write: a new limit takes the place of the old one, and a rule without a limit
 * is off. Over files all rules come before the first payment, in the order of their times; where rules come over a
 * topic, or from the program, a payment is looked at by those that have come by then.
 */
import { defineJob, state, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const amount = t.float64();
const Payment = t.struct({ account: t.int64(), id: t.int64(), amount, at: t.timestampMs() });
const Rule = t.struct({
  rule: t.utf8(),
  /** What may not be more than `most`: a `payment`, or those of a `day` together. */
  of: t.utf8(),
  /** Null: the rule is off. */
  most: amount.nullable(),
  at: t.timestampMs(),
});
const Alert = t.struct({
  rule: t.utf8(),
  account: t.int64(),
  at: t.timestampMs(),
  amount,
  most: amount,
});

const dayMs = 86_400_000;

export default defineJob({
  name: 'rules',
  params: {
    input: t.path().describe('a file, a folder or a glob of payments as NDJSON'),
    rules: t.path().describe('the same of rules'),
    output: t.path().default('alerts.csv').describe('the file to write: .csv or .ndjson'),
  },
  build: ({ read, params: { input, rules, output } }) =>
    read(files.source({ path: input, format: ndjson(Payment) }))
      .eventTime((payment) => payment.at, { outOfOrdernessMs: 5000 })
      .keyBy((payment) => payment.account)
      .process({
        state: {
          /** What the account has paid, by the day's first millisecond. */
          paid: state.map(t.timestampMs(), amount),
          limits: state.broadcast(t.utf8(), t.struct({ of: t.utf8(), most: amount })),
        },
        output: Alert,
        control: read(files.source({ path: rules, format: ndjson(Rule) })).eventTime(
          (rule) => rule.at,
          { outOfOrdernessMs: 5000, idleAfterMs: 1000 },
        ),
        onControl({ rule, of, most }, { state: { limits } }) {
          if (most === null) limits.delete(rule);
          else limits.set(rule, { of, most });
        },
        onRow({ account, amount, at }, { state: { paid, limits }, timers, emit }) {
          for (const [rule, { of, most }] of limits.entries()) {
            if (of === 'payment' && amount > most) emit({ rule, account, at, amount, most });
          }
          const day = Math.floor(at / dayMs) * dayMs;
          paid.set(day, (paid.get(day) ?? 0) + amount);
          timers.eventTime(day + dayMs);
        },
        onTimer(timeMs, { key: { account }, state: { paid, limits }, emit }) {
          const at = timeMs - dayMs;
          const sum = paid.get(at) ?? 0;
          paid.delete(at);
          for (const [rule, { of, most }] of limits.entries()) {
            if (of === 'day' && sum > most) emit({ rule, account, at, amount: sum, most });
          }
        },
      })
      .orderBy((alert) => [
        alert.at.asc(),
        alert.account.asc(),
        alert.rule.asc(),
        alert.amount.asc(),
      ])
      .writeTo(files.sink({ path: output })),
});
