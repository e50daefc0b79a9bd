/** Goal: lists are found in files in all the ways that writers have had for them. */
import { expect, test } from 'vitest';
import {
  convertedTypes,
  physicalTypes,
  repetitions,
  type SchemaElement,
} from '../../../../connectors/parquet/parquet-metadata.ts';
import { parquetFieldsOf, parquetTypeText } from '../../../../connectors/parquet/parquet-schema.ts';
import { plannedColumnOf } from '../../../../connectors/parquet/plan/planned-column.ts';
import {
  type FieldType,
  int32Type,
  typeText,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';

/** Words, and its children behind them. */
interface Node extends ReadonlyArray<string | Node> {}

/** `optional list tags`: repetition, type or annotation, name; children behind it. */
function elementsOf([words, ...parts]: Node): SchemaElement[] {
  const [repetition = '', kind = '', name = ''] = String(words).split(' ');
  const children = parts as readonly Node[];
  const physical = kind === 'int32' ? physicalTypes.int32 : null;
  const annotations: Record<string, number> = {
    list: convertedTypes.list,
    map: convertedTypes.map,
  };
  const converted = annotations[kind] ?? null;
  const element: SchemaElement = {
    ...{ name, physical, converted, logical: null, typeLength: 0, scale: 0, precision: 0 },
    repetition: repetitions[repetition as keyof typeof repetitions],
    childCount: children.length,
  };
  return [element, ...children.flatMap(elementsOf)];
}

const list = (type: FieldType, nullable = false): FieldType => ({
  kind: 'list',
  item: { type, nullable },
});
const struct = (...names: string[]): FieldType => ({
  kind: 'struct',
  fields: names.map((name) => fieldOf(name, int32Type)),
});

function plan(node: Node, type: FieldType) {
  const root = elementsOf(['required group schema', node]);
  const fields = parquetFieldsOf(root);
  const scan = { fields, schema: root, rowCount: 0, rowGroups: [], typedOrders: [] };
  const planned = plannedColumnOf('a.parquet', scan, fieldOf('tags', type, true));
  return { text: fields.map(parquetTypeText).join(), ...planned.plan };
}

const standard: Node = ['optional list tags', ['repeated group list', ['optional int32 element']]];
const shape = (definition: number, itemDefinition: number, leaf: number) => ({
  ...{ kind: 'list', definition, itemDefinition, itemRepetition: 1 },
  item: { kind: 'leaf', leaf: 0, definition: leaf },
});

test.each<[string, Node, FieldType, object]>([
  ['three levels', standard, list(int32Type, true), shape(1, 2, 3)],
  [
    'the repeated field is the item',
    ['optional list tags', ['repeated int32 element']],
    list(int32Type),
    shape(1, 2, 2),
  ],
  ['no group around it', ['repeated int32 tags'], list(int32Type), shape(0, 1, 1)],
  [
    'an item by the name of array',
    ['optional list tags', ['repeated group array', ['required int32 a']]],
    list(struct('a')),
    { ...shape(1, 2, 0), item: { kind: 'struct', definition: 2, fields: [shape(0, 0, 2).item] } },
  ],
  [
    'an item by the name of its list',
    ['optional list tags', ['repeated group tags_tuple', ['required int32 a']]],
    list(struct('a')),
    { ...shape(1, 2, 0), item: { kind: 'struct', definition: 2, fields: [shape(0, 0, 2).item] } },
  ],
  [
    'an item of several fields',
    ['optional list tags', ['repeated group element', ['required int32 a'], ['optional int32 b']]],
    list(struct('b')),
    { ...shape(1, 2, 0), item: { kind: 'struct', definition: 2, fields: [shape(0, 0, 3).item] } },
  ],
  [
    'an item that is a list of two levels',
    ['optional list tags', ['repeated list array', ['repeated int32 array']]],
    list(list(int32Type)),
    {
      ...shape(1, 2, 0),
      item: {
        ...{ kind: 'list', definition: 2, itemDefinition: 3, itemRepetition: 2 },
        item: { kind: 'leaf', leaf: 0, definition: 3 },
      },
    },
  ],
  [
    'a map of other names',
    ['required map tags', ['repeated map map', ['required int32 k'], ['optional int32 v']]],
    list(struct('key')),
    { ...shape(0, 1, 0), item: { kind: 'struct', definition: 1, fields: [shape(0, 0, 1).item] } },
  ],
])('%s', (_title, node, type, expected) => {
  expect(plan(node, type).shape).toEqual(expected);
});

test.each<[Node, FieldType, string]>([
  [standard, list(utf8Type), 'list<int32?>'],
  [standard, int32Type, 'list<int32?>'],
  [standard, struct('list'), 'list<int32?>'],
  [['repeated int32 tags'], int32Type, 'list<int32>'],
  [['optional group tags', ['required int32 a']], struct('b'), 'struct<a int32>'],
  [['optional int32 tags'], list(int32Type), 'int32'],
])('%j is not read as another type', (node, type, found) => {
  const message = `column "tags" of Parquet file "a.parquet" is ${found}, not ${typeText(type)}`;
  expect(() => plan(node, type)).toThrow(message);
});
