/** Freezing of plain data: plans are shared by many readers, so nobody may change them. */

/** Freezes objects and arrays all the way down and answers the same value. Plain data only; bytes can't be frozen. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
