/** The module: every kernel that the engine calls. Documented in the *-kernels.ts files. */
export * from './accumulate.as';
export * from './expression.as';
export * from './gather.as';
export * from './group.as';
export * from './hash.as';
export * from './nexmark.as';
export * from './merge-rows.as';
export { parseNdjson, unescapeTexts } from './ndjson.as';
export * from './order-groups.as';
export * from './partition.as';
export * from './radix-sort.as';
export * from './sort-encode.as';
export * from './sort-rows.as';
export * from './table.as';
export * from './take.as';
export * from './text.as';
export * from './tokenise.as';
export * from './widen.as';
