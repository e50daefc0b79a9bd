/**
 * Snapshot streams: batches of one schema as an Arrow IPC stream, and back. The stream says of itself what Arrow has no
 * words for: how a function reads an int64, and which texts are dictionaries outside.
 *
 * Before: worker/snapshot/snapshot-file-writer.ts. After: connectors/arrow/arrow-writer.ts.
 */
import type { ArrowSchema } from '../../connectors/arrow/arrow-messages.ts';
import { ArrowWriter } from '../../connectors/arrow/arrow-writer.ts';
import type { OutputBuffer } from '../../connectors/formats/output-buffer.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { isSameType, utf8Type } from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { SnapshotContext } from './snapshot-output.ts';

/** The name of the schema, as JSON, in the metadata of the stream's own. On disk: never rename. */
const schemaKey = 'millrace.schema';

/** A writer that has written its header. */
export function openStreamWriter(
  context: SnapshotContext,
  schema: Schema,
  output: OutputBuffer,
): ArrowWriter {
  const plain = withoutDictionaries(schema);
  const writer = new ArrowWriter(
    { container: 'stream', compression: 'none', metadata: { [schemaKey]: JSON.stringify(schema) } },
    { context: slotContextOf(context, plain), schema: plain, output },
  );
  writer.writeHeader();
  return writer;
}

/** The schema of a stream's batches, its own types included; null when there is none that fits its fields. */
export function schemaOfStream({ fields, metadata }: ArrowSchema): Schema | null {
  const text = metadata.get(schemaKey);
  if (text === undefined) return null;
  const schema = JSON.parse(text) as Schema;
  const isSame = schema.fields.every(({ name, type }, index) => {
    const found = fields[index];
    return found?.name === name && found.type !== null && isSameType(found.type, type);
  });
  return isSame && fields.length === schema.fields.length ? schema : null;
}

/** What connectors ask for, of which they use memory, kernels and disk here. */
export function slotContextOf(context: SnapshotContext, schema: Schema): SlotContext {
  const { disk, scope, kernels } = context;
  return { disk, scope, kernels, schema, taskIndex: 0, attempt: 1, hasDeadLetters: false };
}

/** A dictionary would have to be held as long as the stream is written, and again when it is read. */
function withoutDictionaries({ fields }: Schema): Schema {
  return {
    fields: fields.map((field) =>
      field.type.kind === 'utf8' ? { ...field, type: utf8Type } : field,
    ),
  };
}
