/** References of text-functions.as.ts, over JavaScript's strings. Places are in bytes. */

const encoder = new TextEncoder();

export function textLengthOf(text: string): number {
  return [...text].length;
}

/** The byte at which a code point begins. */
export function textOffsetOf(text: string, index: number): number {
  return encoder.encode([...text].slice(0, index).join('')).length;
}

export function findTextOf(text: string, part: string): number {
  const index = text.indexOf(part);
  return index < 0 ? -1 : encoder.encode(text.slice(0, index)).length;
}

export function spacesAtStartOf(text: string): number {
  return encoder.encode(text).length - encoder.encode(text.trimStart()).length;
}

export function spacesAtEndOf(text: string): number {
  return encoder.encode(text).length - encoder.encode(text.trimEnd()).length;
}

/** SQL's `like` as a regular expression: slower, and plainly right. */
export function isLikeOf(text: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\\[%_\\]|./gsu, (sign) => {
    if (sign === '%') return '.*';
    if (sign === '_') return '.';
    const plain = sign.length === 2 && sign.startsWith('\\') ? sign.slice(1) : sign;
    return plain.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
  });
  return new RegExp(`^${source}$`, 'su').test(text);
}

/** Null where the text is not ASCII. */
export function lowerAsciiOf(text: string): string | null {
  return isAscii(text) ? text.toLowerCase() : null;
}

export function upperAsciiOf(text: string): string | null {
  return isAscii(text) ? text.toUpperCase() : null;
}

export function replacedTextOf(text: string, part: string, replacement: string): string {
  return part === '' ? text : text.split(part).join(replacement);
}

export function reversedTextOf(text: string): string {
  return [...text].reverse().join('');
}

/** The first code points of a text repeated without end. */
export function filledTextOf(text: string, points: number): string {
  const signs = [...text];
  return Array.from({ length: points }, (_, index) => signs[index % signs.length]).join('');
}

function isAscii(text: string): boolean {
  return encoder.encode(text).length === text.length;
}
