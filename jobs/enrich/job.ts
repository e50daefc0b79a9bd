/**
 * Enrich: each order beside the user who made it, whom a service knows, asked over HTTP.
 *
 *     orders ─▶ lookup by user: GET <service>/users/<id> ─▶ order, name, city ─▶ file
 */
import { defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Order = t.struct({ id: t.int64(), user: t.int32().nullable(), total: t.float64() });
const User = t.struct({ name: t.utf8(), city: t.utf8().nullable() });

export default defineJob({
  name: 'enrich',
  params: {
    input: t.path(),
    output: t.path().default('enriched.ndjson'),
    service: t.utf8(),
    timeoutMs: t.int32().default(2_000),
    attempts: t.int32().default(3),
    capacity: t.int32().default(50),
    unordered: t.bool().default(false),
  },
  build: ({ read, params }) =>
    read(files.source({ path: params.input, format: ndjson(Order) }))
      .lookup(User, {
        key: (order) => order.user,
        lookup: (user) => userOf(params.service, user),
        isOrdered: !params.unordered,
        timeoutMs: params.timeoutMs,
        attemptsMax: params.attempts,
        capacity: params.capacity,
        cache: { entriesMax: 100_000, ttlMs: 60_000 },
      })
      .writeTo(files.sink({ path: params.output })),
});

/** Null: the service knows no such user. */
async function userOf(service: string, user: number) {
  const answer = await fetch(`${service}/users/${user}`);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}`);
  return (await answer.json()) as { name: string; city: string | null };
}
