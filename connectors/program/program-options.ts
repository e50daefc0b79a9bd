/** The options of sources and sinks that exchange rows with the program, as a plan carries them. */
import type { Json } from '../../engine/contracts/json.ts';
import type { Field, Schema } from '../../engine/schema/schema.ts';

// Type aliases, not interfaces: only those are assignable to `Json`.

export type ProgramSourceOptions = {
  /** What the program calls the rows. */
  readonly name: string;
  /** The fields of all rows; a plan's schema may have fewer. */
  readonly fields: Json;
};

export type ProgramSinkOptions = {
  readonly name: string;
};

export function sourceOptionsOf(name: string, schema: Schema): ProgramSourceOptions {
  return { name, fields: schema.fields as unknown as Json };
}

export function nameIn(options: Json): string {
  return (options as ProgramSinkOptions).name;
}

/** The schema of all rows of a source. */
export function schemaIn(options: Json): Schema {
  return { fields: (options as ProgramSourceOptions).fields as unknown as readonly Field[] };
}
