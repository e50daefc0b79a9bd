/** The effective configuration, as the roles take it. */
import type { ConfigKey } from './config-keys.ts';

export interface Config {
  readonly coordinator: {
    readonly listen: string;
    /** Absolute, as all paths here. */
    readonly data: string;
    /** Null where nobody has said it. */
    readonly name: string | null;
    readonly metadata: 'file' | 'etcd';
    /** Empty where metadata is in a file. */
    readonly etcd: readonly string[];
  };
  readonly worker: {
    /** One or more. */
    readonly coordinator: readonly string[];
    readonly listen: string;
    readonly data: string;
    readonly name: string | null;
    readonly slots: number;
    /** For all slots together. */
    readonly memoryBytes: number;
  };
  /** Coordinators to talk to; null where nobody has named any. */
  readonly cluster: readonly string[] | null;
  /** Null for plain connections, which stay on this host. */
  readonly tls: TlsFiles | null;
  /** Each key's value, and where it comes from. */
  readonly settings: readonly Setting[];
}

/** Absolute paths of files in PEM. */
export interface TlsFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface Setting {
  readonly key: ConfigKey;
  /** As people read it; null for none. */
  readonly value: string | number | readonly string[] | null;
  /** `--slots`, `MILLRACE_WORKER_SLOTS`, `millrace.config.json:3` or `default`. */
  readonly origin: string;
}
