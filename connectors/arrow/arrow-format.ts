/** The format `arrow`: Arrow IPC files and streams. */
import type { Field } from '../../engine/schema/field-type.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';
import type { FileFormat } from '../formats/file-format.ts';
import { createArrowReader } from './arrow-reader.ts';
import { partsOf } from './arrow-split.ts';
import { planArrowSplits } from './arrow-split-planner.ts';
import { arrowStatistics } from './arrow-statistics.ts';
import { ArrowWriter, type ArrowWriterOptions } from './arrow-writer.ts';

export const arrowFormat: FileFormat = {
  kind: 'arrow',
  planSplits: (request) => planArrowSplits(request, declaredOf(request.options)),
  pathsOf: (payload) => partsOf(payload).map(({ path }) => path),
  statistics: arrowStatistics,
  reader: (_options, context) => createArrowReader(context),
  writer: (options, target) => new ArrowWriter(settingsOf(options), target),
  partEnding: (options) => (settingsOf(options).container === 'stream' ? '.arrows' : '.arrow'),
};

function settingsOf({ settings }: FormatOptions): ArrowWriterOptions {
  return settings as unknown as ArrowWriterOptions;
}

/** The fields of the struct that the job gave to `arrow`. */
function declaredOf({ fields }: FormatOptions): readonly Field[] {
  return fields as unknown as readonly Field[];
}
