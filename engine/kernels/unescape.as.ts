/** Finishes texts that have escapes (NDJSON) or doubled quotes (CSV), in the place of their bytes. */
import { undoubleQuotes } from './csv.as';
import { storeView } from './inline.as';
import { unescapeJson } from './json-text.as';
import * as layout from './record-layout.as';

/** Layout and meaning: `unescapeTexts` in record-kernels.ts. */
export function unescapeTexts(fixups: usize, count: u32, quote: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const fixup = fixups + (<usize>index << 4);
    const column = load<u32>(fixup, 4);
    const kind = column & 63;
    if (kind != layout.fixupJsonText && kind != layout.fixupCsvText) continue;
    const at = <usize>load<u32>(fixup, 8);
    const length = load<u32>(fixup, 12);
    const values = <usize>load<u32>(<usize>(column & ~63), layout.columnValues);
    const size = kind == layout.fixupJsonText ? unescapeJson(at, length) : undoubleQuotes(at, length, quote);
    storeView(values + (<usize>load<u32>(fixup) << 4), at, size);
  }
}
