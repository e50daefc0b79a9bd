/** How entries of lists and maps lie below their key: what their sub keys end with, and what is in front of values. */

/** The sub key of a list's item: its index. */
export const indexBytes = 4;
/** The last byte of the sub key of a map's entry, and of a place in its list. */
export const entryTag = 1;
export const placeTag = 2;
/** Of the place in front of a map's value. */
export const placeBytes = 4;
