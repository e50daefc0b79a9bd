/** Goal: a transaction that a partition still has open is ended as it has ended for its coordinator, and no other one is touched. */
import { expect, test } from 'vitest';
import type {
  KafkaClient,
  OpenTransaction,
  TransactionState,
} from '../../../connectors/kafka/kafka-client.ts';
import { kafkaError } from '../../../connectors/kafka/kafka-errors.ts';
import { lostOutcome, writeLostMarkers } from '../../../connectors/kafka/lost-markers.ts';

const open = { producerId: 7, epoch: 4 };

test.each`
  state               | producerId | epoch | outcome     | because
  ${'CompleteCommit'} | ${7}       | ${4}  | ${'commit'} | ${'it was committed'}
  ${'CompleteAbort'}  | ${7}       | ${4}  | ${'abort'}  | ${'it was aborted'}
  ${'CompleteAbort'}  | ${7}       | ${5}  | ${'abort'}  | ${'the broker ended it, and added 1'}
  ${'Empty'}          | ${7}       | ${5}  | ${'abort'}  | ${'to begin has aborted it'}
  ${'Ongoing'}        | ${7}       | ${5}  | ${'abort'}  | ${'another one is open, which has not come here'}
  ${'Ongoing'}        | ${7}       | ${4}  | ${null}     | ${'it is open'}
  ${'PrepareCommit'}  | ${7}       | ${4}  | ${null}     | ${'its marker is on its way'}
  ${'PrepareAbort'}   | ${7}       | ${4}  | ${null}     | ${'its marker is on its way'}
  ${'Empty'}          | ${7}       | ${3}  | ${null}     | ${'it has begun behind the look'}
  ${'CompleteCommit'} | ${8}       | ${4}  | ${null}     | ${'it is of another producer'}
`(
  'the coordinator has $state of $producerId, $epoch: $outcome, $because',
  ({ state, producerId, epoch, outcome }) => {
    expect(lostOutcome(open, { state, producerId, epoch })).toBe(outcome);
  },
);

const hanging: OpenTransaction = { ...open, partition: 3, coordinatorEpoch: 1, startOffset: 12 };
const committed: TransactionState = { state: 'CompleteCommit', ...open };

/** A client of which only what is asked here is there. */
function clientWith(
  found: readonly OpenTransaction[] | null,
  write: KafkaClient['writeMarker'] = async () => undefined,
) {
  const asked: unknown[] = [];
  const client = {
    openTransactions: async (...args: unknown[]) => {
      asked.push(args);
      return found;
    },
    writeMarker: write,
  } as unknown as KafkaClient;
  return { client, asked };
}

test('only what is a leftover of an id is ended', async () => {
  const written: unknown[] = [];
  const others = { ...hanging, producerId: 70 };
  const { client } = clientWith([others, hanging], async (...args) => {
    written.push(args);
  });
  await writeLostMarkers(client, 'counts', [committed]);
  expect(written).toEqual([['counts', hanging, 'commit']]);
});

test('a user who may not look goes on; without ids nothing is looked at', async () => {
  const blind = clientWith(null);
  await writeLostMarkers(blind.client, 'counts', [committed], [3]);
  expect(blind.asked).toEqual([['counts', [3]]]);
  const fresh = clientWith([hanging]);
  await writeLostMarkers(fresh.client, 'counts', []);
  expect(fresh.asked).toEqual([]);
});

test('one that comes late, behind another one who has begun the id, leaves it as it is', async () => {
  const { client } = clientWith([hanging], async () => {
    throw kafkaError(47, 'topic "counts", partition 3');
  });
  await expect(writeLostMarkers(client, 'counts', [committed])).resolves.toBeUndefined();
});

test('a user who may not end it is told where it is, and who can', async () => {
  const { client } = clientWith([hanging], async () => {
    throw kafkaError(31, 'topic "counts", partition 3');
  });
  const aborted = { state: 'CompleteAbort', producerId: 7, epoch: 5 };
  await expect(writeLostMarkers(client, 'counts', [aborted])).rejects.toMatchObject({
    message: expect.stringMatching(/"counts", partition 3: .* abort .* producer 7 from offset 12/),
    info: {
      code: 'KAFKA_TRANSACTION_HANGS',
      hint: expect.stringContaining('--topic counts --partition 3 --start-offset 12'),
    },
  });
});
