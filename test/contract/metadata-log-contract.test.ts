/** Goal: the metadata log in a file keeps the contract of the port; the one in etcd does in test/e2e. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { createRealEnv } from '../../base/env/real-env.ts';
import { openFileLog } from '../../coordinator/metadata/file-log.ts';
import { metadataLogCases } from '../support/metadata-log-cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-metadata-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(Object.entries(metadataLogCases))('%s', async (name, run) => {
  const path = join(folder, name.replaceAll(/\W/g, '-'));
  await run(() => openFileLog(createRealEnv(), path));
});
