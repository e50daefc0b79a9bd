/** Sends on a connection that may have ended just now: who sends hears of it through `onClose`, and once. */
import type { Connection } from '../../base/env/net.ts';
import { codeOf } from '../../base/typed-error.ts';

export function sendIfOpen(connection: Connection, frame: Uint8Array): void {
  try {
    connection.send(frame);
  } catch (error) {
    if (codeOf(error) !== 'NET_BROKEN') throw error;
  }
}
