/**
 * A WebAssembly module with one memory, which it imports, functions that it imports, and functions
 * that it exports: as much of the binary format as compiled expressions need.
 *
 * @see The WebAssembly specification, 5.5, "Modules": sections in order of their numbers.
 */
import { ByteWriter } from './byte-writer.ts';
import type { FunctionLocals } from './code-builder.ts';
import { controlCodes, type ValueType, valueTypes } from './instructions.ts';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function that the module exports; its code in parts, in order. */
export interface WasmFunction {
  readonly name: string;
  readonly signature: Signature;
  readonly locals: FunctionLocals;
  readonly parts: readonly Uint8Array[];
}

const sections = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const functionType = 0x60;
const kinds = { function: 0, memory: 2 } as const;
const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export class ModuleBuilder {
  readonly #imports: { module: string; name: string; signature: Signature }[] = [];
  readonly #functions: WasmFunction[] = [];
  readonly #signatures: Signature[] = [];

  /** Index of an imported function, for `call`; the same for the same name. */
  importFunction(module: string, name: string, signature: Signature): number {
    const found = this.#imports.findIndex((one) => one.module === module && one.name === name);
    return found >= 0 ? found : this.#imports.push({ module, name, signature }) - 1;
  }

  addFunction(wasmFunction: WasmFunction): void {
    this.#functions.push(wasmFunction);
  }

  /** The module; it imports `env.memory`, without a maximum, so that any plain memory links. */
  bytes(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    for (const byte of header) out.byte(byte);
    // Numbers of types are given out while the other sections are written.
    const imports = this.#importSection();
    const declarations = this.#functionSection();
    writeSection(out, sections.type, this.#typeSection());
    writeSection(out, sections.import, imports);
    writeSection(out, sections.function, declarations);
    writeSection(out, sections.export, this.#exportSection());
    writeSection(out, sections.code, this.#codeSection());
    return out.bytes();
  }

  #typeIndexOf(signature: Signature): number {
    const text = JSON.stringify(signature);
    const found = this.#signatures.findIndex((one) => JSON.stringify(one) === text);
    return found >= 0 ? found : this.#signatures.push(signature) - 1;
  }

  #typeSection(): ByteWriter {
    const out = new ByteWriter().unsigned(this.#signatures.length);
    for (const { parameters, results } of this.#signatures) {
      out.byte(functionType);
      for (const types of [parameters, results]) {
        out.unsigned(types.length);
        for (const type of types) out.byte(valueTypes[type]);
      }
    }
    return out;
  }

  #importSection(): ByteWriter {
    const out = new ByteWriter().unsigned(this.#imports.length + 1);
    for (const { module, name, signature } of this.#imports) {
      out.name(module).name(name).byte(kinds.function).unsigned(this.#typeIndexOf(signature));
    }
    return out.name('env').name('memory').byte(kinds.memory).byte(0).unsigned(1);
  }

  #functionSection(): ByteWriter {
    const out = new ByteWriter().unsigned(this.#functions.length);
    for (const { signature } of this.#functions) out.unsigned(this.#typeIndexOf(signature));
    return out;
  }

  #exportSection(): ByteWriter {
    const out = new ByteWriter().unsigned(this.#functions.length);
    for (const [index, { name }] of this.#functions.entries()) {
      out
        .name(name)
        .byte(kinds.function)
        .unsigned(this.#imports.length + index);
    }
    return out;
  }

  #codeSection(): ByteWriter {
    const out = new ByteWriter().unsigned(this.#functions.length);
    for (const { locals, parts } of this.#functions) {
      const body = new ByteWriter();
      writeLocals(body, locals.declared);
      for (const part of parts) body.append(part);
      body.byte(controlCodes.end);
      out.unsigned(body.length).append(body.bytes());
    }
    return out;
  }
}

function writeSection(out: ByteWriter, id: number, section: ByteWriter): void {
  out.byte(id).unsigned(section.length).append(section.bytes());
}

/** Locals as runs of one type. */
function writeLocals(out: ByteWriter, types: readonly ValueType[]): void {
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of types) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  out.unsigned(runs.length);
  for (const { type, count } of runs) out.unsigned(count).byte(valueTypes[type]);
}
