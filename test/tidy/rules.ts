/** All tidy rules by the name that a failure, and the ratchet, gives them. */
import * as code from './code-rules.ts';
import * as file from './file-rules.ts';
import * as page from './page-rules.ts';
import type { Rule } from './tree.ts';

export const rules: Readonly<Record<string, Rule>> = {
  'a source file begins with a header': file.hasHeader,
  'a source file is short': file.isShort,
  'files and folders are named by what they are about': file.isWellNamed,
  'a test mirrors a source file': file.mirrorsASource,
  'no path of one machine': file.namesNoMachinePath,
  'no ambient time, chance or I/O': code.hasNoAmbientCall,
  'no ambient import': code.hasNoAmbientImport,
  'no swallowed error': code.hasNoEmptyCatch,
  'no console': code.hasNoConsole,
  'no default export': code.hasNoDefaultExport,
  'no test switched off': code.hasNoTestSwitchedOff,
  'no loose end': code.hasNoLooseEnd,
  'a folder has a README that names its files': page.hasReadme,
  'a page names files that exist': page.namesFilesThatExist,
  'links lead somewhere': page.linksResolve,
  'a page has one title': page.hasOneTitle,
  'a page names nothing twice': page.namesNothingTwice,
};
