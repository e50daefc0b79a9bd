/** Goal: the user's partition function is asked with the key, and its answer is checked. */
import { expect, test } from 'vitest';
import { partitionDriver } from '../../../engine/compile/partition-driver.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchOf, newContext } from '../../support/operator-harness.ts';

const key = fieldOf('key', utf8Type, true);
const schema = schemaOf(fieldOf('n', int32Type), key);

function channels(partition: (key: string | null, count: number) => number): number[] {
  const { memory, scope } = newContext('tested');
  const channelOf = partitionDriver({
    operator: 'tested',
    memory,
    key,
    keyIndex: 1,
    channelCount: 3,
    partition,
  });
  const keys = ['a', 'some longer key', null, ''];
  const batch = batchOf(
    scope,
    schema,
    keys.map((text) => ({ n: 1, key: text })),
  );
  try {
    return keys.map((_, row) => channelOf(batch, row));
  } finally {
    batch.release();
    memory.assertEmpty();
  }
}

test('each key has the channel that the function says', () => {
  expect(channels((text, count) => (text ?? '??').length % count)).toEqual([1, 0, 2, 0]);
});

test.each([3, -1, 0.5, Number.NaN, undefined])('%s is no partition', (answer) => {
  expect(() => channels(() => answer as number)).toThrow(
    `user function "partition" of operator "tested" returned ${answer}; partitions are 0 to 2`,
  );
});

test('a throw is told with the key', () => {
  const run = () =>
    channels(() => {
      throw new Error('no luck');
    });
  expect(run).toThrow('user function "partition" of operator "tested" failed: no luck');
});
