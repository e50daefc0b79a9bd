/**
 * Columns as the schema of a file has them: a node for each group, and a leaf for each column of values, with
 * the levels that it has. Lists have three levels of nodes, by the names that the format recommends.
 *
 *     tags list<utf8?>?     optional group tags (LIST)      definition 1
 *                             repeated group list           definition 2, repetition 1
 *                               optional binary element     definition 3
 *
 * @see https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists
 */
import type { Field } from '../../../engine/schema/field-type.ts';
import { convertedTypes, logicalTypes, repetitions } from '../parquet-metadata.ts';
import { struct } from '../thrift-writer.ts';
import type { WrittenNode } from './file-footer.ts';
import { type PhysicalColumn, physicalColumnOf } from './physical-column.ts';

/** A column of values. */
export interface TreeLeaf {
  readonly path: readonly string[];
  readonly field: Field;
  readonly column: PhysicalColumn;
  /** The highest levels. */
  readonly definition: number;
  readonly repetition: number;
}

export interface ColumnTree {
  /** In the order of a walk. */
  readonly nodes: readonly WrittenNode[];
  readonly leaves: readonly TreeLeaf[];
}

export function columnTreeOf(field: Field): ColumnTree {
  const nodes: WrittenNode[] = [];
  const leaves: TreeLeaf[] = [];
  addField(field, { path: [], definition: 0, repetition: 0 }, { nodes, leaves });
  return { nodes, leaves };
}

interface Place {
  readonly path: readonly string[];
  readonly definition: number;
  readonly repetition: number;
}

interface Parts {
  readonly nodes: WrittenNode[];
  readonly leaves: TreeLeaf[];
}

function addField(field: Field, parent: Place, parts: Parts): void {
  const { name, type, nullable } = field;
  const path = [...parent.path, name];
  const definition = parent.definition + Number(nullable);
  const own = { path, definition, repetition: parent.repetition };
  const repetition = nullable ? repetitions.optional : repetitions.required;
  const group = { name, repetition, column: null, converted: null, logical: null };
  switch (type.kind) {
    case 'list': {
      const list = {
        converted: convertedTypes.list,
        logical: struct({ [logicalTypes.list]: struct({}) }),
      };
      const repeated = { ...group, name: 'list', repetition: repetitions.repeated };
      parts.nodes.push({ ...group, ...list, childCount: 1 }, { ...repeated, childCount: 1 });
      const inside = {
        path: [...path, 'list'],
        definition: definition + 1,
        repetition: parent.repetition + 1,
      };
      addField({ name: 'element', ...type.item }, inside, parts);
      return;
    }
    case 'struct':
      parts.nodes.push({ ...group, childCount: type.fields.length });
      for (const part of type.fields) addField(part, own, parts);
      return;
    default: {
      const column = physicalColumnOf(type);
      parts.nodes.push({ ...group, column, childCount: 0 });
      parts.leaves.push({ ...own, field, column });
    }
  }
}
