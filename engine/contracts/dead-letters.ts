/**
 * Dead letters: records of a source that could not be read, as rows of a second output. A reader
 * collects them (`SplitReader.takeDeadLetters`); the plan says where they go.
 */
import { binaryType, utf8Type } from '../schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../schema/schema.ts';

/**
 * - `origin`: where the record is, such as `logs/a.ndjson, byte 1234`
 * - `reason`: what is wrong with it, such as `column "price" is missing`
 * - `text`: the record, where it is UTF-8
 * - `bytes`: the record, where it is not
 */
export const deadLetterSchema: Schema = schemaOf(
  fieldOf('origin', utf8Type),
  fieldOf('reason', utf8Type),
  fieldOf('text', utf8Type, true),
  fieldOf('bytes', binaryType, true),
);
