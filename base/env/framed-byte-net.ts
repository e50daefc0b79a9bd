/**
 * Data connections over the net seam: each write is one frame. For roles that share a process, and for the simulation, whose net
 * breaks, delays and cuts connections; both are there for the protocol, not for speed.
 */
import { codeOf } from '../typed-error.ts';
import type { ByteConnection, ByteHandlers, ByteNet } from './byte-net.ts';
import type { Connection, Net } from './net.ts';

export function framedByteNet(net: Net): ByteNet {
  return {
    listen(address, accept) {
      return net.listen(address, (connection) => {
        attach(connection, accept(byteConnectionOf(connection)));
      });
    },
    async connect(address, deadlineMs, handlers) {
      const connection = await net.connect(address, deadlineMs);
      attach(connection, handlers);
      return byteConnectionOf(connection);
    },
  };
}

function byteConnectionOf(connection: Connection): ByteConnection {
  return {
    remote: connection.remote,
    write: (pieces) => {
      try {
        return connection.send(joined(pieces));
      } catch (error) {
        if (codeOf(error) !== 'NET_BROKEN') throw error;
        return true; // Its end is on its way to `onClose`.
      }
    },
    close: () => connection.close(),
  };
}

function attach(connection: Connection, { onBytes, onDrain, onClose }: ByteHandlers): void {
  connection.onClose(onClose);
  connection.onDrain(onDrain);
  connection.onFrame(onBytes);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
