/** Schemas: the ordered, uniquely named, typed fields of a batch. Plain data. */
import { type Field, type FieldType, fieldsText } from './field-type.ts';

export type { Field } from './field-type.ts';

export interface Schema {
  readonly fields: readonly Field[];
}

export function schemaOf(...fields: Field[]): Schema {
  return { fields };
}

export function fieldOf(name: string, type: FieldType, nullable = false): Field {
  return { name, type, nullable };
}

/** The index of the field named `name`, or -1. */
export function fieldIndexOf(schema: Schema, name: string): number {
  const { fields } = schema;
  for (let index = 0; index < fields.length; index++)
    if (fields[index]?.name === name) return index;
  return -1;
}

/** `word utf8, count int64?`: the schema on one line; `?` marks a nullable field. */
export function schemaText(schema: Schema): string {
  return fieldsText(schema.fields);
}

/** `wanted`, or `wanted_2`, `wanted_3`… when it is taken; marks it as taken. */
export function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}_${number}`;
  taken.add(name);
  return name;
}
