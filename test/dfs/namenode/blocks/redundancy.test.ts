/** Goal: copies are made in HDFS's order of urgency, racks are kept, and the last whole replica is never at stake. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  chooseSurplus,
  mayDeleteWrong,
  type Surplus,
  urgencyOf,
} from '../../../../dfs/namenode/blocks/redundancy.ts';

test.each`
  wanted | live | leaving | wrong | racks | racksThere | urgency
  ${3}   | ${3} | ${0}    | ${0}  | ${2}  | ${2}       | ${null}
  ${3}   | ${3} | ${0}    | ${2}  | ${2}  | ${2}       | ${null}
  ${3}   | ${4} | ${0}    | ${0}  | ${1}  | ${1}       | ${null}
  ${1}   | ${1} | ${0}    | ${0}  | ${1}  | ${2}       | ${null}
  ${3}   | ${3} | ${0}    | ${0}  | ${1}  | ${2}       | ${'misplaced'}
  ${3}   | ${2} | ${0}    | ${0}  | ${1}  | ${2}       | ${'few'}
  ${3}   | ${2} | ${1}    | ${0}  | ${2}  | ${2}       | ${'few'}
  ${3}   | ${1} | ${0}    | ${0}  | ${1}  | ${2}       | ${'only-one'}
  ${3}   | ${1} | ${2}    | ${2}  | ${1}  | ${2}       | ${'only-one'}
  ${6}   | ${2} | ${0}    | ${0}  | ${2}  | ${2}       | ${'few'}
  ${7}   | ${2} | ${0}    | ${0}  | ${2}  | ${2}       | ${'very-few'}
  ${3}   | ${0} | ${1}    | ${1}  | ${0}  | ${2}       | ${'only-one'}
  ${3}   | ${0} | ${0}    | ${1}  | ${0}  | ${2}       | ${'none-whole'}
  ${3}   | ${0} | ${0}    | ${0}  | ${0}  | ${2}       | ${null}
`(
  '$live of $wanted, $leaving leaving, $wrong wrong, $racks of $racksThere racks: $urgency',
  (row) => {
    expect(urgencyOf(row)).toBe(row.urgency);
  },
);

test.each`
  live | wrong | hasTarget | may
  ${0} | ${3}  | ${true}   | ${false}
  ${0} | ${3}  | ${false}  | ${false}
  ${1} | ${2}  | ${true}   | ${false}
  ${1} | ${2}  | ${false}  | ${true}
  ${2} | ${1}  | ${true}   | ${false}
  ${3} | ${1}  | ${true}   | ${true}
`('$live live of 3, $wrong wrong, room elsewhere $hasTarget: deleted $may', (row) => {
  const copies = { wanted: 3, leaving: 0, racks: 1, racksThere: 2, ...row };
  expect(mayDeleteWrong(copies, row.hasTarget)).toBe(row.may);
});

function surplus(text: string): Surplus {
  const [name = '', rack = '', free = ''] = text.split(' ');
  const place = { datanodeId: name, storageId: `${name}1` };
  return { place, rack, isStale: free.endsWith('?'), freeBytes: Number.parseInt(free, 10) };
}

test.each`
  live                                      | wanted | gone
  ${['a r1 5', 'b r1 3', 'c r2 1']}         | ${3}   | ${[]}
  ${['a r1 5', 'b r1 3', 'c r2 1']}         | ${2}   | ${['b']}
  ${['a r1 5', 'b r1 9?', 'c r2 1']}        | ${2}   | ${['b']}
  ${['a r1 5', 'b r1 3', 'c r2 1']}         | ${1}   | ${['b', 'c']}
  ${['a r1 5', 'b r2 3', 'c r3 4?']}        | ${2}   | ${['c']}
  ${['b r1 3', 'a r1 3', 'c r1 3']}         | ${1}   | ${['a', 'b']}
  ${['a r1 1', 'b r1 2', 'c r2 3', 'd r2']} | ${2}   | ${['a', 'c']}
`('of $live $wanted are kept: $gone go', ({ live, wanted, gone }) => {
  const all = live.map((text: string) => surplus(text.endsWith('r2') ? `${text} 9` : text));
  expect(chooseSurplus(all, wanted).map(({ datanodeId }) => datanodeId)).toEqual(gone);
});

const replica = fc.record({ rack: fc.nat(3), isStale: fc.boolean(), freeBytes: fc.nat(4) });

test('no other choice keeps more racks, and so many are kept as are wanted', () => {
  fc.assert(
    fc.property(
      fc.array(replica, { maxLength: 7 }),
      fc.integer({ min: 1, max: 5 }),
      (all, wanted) => {
        const live = all.map(({ rack, ...rest }, at) => {
          const place = { datanodeId: `dn${at}`, storageId: 's' };
          return { ...rest, rack: `/r${rack}`, place };
        });
        const gone = new Set(chooseSurplus(live, wanted).map(({ datanodeId }) => datanodeId));
        const kept = live.filter(({ place }) => !gone.has(place.datanodeId));
        expect(kept.length).toBe(Math.min(wanted, live.length));
        const racksOf = (some: readonly Surplus[]) => new Set(some.map(({ rack }) => rack)).size;
        let best = 0;
        for (let choice = 0; choice < 1 << live.length; choice++) {
          const some = live.filter((_, at) => (choice >> at) & 1);
          if (some.length === kept.length) best = Math.max(best, racksOf(some));
        }
        expect(racksOf(kept)).toBe(best);
      },
    ),
  );
});
