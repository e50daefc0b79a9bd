/** What a process's own thread and its network thread say to each other over a message port. */
import type { TlsCertificates } from '../../base/env/tls-certificates.ts';
import type { WireError } from '../../base/typed-error.ts';
import type { ExchangeJob } from '../exchange/greeting.ts';
import type { IncomingChannel } from '../exchange/network-program.ts';
import type { RemoteChannel } from '../exchange/remote-channel.ts';

/** What the network thread is started with. */
export interface NetworkStart {
  /** Where it listens. */
  readonly address: string;
  /** This process, by a name that no other has. */
  readonly name: string;
  /** Of all TCP connections; absent where all are on this host. */
  readonly tls?: TlsCertificates | undefined;
  /** Those of the slots, the program and the network. */
  readonly doorbells: SharedArrayBuffer;
  /** Its own among them. */
  readonly bell: number;
}

export type ToNetwork =
  | { readonly kind: 'begin'; readonly job: ExchangeJob | null }
  | {
      readonly kind: 'open';
      readonly outgoing: readonly RemoteChannel[];
      readonly incoming: readonly IncomingChannel[];
    }
  | { readonly kind: 'closeChannels'; readonly keys: readonly string[] }
  /** Its program ends, and so does the thread. */
  | { readonly kind: 'stop' };

export type FromNetwork =
  | { readonly kind: 'listening'; readonly address: string }
  /** It can not listen, and ends. */
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'lost'; readonly keys: readonly string[]; readonly error: WireError }
  | { readonly kind: 'refused'; readonly remote: string; readonly reason: string };
