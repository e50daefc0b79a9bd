/**
 * `ingestionTime`: a verb of streams whose event time is the clock. Adds it to `Stream`, whose file has no room for it; who
 * makes streams imports this file.
 */
import { typedError } from '../../base/typed-error.ts';
import { appendNode, type VerbOptions } from '../plan/logical-node.ts';
import { fieldOf } from '../schema/schema.ts';
import { addMethods } from './add-methods.ts';
import type { Column } from './column.ts';
import type { Together } from './grouping.ts';
import type { Shown } from './row.ts';
import { Stream } from './stream.ts';

/** The column that `ingestionTime` adds. */
type IngestedAt<Name extends string> = {
  readonly [P in Name]: Column<'timestampMs', number, false, P>;
};

declare module './stream.ts' {
  interface Stream<C> {
    /**
     * Adds the time of the clock at which a row comes by, and makes it the event time. Behind a source that is ingestion
     * time; windows of it are those of processing time, and end when the clock has passed them, whether rows come or not.
     * What such windows have in them depends on when rows were read: no two runs give the same. A clock of the host
     * that is set back does not let the time fall.
     *
     * @param name - Of the column. @defaultValue 'ingestedAt'
     * @throws PLAN_DUPLICATE_NAME
     * @example `bids.ingestionTime().keyBy((bid) => bid.bidder).window(tumbling({ sizeMs: 10_000 }))`
     */
    ingestionTime<Name extends string = 'ingestedAt'>(
      name?: Name,
      options?: VerbOptions,
    ): Stream<Shown<Together<IngestedAt<Name>, C>>>;
  }
}

addMethods(Stream, {
  ingestionTime(this: unknown, name = 'ingestedAt', options?: VerbOptions) {
    const node = Stream.nodeIn('ingestionTime', this);
    const { fields } = node.content.schema;
    if (fields.some((field) => field.name === name)) {
      throw typedError('PLAN_DUPLICATE_NAME', `ingestionTime adds "${name}", and rows have one`, {
        hint: 'Give it another name: ingestionTime("readAt").',
      });
    }
    const time = fieldOf(name, { kind: 'timestamp', unit: 'ms' });
    const schema = { fields: [...fields, time] };
    return new Stream(appendNode([node], { kind: 'ingestionTime', column: name, schema }, options));
  },
});
