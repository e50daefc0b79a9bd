/**
 * The methods of columns that are not for all kinds. They lie in files by kind (the ones imported
 * here), each of which adds its interface to `Column` and its functions to the prototype: one class
 * to name, to infer from and to read in an editor, and files of a size that can be read.
 *
 * Who makes columns imports this file.
 */
import { addMethods } from './add-methods.ts';
import { Column } from './column.ts';
import { castMethods } from './column-cast.ts';
import { dateMethods } from './column-date.ts';
import { nestedMethods } from './column-nested.ts';
import { numberMethods } from './column-number.ts';
import { textMethods } from './column-text.ts';

addMethods(Column, {
  ...castMethods,
  ...dateMethods,
  ...nestedMethods,
  ...numberMethods,
  ...textMethods,
});
