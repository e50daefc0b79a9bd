/** Goal: many lists in one column are what as many arrays are, and freed room is used again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ListEntries, NumberLists } from '../../../../dfs/namenode/table/number-lists.ts';

const owners = 5;
const step = fc.record({
  kind: fc.constantFrom('insert', 'insert', 'insert', 'remove', 'clear', 'fill'),
  owner: fc.integer({ min: 0, max: owners - 1 }),
  place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  value: fc.nat(),
});

test('lists are arrays', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const shared = new ListEntries();
      const lists = new NumberLists(shared);
      lists.reserve(owners);
      const reference: number[][] = Array.from({ length: owners }, () => []);
      for (const { kind, owner, place, value } of steps) {
        const list = reference[owner] ?? [];
        const index = Math.floor(place * (list.length + (kind === 'insert' ? 1 : 0)));
        if (kind === 'insert') {
          lists.insert(owner, index, value);
          list.splice(index, 0, value);
        } else if (kind === 'remove' && list.length > 0) {
          lists.remove(owner, index);
          list.splice(index, 1);
        } else if (kind === 'clear') {
          lists.clear(owner);
          list.length = 0;
        } else if (kind === 'fill') {
          const count = Math.floor(place * 40);
          lists.fill(owner, count, (at) => at + value);
          list.splice(0, list.length, ...Array.from({ length: count }, (_, at) => at + value));
        }
      }
      reference.forEach((list, owner) => {
        const found = Array.from({ length: lists.count.get(owner) }, (_, at) =>
          lists.at(owner, at),
        );
        expect(found).toEqual(list);
        expect(lists.indexOf(owner, list[0] ?? -1)).toBe(list.length > 0 ? 0 : -1);
      });
    }),
  );
});

test('a list that grows and is cleared a thousand times takes no more room than the first time', () => {
  const shared = new ListEntries();
  const lists = new NumberLists(shared);
  lists.reserve(1);
  for (let round = 0; round < 1_000; round++) {
    for (let value = 0; value < 100; value++) lists.push(0, value);
    lists.clear(0);
  }
  expect(shared.column.sizeBytes).toBe(4_096 * 4);
});
