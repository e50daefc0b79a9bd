/**
 * Channel state: what a checkpoint says of rows that were on their way, as plain data in the note that stands beside them. A
 * section is what lay in one place; the sections of a channel follow each other in the order `chain`, `ring`, `outbox`.
 *
 *     sender  [ outbox ] ──▶ [ ring ] ──▶ [ chain ] operator     first out: chain, then ring, then outbox
 *
 * Rows are in parts, watermarks in the note: each with the count of rows in front of it.
 * On disk: docs/formats/snapshot.md.
 */

// Type aliases, not interfaces: only those are assignable to `Json`.
export type ChannelSection = {
  readonly place: 'chain' | 'ring' | 'outbox';
  /** Of the rows; null where there are none. */
  readonly part: string | null;
  readonly rowCount: number;
  /** The operator's input. */
  readonly port: number;
  /** The vertex of the senders; of `chain` the operator's own. */
  readonly from: string;
  /** How rows had been given to the task, as the plan's exchanges are called; `chain`: by a call. */
  readonly exchange: string;
  readonly sender: number;
  readonly senders: number;
  readonly receiver: number;
  readonly receivers: number;
  /** How far event time was in front of the first row; null: as far as behind the section before it, or not known. */
  readonly watermarkMs: number | null;
  /** Watermarks among the rows: how many are in front, and the time. */
  readonly marks: readonly (readonly [number, number])[];
};

export type ChannelNote = { readonly sections: readonly ChannelSection[] };
