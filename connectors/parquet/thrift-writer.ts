/**
 * Thrift's compact protocol, written: what a struct holds is given as plain functions by field number, so
 * that a footer reads like the format's own definition. For metadata only: a page has one header.
 *
 *     thriftBytes({ 1: i32(0), 2: i32(uncompressed), 5: struct({ 1: i32(values) }) })
 *
 * @see thrift-reader.ts for the encoding
 */

/** A value that knows its type and how it is written. */
export interface ThriftOut {
  /** Its type in front of it; of a bool also its value. */
  readonly type: number;
  readonly write: (out: number[]) => void;
}

/** Fields by number; those that are undefined are left out. */
export type ThriftFields = Readonly<Record<number, ThriftOut | undefined>>;

const types = { true: 1, false: 2, byte: 3, int32: 5, int64: 6, binary: 8, list: 9, struct: 12 };

export function bool(value: boolean): ThriftOut {
  const type = value ? types.true : types.false;
  return { type, write: () => {} };
}

export function i8(value: number): ThriftOut {
  return { type: types.byte, write: (out) => out.push(value & 0xff) };
}

export function i32(value: number): ThriftOut {
  return { type: types.int32, write: (out) => pushVarint(out, zigzag(value)) };
}

export function i64(value: number): ThriftOut {
  return { type: types.int64, write: (out) => pushVarint(out, zigzag(value)) };
}

export function binary(value: Uint8Array): ThriftOut {
  return {
    type: types.binary,
    write: (out) => {
      pushVarint(out, value.length);
      for (const byte of value) out.push(byte);
    },
  };
}

export function text(value: string): ThriftOut {
  return binary(new TextEncoder().encode(value));
}

/** All of one type; bools have another form in lists. */
export function list(items: readonly ThriftOut[]): ThriftOut {
  return {
    type: types.list,
    write: (out) => {
      const type = items[0]?.type ?? types.struct;
      if (items.length < 15) out.push((items.length << 4) | type);
      else {
        out.push(0xf0 | type);
        pushVarint(out, items.length);
      }
      for (const item of items) item.write(out);
    },
  };
}

export function bools(values: readonly boolean[]): ThriftOut {
  return list(
    values.map((value) => ({
      type: types.true,
      write: (out: number[]) => out.push(value ? types.true : types.false),
    })),
  );
}

export function struct(fields: ThriftFields): ThriftOut {
  return {
    type: types.struct,
    write: (out) => {
      let last = 0;
      // Numbers are keys in ascending order.
      for (const [key, value] of Object.entries(fields)) {
        if (value === undefined) continue;
        const field = Number(key);
        if (field - last <= 15) out.push(((field - last) << 4) | value.type);
        else {
          out.push(value.type);
          pushVarint(out, zigzag(field));
        }
        value.write(out);
        last = field;
      }
      out.push(0);
    },
  };
}

/** The bytes of a struct. */
export function thriftBytes(fields: ThriftFields): Uint8Array {
  const out: number[] = [];
  struct(fields).write(out);
  return Uint8Array.from(out);
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function pushVarint(out: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  out.push(rest);
}
