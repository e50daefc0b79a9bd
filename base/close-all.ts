/** Closes every part, also after one has failed; the first error leaves at the end. */
export function closeAll(parts: readonly ({ close(): void } | null)[]): void {
  const errors: unknown[] = [];
  for (const part of parts) {
    try {
      part?.close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
