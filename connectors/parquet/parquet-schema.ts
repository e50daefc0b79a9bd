/**
 * The schema of a Parquet file as a tree: where each column is among the chunks of a row group, how many
 * levels it has, and what its values mean, whichever of the format's two ways says so.
 *
 *     optional group tags (LIST)      definition 1                     ┐ levels count what is optional
 *       repeated group list           definition 2   repetition 1      │ or repeated, from the root on
 *         optional binary element     definition 3   repetition 1      ┘
 */
import {
  convertedTypes,
  logicalTypes,
  physicalTypes,
  repetitions,
  type SchemaElement,
} from './parquet-metadata.ts';
import type { ThriftStruct } from './thrift-reader.ts';

/** What values mean. */
export type Meaning =
  | { readonly kind: 'none' | 'text' | 'date' | 'uuid' | 'float16' }
  | { readonly kind: 'integer'; readonly bits: number; readonly isSigned: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly unit: TimeUnit }
  /** Something that no column of ours has. */
  | { readonly kind: 'other'; readonly name: string };

export type TimeUnit = 'ms' | 'us' | 'ns';

export interface ParquetLeaf {
  /** Among the chunks of a row group. */
  readonly index: number;
  readonly physical: number;
  /** Bytes of a value of `fixed`. */
  readonly typeLength: number;
  readonly meaning: Meaning;
}

export interface ParquetField {
  readonly name: string;
  readonly repetition: number;
  /** The highest levels that values of it have. */
  readonly definition: number;
  readonly repetitionLevel: number;
  readonly converted: number | null;
  readonly logical: number;
  /** Null of groups. */
  readonly leaf: ParquetLeaf | null;
  readonly children: readonly ParquetField[];
}

/** Groups in groups. */
const depthMax = 64;

/** The columns of the file. @throws RangeError */
export function parquetFieldsOf(elements: readonly SchemaElement[]): readonly ParquetField[] {
  const [root] = elements;
  if (root === undefined) throw new RangeError('a schema without a root');
  const next = { element: 1, leaf: 0 };
  const childrenOf = (
    parent: SchemaElement,
    levels: { readonly definition: number; readonly repetitionLevel: number },
    depth: number,
  ): ParquetField[] => {
    if (parent.childCount > elements.length || depth > depthMax) {
      throw new RangeError('a group of more than there is');
    }
    return Array.from({ length: parent.childCount }, () => {
      const element = elements[next.element++];
      if (element === undefined) throw new RangeError('a group without its fields');
      const own = {
        definition: levels.definition + (element.repetition === repetitions.required ? 0 : 1),
        repetitionLevel:
          levels.repetitionLevel + (element.repetition === repetitions.repeated ? 1 : 0),
      };
      const { name, repetition, converted, logical } = element;
      const common = { name, repetition, converted, logical: logical?.member ?? 0, ...own };
      if (element.childCount > 0 || element.physical === null) {
        return { ...common, leaf: null, children: childrenOf(element, own, depth + 1) };
      }
      return { ...common, leaf: leafOf(element, element.physical, next.leaf++), children: [] };
    });
  };
  return childrenOf(root, { definition: 0, repetitionLevel: 0 }, 0);
}

function leafOf(element: SchemaElement, physical: number, index: number): ParquetLeaf {
  const { typeLength } = element;
  const { fixed } = physicalTypes;
  if (physical < 0 || physical > fixed) throw new RangeError(`a physical type ${physical}`);
  if (physical === fixed && typeLength === 0) throw new RangeError('values of no bytes');
  const { logical } = element;
  const meaning = logical === null ? null : logicalMeaningOf(logical);
  return { index, physical, typeLength, meaning: meaning ?? convertedMeaningOf(element) };
}

/** Null where the older way must say it. */
function logicalMeaningOf(logical: ThriftStruct): Meaning | null {
  const { member } = logical;
  const own = logical.struct(member);
  switch (member) {
    case logicalTypes.string:
    case logicalTypes.enum:
    case logicalTypes.json:
      return { kind: 'text' };
    case logicalTypes.decimal:
      return { kind: 'decimal', scale: own?.int(1) ?? 0, precision: own?.int(2) ?? 0 };
    case logicalTypes.date:
      return { kind: 'date' };
    case logicalTypes.time:
      return { kind: 'time', unit: unitOf(own) };
    case logicalTypes.timestamp:
      return { kind: 'timestamp', unit: unitOf(own) };
    case logicalTypes.integer:
      return {
        kind: 'integer',
        bits: own?.int(1) ?? 0,
        isSigned: own?.bool(2, true) ?? true,
      };
    case logicalTypes.uuid:
      return { kind: 'uuid' };
    case logicalTypes.float16:
      return { kind: 'float16' };
    case logicalTypes.bson:
      return { kind: 'other', name: 'bson' };
    case logicalTypes.unknown:
      return { kind: 'other', name: 'null' };
    default:
      return null;
  }
}

function unitOf(own: ThriftStruct | null): TimeUnit {
  const units: readonly (TimeUnit | undefined)[] = [undefined, 'ms', 'us', 'ns'];
  const unit = units[own?.struct(2)?.member ?? 0];
  if (unit === undefined) throw new RangeError('a time without a unit');
  return unit;
}

