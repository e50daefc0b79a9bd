/** Goal: a plan that names a connector finds all the parts of it. */
import { expect, test } from 'vitest';
import { connectors } from '../../connectors/registry.ts';

test('files are a source and a sink', () => {
  const files = connectors.get('files');
  expect(files?.name).toBe('files');
  for (const part of ['enumerator', 'reader', 'committer', 'writer'] as const) {
    expect(files?.[part]).toBeTypeOf('function');
  }
});
