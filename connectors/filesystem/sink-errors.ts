/** The errors of file sinks, each worded once. They name the target, not the hidden name beside it. */
import { type Compression, compressionEndings } from '../../base/compression.ts';
import { codeOf, type TypedError, typedError } from '../../base/typed-error.ts';

export function folderExistsError(path: string): TypedError {
  return typedError('SINK_FOLDER_EXISTS', `folder "${path}" exists already`, {
    hint: 'Add --overwrite to replace the folder and all that is in it, or choose another path.',
    details: { path },
  });
}

/** A folder with files of an earlier run, to which a job that begins anew would add its own. */
export function filledFolderError(path: string): TypedError {
  return typedError('SINK_FOLDER_EXISTS', `folder "${path}" has files already`, {
    hint:
      'Go on where the job was with --restore latest, add --overwrite to remove what is in the folder first, ' +
      'or choose another path.',
    details: { path },
  });
}

/** A single file, to which a job with checkpoints would have to add what others may be reading. */
export function needsFolderError(path: string): TypedError {
  return typedError('SINK_NEEDS_FOLDER', `a job with checkpoints can't write the file "${path}"`, {
    hint: `Each checkpoint adds files of its own: write to a folder, "${path}/", or run the job without checkpoints.`,
    details: { path },
  });
}

export function parentMissingError(path: string, parent: string): TypedError {
  return typedError(
    'SINK_PARENT_MISSING',
    `"${path}" cannot be written: there is no folder "${parent}"`,
    { hint: `Make the folder first: mkdir -p "${parent}".`, details: { path, parent } },
  );
}

/** The path is taken by something that is not replaced: a device, or a file where a folder is meant. */
export function occupiedError(path: string, what: string): TypedError {
  return typedError('SINK_UNWRITABLE', `"${path}" cannot be written: ${what}`, {
    hint: 'Choose the path of a file or a folder, one that may be replaced.',
    details: { path },
  });
}

/** A file is compressed as its name says, or nobody would know. */
export function compressionNameError(path: string, compression: Compression): TypedError {
  const ending = compressionEndings[compression];
  return typedError(
    'FILES_OPTION_INVALID',
    `file "${path}" is to be compressed with ${compression}, and its name does not say so`,
    {
      hint: `Name it "${path}${ending}", or end the path with a "/" for a folder of compressed parts.`,
      details: { path },
    },
  );
}

export function lostError(path: string, written: string): TypedError {
  return typedError('SINK_LOST', `what was written for "${path}" is no longer there`, {
    hint: `Something removed "${written}" before the job was finished. Run the job again.`,
    details: { path, written },
  });
}

/** A part that a checkpoint names, and that is neither hidden nor visible as it was written. */
export function partLostError(path: string, hidden: string, visible: string): TypedError {
  return typedError('SINK_LOST', `a file that was written for "${path}" is no longer there`, {
    hint:
      `Something removed or changed "${hidden}", or "${visible}" as which it was committed. Put it back, or run the ` +
      'job from its start.',
    details: { path, written: hidden },
  });
}

/** The error of a disk call on behalf of the target: names the target, keeps the disk's own as cause. */
export function writeError(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'DISK_FULL') {
    return typedError('DISK_FULL', `the disk is full while "${path}" is written`, {
      hint: 'Free some space or choose a path on another disk, then run again. Nothing was kept.',
      details: { path },
      cause: error,
    });
  }
  if (code === 'DISK_PERMISSION') {
    return typedError('SINK_UNWRITABLE', `"${path}" cannot be written: no right to do so`, {
      hint: 'Give this user the right to write to the folder, or choose another path.',
      details: { path },
      cause: error,
    });
  }
  return error;
}
