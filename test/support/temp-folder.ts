/** A folder of its own for each test, removed when the test ends. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** Makes the folder with the files in it; `a/b.txt` makes the folder `a` as well. */
export function tempFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-test-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  return folder;
}

/** All files below the folder and their contents, hidden ones included. */
export function contentsOf(folder: string): Record<string, string> {
  const contents: Record<string, string> = {};
  for (const name of fs.readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    if (fs.statSync(file).isDirectory()) {
      const below = contentsOf(file);
      if (Object.keys(below).length === 0) contents[`${name}/`] = '';
      for (const [inner, text] of Object.entries(below)) contents[`${name}/${inner}`] = text;
    } else {
      contents[name] = fs.readFileSync(file, 'utf8');
    }
  }
  return contents;
}
