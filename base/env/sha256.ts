/** Names of content: what has the same name has the same bytes. */
import { createHash } from 'node:crypto';

/** 64 hexadecimal digits in lower case. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Whether a text can be such a name: what comes from outside becomes a part of a path only then. */
export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
