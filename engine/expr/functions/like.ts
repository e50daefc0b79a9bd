/**
 * SQL's `like`: `%` stands for any text, the empty one too, `_` for one code point, and both stand
 * for themselves behind `\`.
 *
 * Only the last `%` is ever gone back to: what came before it has its first place already, and a
 * later one could not do more. So the time is at most text length × pattern length.
 */

const any = '%';
const one = '_';
const backslash = 92;

type Sign = typeof any | typeof one | number;

/** A matcher of whole texts. */
export function likeMatcherOf(pattern: string): (text: string) => boolean {
  const signs = signsOf(pattern);
  return (text) => isLike(text, signs);
}

/** A `\` at the end stands for itself. */
function signsOf(pattern: string): Sign[] {
  const signs: Sign[] = [];
  let isEscaped = false;
  for (const codePoint of pattern) {
    if (!isEscaped && codePoint === '\\') {
      isEscaped = true;
      continue;
    }
    const isSign = !isEscaped && (codePoint === any || codePoint === one);
    if (isEscaped && codePoint !== any && codePoint !== one && codePoint !== '\\') {
      signs.push(backslash);
    }
    signs.push(isSign ? (codePoint as typeof any) : (codePoint.codePointAt(0) ?? 0));
    isEscaped = false;
  }
  if (isEscaped) signs.push(backslash);
  return signs;
}

function isLike(text: string, signs: readonly Sign[]): boolean {
  let at = 0;
  let sign = 0;
  // The sign behind the last `%`, and the place in the text from which it is tried.
  let retrySign = -1;
  let retryAt = 0;
  while (at < text.length) {
    const expected = signs[sign];
    const codePoint = text.codePointAt(at) ?? 0;
    if (expected === any) {
      sign++;
      retrySign = sign;
      retryAt = at;
    } else if (expected === one || expected === codePoint) {
      sign++;
      at += sizeOf(codePoint);
    } else if (retrySign >= 0) {
      retryAt += sizeOf(text.codePointAt(retryAt) ?? 0);
      at = retryAt;
      sign = retrySign;
    } else return false;
    // A `%` at the end takes all that is left.
    if (sign === signs.length && retrySign === sign) return true;
  }
  while (signs[sign] === any) sign++;
  return sign === signs.length;
}

/** UTF-16 units of a code point. */
function sizeOf(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}