const convertedMeanings: Readonly<Record<number, Meaning>> = {
  [convertedTypes.utf8]: { kind: 'text' },
  [convertedTypes.enum]: { kind: 'text' },
  [convertedTypes.json]: { kind: 'text' },
  [convertedTypes.date]: { kind: 'date' },
  [convertedTypes.timeMs]: { kind: 'time', unit: 'ms' },
  [convertedTypes.timeUs]: { kind: 'time', unit: 'us' },
  [convertedTypes.timestampMs]: { kind: 'timestamp', unit: 'ms' },
  [convertedTypes.timestampUs]: { kind: 'timestamp', unit: 'us' },
  [convertedTypes.uint8]: { kind: 'integer', bits: 8, isSigned: false },
  [convertedTypes.uint16]: { kind: 'integer', bits: 16, isSigned: false },
  [convertedTypes.uint32]: { kind: 'integer', bits: 32, isSigned: false },
  [convertedTypes.uint64]: { kind: 'integer', bits: 64, isSigned: false },
  [convertedTypes.int8]: { kind: 'integer', bits: 8, isSigned: true },
  [convertedTypes.int16]: { kind: 'integer', bits: 16, isSigned: true },
  [convertedTypes.int32]: { kind: 'integer', bits: 32, isSigned: true },
  [convertedTypes.int64]: { kind: 'integer', bits: 64, isSigned: true },
  [convertedTypes.bson]: { kind: 'other', name: 'bson' },
  [convertedTypes.interval]: { kind: 'other', name: 'interval' },
};

function convertedMeaningOf({ converted, physical, precision, scale }: SchemaElement): Meaning {
  if (converted === convertedTypes.decimal) return { kind: 'decimal', precision, scale };
  const said = converted === null ? undefined : convertedMeanings[converted];
  if (said !== undefined) return said;
  if (physical === physicalTypes.int32) return { kind: 'integer', bits: 32, isSigned: true };
  if (physical === physicalTypes.int64) return { kind: 'integer', bits: 64, isSigned: true };
  return { kind: 'none' };
}

/** The type of a column as people write it: `int64`, `decimal(15,2)`, `timestamp(ns)`, `list<utf8?>`. */
export function parquetTypeText(field: ParquetField): string {
  const { leaf, children, repetition } = field;
  if (repetition !== repetitions.repeated) {
    if (leaf !== null) return leafTypeText(leaf);
    if (isMap(field)) return 'map';
  }
  const list = listOf(field);
  if (list !== null) return `list<${parquetTypeText(list.item)}${questionMark(list.item)}>`;
  const parts = children.map(
    (child) => `${child.name} ${parquetTypeText(child)}${questionMark(child)}`,
  );
  return `struct<${parts.join(', ')}>`;
}

function questionMark({ repetition }: ParquetField): string {
  return repetition === repetitions.optional ? '?' : '';
}

/** A list in a file. */
export interface ParquetList {
  readonly item: ParquetField;
  /** From this definition on there is an item. */
  readonly itemDefinition: number;
}

/**
 * What a field that is a list has as items; null of other fields. Newer writers put a group between the
 * two; older ones let the repeated field be the item itself, or have no group around it. A map is a list of
 * its entries.
 * @see https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists
 */
export function listOf(field: ParquetField): ParquetList | null {
  if (field.repetition === repetitions.repeated) return itemItself(field);
  const [repeated] = field.children;
  if (field.children.length !== 1 || repeated?.repetition !== repetitions.repeated) return null;
  if (isMap(field)) return itemItself(asEntries(repeated));
  const isList = field.logical === logicalTypes.list || field.converted === convertedTypes.list;
  if (!isList) return null;
  const [inner] = repeated.children;
  const isItemItself =
    repeated.leaf !== null ||
    repeated.children.length !== 1 ||
    inner?.repetition === repetitions.repeated ||
    repeated.name === 'array' ||
    repeated.name === `${field.name}_tuple`;
  if (isItemItself || inner === undefined) return itemItself(repeated);
  return { item: inner, itemDefinition: repeated.definition };
}

function itemItself(repeated: ParquetField): ParquetList {
  const item = { ...repeated, repetition: repetitions.required };
  return { item, itemDefinition: repeated.definition };
}

function isMap({ logical, converted }: ParquetField): boolean {
  return (
    logical === logicalTypes.map ||
    converted === convertedTypes.map ||
    converted === convertedTypes.mapKeyValue
  );
}

/** Whatever a writer calls them, the first is the key. */
function asEntries(repeated: ParquetField): ParquetField {
  const names = ['key', 'value'];
  const children = repeated.children.map((child, index) => ({
    ...child,
    name: names[index] ?? child.name,
  }));
  return { ...repeated, children, logical: 0, converted: null };
}

function leafTypeText({ physical, typeLength, meaning }: ParquetLeaf): string {
  switch (meaning.kind) {
    case 'text':
      return 'utf8';
    case 'integer':
      return `${meaning.isSigned ? '' : 'u'}int${meaning.bits}`;
    case 'decimal':
      return `decimal(${meaning.precision},${meaning.scale})`;
    case 'time':
    case 'timestamp':
      return `${meaning.kind}(${meaning.unit})`;
    case 'other':
      return meaning.name;
    case 'none':
      return physicalText(physical, typeLength);
    default:
      return meaning.kind;
  }
}

function physicalText(physical: number, typeLength: number): string {
  switch (physical) {
    case physicalTypes.boolean:
      return 'bool';
    case physicalTypes.int96:
      return 'timestamp(ns)';
    case physicalTypes.float:
      return 'float32';
    case physicalTypes.double:
      return 'float64';
    case physicalTypes.fixed:
      return `binary(${typeLength})`;
    default:
      return 'binary';
  }
}
