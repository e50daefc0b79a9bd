/** Splits of a topic: one for each partition, from an offset on, up to another or without an end. */
import type { Split } from '../../engine/contracts/source.ts';

/** What a reader is told of a partition, and what it says of where it is. A type alias, as `Json` wants it. */
export type KafkaPosition = {
  readonly partition: number;
  readonly start: number;
  /** Exclusive; null: there is no end. */
  readonly end: number | null;
};

export function kafkaSplit(topic: string, position: KafkaPosition): Split {
  const id = `${topic}-${position.partition}`;
  const isEndless = position.end === null;
  return { id, sizeBytes: 0, payload: position, sequence: id, ...(isEndless && { isEndless }) };
}

/** `kafkaSplit` has made it. */
export function splitIn({ payload }: Split): KafkaPosition {
  return payload as unknown as KafkaPosition;
}

/** Where to go on in it; null: at its beginning. */
export function positionIn({ position }: Split): KafkaPosition | null {
  return position === undefined ? null : (position as unknown as KafkaPosition);
}
