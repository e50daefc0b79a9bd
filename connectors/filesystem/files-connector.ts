/** The connector `files`: files as source and sink, in the formats of `connectors/formats`. */
import { assert } from '../../base/assert.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { fileFormatOf } from '../formats/file-formats.ts';
import { FileCheckpointCommitter } from './file-checkpoint-committer.ts';
import { FileCommitter } from './file-committer.ts';
import { FileEnumerator } from './file-enumerator.ts';
import type { FileSinkOptions, FileSourceOptions } from './file-options.ts';
import { FilePartsWriter } from './file-parts-writer.ts';
import { FileSinkWriter } from './file-sink-writer.ts';
import { targetOf } from './sink-target.ts';

export const filesConnector: Connector = {
  name: 'files',
  isReplayable: true,
  enumerator: (options, context) => new FileEnumerator(sourceOptionsOf(options), context),
  reader: (options, context) => {
    const { format } = sourceOptionsOf(options);
    const reader = fileFormatOf(format).reader?.(format, context);
    assert(reader !== undefined, 'the format of a source can be read');
    return reader;
  },
  committer: (options, context) => new FileCommitter(sinkOptionsOf(options), context),
  checkpointCommitter: (options, context) =>
    new FileCheckpointCommitter(sinkOptionsOf(options), context),
  writer: (options, prepared, context) => {
    const { format, compression } = sinkOptionsOf(options);
    const writing = { format, compression, target: targetOf(prepared) };
    return context.commitsAtCheckpoints
      ? new FilePartsWriter(writing, context)
      : new FileSinkWriter(writing, context);
  },
};

/** `connectors/files.ts` has checked the options where the job was built. */
function sourceOptionsOf(options: Json): FileSourceOptions {
  return options as unknown as FileSourceOptions;
}

function sinkOptionsOf(options: Json): FileSinkOptions {
  return options as unknown as FileSinkOptions;
}
