/**
 * Fraud: a small payment, to try a card out, and right after it a large one.
 *
 * Payments of an account have to be looked at in the order of their own time, and come in any order. So each waits
 * in state until the timer of its time says that no earlier one follows; then it is compared with the one before. The
 * same rows come out however the input is read.
 */
import { defineJob, state, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const amount = t.float64();
const Payment = t.struct({ account: t.int64(), id: t.int64(), amount, at: t.timestampMs() });
const Alert = t.struct({
  account: t.int64(),
  smallId: t.int64(),
  id: t.int64(),
  amount,
  at: t.timestampMs(),
});
/** What is kept of a payment. */
const Kept = t.struct({ id: t.int64(), amount });
const Small = t.struct({ id: t.int64(), at: t.timestampMs() });

export default defineJob({
  name: 'fraud',
  params: {
    input: t.path().describe('a file, a folder or a glob of payments as NDJSON'),
    small: t.float64().default(1).describe('a payment of less tries a card out'),
    large: t.float64().default(500).describe('a payment of more empties it'),
    within: t.int64({ js: 'number' }).default(60).describe('seconds from one to the other'),
    output: t.path().default('alerts.csv').describe('the file to write: .csv or .ndjson'),
  },
  build: ({ read, params: { input, small, large, within, output } }) =>
    read(files.source({ path: input, format: ndjson(Payment) }))
      .eventTime((payment) => payment.at, { outOfOrdernessMs: 5000 })
      .keyBy((payment) => payment.account)
      .process({
        state: {
          waiting: state.map(t.timestampMs(), t.list(Kept)),
          lastSmall: state.value(Small),
        },
        output: Alert,
        onRow({ id, amount, at }, { state: { waiting }, timers }) {
          waiting.set(at, [...(waiting.get(at) ?? []), { id, amount }]);
          // A millisecond later no other payment of this time follows.
          timers.eventTime(at + 1);
        },
        onTimer(timeMs, { key: { account }, state: { waiting, lastSmall }, emit }) {
          const at = timeMs - 1;
          const payments = waiting.get(at) ?? [];
          waiting.delete(at);
          for (const { id, amount } of payments.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
            const before = lastSmall.get();
            if (amount > large && before !== null && at - before.at <= within * 1000) {
              emit({ account, smallId: before.id, id, amount, at });
            }
            if (amount < small) lastSmall.set({ id, at });
            else lastSmall.clear();
          }
        },
      })
      .orderBy((alert) => [alert.at.asc(), alert.id.asc()])
      .writeTo(files.sink({ path: output })),
});
