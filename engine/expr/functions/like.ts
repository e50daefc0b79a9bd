/**
 * SQL's `like`: `%` stands for any text, the empty one too, `_` for one code point, and both stand
 * for themselves behind `\`.
 *
 * Only the last `%` is ever gone back to: what came before it has its first place already, and a
 * later one could not do more. So the time is at most text length × pattern length.
 */

const any = '%';
const one = '_';

type Sign = typeof any | typeof one | { readonly codePoint: string };

/** A matcher of whole texts. */
export function likeMatcherOf(pattern: string): (text: string) => boolean {
  const signs = signsOf(pattern);
  return (text) => isLike([...text], signs);
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
      signs.push({ codePoint: '\\' });
    }
    signs.push(isSign ? (codePoint as typeof any) : { codePoint });
    isEscaped = false;
  }
  if (isEscaped) signs.push({ codePoint: '\\' });
  return signs;
}

function isLike(text: readonly string[], signs: readonly Sign[]): boolean {
  let at = 0;
  let sign = 0;
  /** The sign behind the last `%`, and the place in the text from which it is tried. */
  let retry = { sign: -1, at: 0 };
  while (at < text.length) {
    const expected = signs[sign];
    if (expected === any) {
      sign++;
      retry = { sign, at };
    } else if (expected === one || (expected !== undefined && expected.codePoint === text[at])) {
      sign++;
      at++;
    } else if (retry.sign >= 0) {
      retry = { sign: retry.sign, at: retry.at + 1 };
      ({ sign, at } = retry);
    } else return false;
  }
  while (signs[sign] === any) sign++;
  return sign === signs.length;
}
