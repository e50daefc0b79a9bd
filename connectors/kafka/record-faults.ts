/** Errors of record batches: damaged, of a form that is not read, or with a record that its format refuses. */
import { type TypedError, typedError } from '../../base/typed-error.ts';

/** Where a batch or a record is. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** As messages and dead letters show it. */
export function placeText({ topic, partition, offset }: RecordPlace): string {
  return `topic "${topic}", partition ${partition}, offset ${offset}`;
}

/** @param fault - What is wrong with the batch: `its checksum is another one`. */
export function recordsCorruptError(fault: string, place?: RecordPlace): TypedError {
  const where = place === undefined ? 'a record batch' : `the record batch at ${placeText(place)}`;
  return typedError('KAFKA_RECORDS_CORRUPT', `${where} is damaged: ${fault}`, {
    hint:
      'It is read again a few times. Where it is the same each time, a disk of the broker is damaged: read from ' +
      'another replica, or start behind this offset.',
    retryable: true,
    ...(place !== undefined && { details: { ...place } }),
  });
}

export function unsupportedRecordsError(what: string, place: RecordPlace): TypedError {
  return typedError(
    'KAFKA_FEATURE_UNSUPPORTED',
    `the records at ${placeText(place)} have ${what}`,
    {
      hint: 'Have a producer of Kafka 0.11 or later write them, with gzip, snappy, lz4, zstd or no codec.',
      details: { ...place },
    },
  );
}

/** @param reason - To be read after "it": `is no JSON object`. */
export function recordRefusedError(place: RecordPlace, reason: string): TypedError {
  return typedError('KAFKA_RECORD', `the record at ${placeText(place)} cannot be read: ${reason}`, {
    hint:
      'Correct the producer, declare the column as what it holds (t.….nullable() where it may be missing), or ' +
      'give the source a sink for dead letters, which takes such records.',
    details: { ...place, reason },
  });
}
