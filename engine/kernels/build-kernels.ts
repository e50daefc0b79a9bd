/**
 * Compiles all `*.as.ts` files into one WebAssembly module and writes it as `kernels.wasm.ts`
 * (`npm run kernels`). The bytes are committed, so that users need no compiler; a test rebuilds them
 * and compares.
 *
 * The module must stand on the slot's memory alone. Refused here: a data segment (it would overwrite
 * the memory when instantiated), `memory.grow` (sizes are fixed at start), and any import but the
 * memory. The memory is imported without a maximum, so that any plain memory links, up to 4 GiB.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = new URL('.', import.meta.url);
const flags = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--importMemory'],
  ...['--enable', 'simd', '--enable', 'bulk-memory', '--enable', 'sign-extension'],
];

/** Compiles the kernels; throws with the compiler's words when they do not compile. */
export async function compileKernels(): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  let text = '';
  const result = await asc.main(
    ['kernels.as.ts', '-o', 'kernels.wasm', '-t', 'kernels.wat', ...flags],
    {
      stdout: { write: () => true },
      readFile: (name) => readSource(name),
      writeFile: (name, contents) => {
        if (name.endsWith('.wat')) text = String(contents);
        else if (typeof contents !== 'string') bytes = contents;
      },
      listFiles: () => [],
    },
  );
  if (result.error !== null || bytes === undefined) {
    throw new Error(`kernels did not compile: ${result.stderr.toString()}`, {
      cause: result.error,
    });
  }
  checkModule(bytes, text);
  return bytes;
}

/** The text of `kernels.wasm.ts`: the module in base64, in lines of 100 columns. */
export function wasmSourceOf(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,96}/g) ?? [];
  const header = '/** Generated from the *.as.ts files by `npm run kernels`; do not edit. */\n';
  return `${header}export const kernelsBase64 = \`\n${lines.join('\n')}\n\`;\n`;
}

function readSource(name: string): string | null {
  try {
    return readFileSync(new URL(name, folder), 'utf8');
  } catch {
    return null; // The compiler tries several places; it reports what is found nowhere.
  }
}

function checkModule(bytes: Uint8Array, text: string): void {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const imports = WebAssembly.Module.imports(module).map(
    (entry) => `${entry.module}.${entry.name}`,
  );
  if (imports.join() !== 'env.memory')
    throw new Error(`kernels import more than memory: ${imports}`);
  for (const banned of ['(data ', 'memory.grow', '(mut ', '(start ']) {
    if (text.includes(banned)) throw new Error(`kernels must not contain "${banned}"`);
  }
  if (!/\(import "env" "memory" \(memory \$0 \d\)\)/.test(text)) {
    throw new Error('kernels must import a plain memory without a maximum');
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await compileKernels();
  writeFileSync(new URL('kernels.wasm.ts', folder), wasmSourceOf(bytes));
}
