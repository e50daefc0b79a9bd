/** The errors of text: where in the file it is, and what the user can do. */
import { type TypedError, typedError } from '../../base/typed-error.ts';

export function invalidUtf8Error(path: string, byteOffset: number): TypedError {
  return typedError(
    'TEXT_INVALID_UTF8',
    `file "${path}" has bytes that are not UTF-8, from byte ${byteOffset} on`,
    {
      hint:
        'Convert the file to UTF-8, leave it out, or read it with invalidUtf8: "replace", which ' +
        'puts the replacement character U+FFFD where such bytes are.',
      details: { path, byteOffset },
    },
  );
}

export function lineTooLongError(path: string, byteOffset: number, lineBytesMax: number) {
  return typedError(
    'TEXT_LINE_TOO_LONG',
    `file "${path}" has a line ${longerThan(lineBytesMax)}, which begins at byte ${byteOffset}`,
    {
      hint: 'Check that this is a text file with line breaks ("\\n"), or leave it out of the input.',
      details: { path, byteOffset },
    },
  );
}

/** `longer than 64 MB`. */
export function longerThan(bytesMax: number): string {
  return `longer than ${bytesMax >= 1 << 20 ? `${bytesMax >> 20} MB` : `${bytesMax} bytes`}`;
}
