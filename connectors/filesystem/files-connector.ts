/** The connector `files`: text files as a source, CSV and NDJSON files as a sink. */
import type { Connector } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { TextReader } from '../formats/text-reader.ts';
import { FileCommitter } from './file-committer.ts';
import { FileEnumerator } from './file-enumerator.ts';
import type { FileSinkOptions, FileSourceOptions } from './file-options.ts';
import { FileSinkWriter } from './file-sink-writer.ts';
import { targetOf } from './sink-target.ts';

export const filesConnector: Connector = {
  name: 'files',
  enumerator: (options, context) => new FileEnumerator(sourceOptionsOf(options), context),
  reader: (options, context) => {
    const { invalidUtf8 } = sourceOptionsOf(options).format;
    return new TextReader({ invalidUtf8 }, context);
  },
  committer: (options, context) => new FileCommitter(sinkOptionsOf(options), context),
  writer: (options, prepared, context) => {
    const { format } = sinkOptionsOf(options);
    return new FileSinkWriter({ format, target: targetOf(prepared) }, context);
  },
};

/** `connectors/files.ts` has checked the options where the job was built. */
function sourceOptionsOf(options: Json): FileSourceOptions {
  return options as unknown as FileSourceOptions;
}

function sinkOptionsOf(options: Json): FileSinkOptions {
  return options as unknown as FileSinkOptions;
}
