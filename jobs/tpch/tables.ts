/**
 * The eight tables of TPC-H as streams. Their files lie in one folder, `lineitem.parquet` or
 * `lineitem.arrow` and so on, as `tpchgen-cli` writes them; only what a query uses is read.
 */
import { type BuildContext, t } from 'millrace';
import { columnar, files } from 'millrace/files';

const money = t.decimal(15, 2);

const Lineitem = t.struct({
  l_orderkey: t.int64(),
  l_partkey: t.int64(),
  l_suppkey: t.int64(),
  l_linenumber: t.int32(),
  l_quantity: money,
  l_extendedprice: money,
  l_discount: money,
  l_tax: money,
  l_returnflag: t.utf8(),
  l_linestatus: t.utf8(),
  l_shipdate: t.date(),
  l_commitdate: t.date(),
  l_receiptdate: t.date(),
  l_shipinstruct: t.utf8(),
  l_shipmode: t.utf8(),
  l_comment: t.utf8(),
});

const Orders = t.struct({
  o_orderkey: t.int64(),
  o_custkey: t.int64(),
  o_orderstatus: t.utf8(),
  o_totalprice: money,
  o_orderdate: t.date(),
  o_orderpriority: t.utf8(),
  o_clerk: t.utf8(),
  o_shippriority: t.int32(),
  o_comment: t.utf8(),
});

const Customer = t.struct({
  c_custkey: t.int64(),
  c_name: t.utf8(),
  c_address: t.utf8(),
  c_nationkey: t.int64(),
  c_phone: t.utf8(),
  c_acctbal: money,
  c_mktsegment: t.utf8(),
  c_comment: t.utf8(),
});

const Part = t.struct({
  p_partkey: t.int64(),
  p_name: t.utf8(),
  p_mfgr: t.utf8(),
  p_brand: t.utf8(),
  p_type: t.utf8(),
  p_size: t.int32(),
  p_container: t.utf8(),
  p_retailprice: money,
  p_comment: t.utf8(),
});

const Partsupp = t.struct({
  ps_partkey: t.int64(),
  ps_suppkey: t.int64(),
  ps_availqty: t.int32(),
  ps_supplycost: money,
  ps_comment: t.utf8(),
});

const Supplier = t.struct({
  s_suppkey: t.int64(),
  s_name: t.utf8(),
  s_address: t.utf8(),
  s_nationkey: t.int64(),
  s_phone: t.utf8(),
  s_acctbal: money,
  s_comment: t.utf8(),
});

const Nation = t.struct({
  n_nationkey: t.int64(),
  n_name: t.utf8(),
  n_regionkey: t.int64(),
  n_comment: t.utf8(),
});

const Region = t.struct({ r_regionkey: t.int64(), r_name: t.utf8(), r_comment: t.utf8() });

/** The tables of a folder. */
export function tablesIn(folder: string, { read }: Pick<BuildContext<unknown>, 'read'>) {
  const path = (table: string) => `${folder}/${table}.{parquet,arrow}`;
  return {
    lineitem: read(files.source({ path: path('lineitem'), format: columnar(Lineitem) })),
    orders: read(files.source({ path: path('orders'), format: columnar(Orders) })),
    customer: read(files.source({ path: path('customer'), format: columnar(Customer) })),
    part: read(files.source({ path: path('part'), format: columnar(Part) })),
    partsupp: read(files.source({ path: path('partsupp'), format: columnar(Partsupp) })),
    supplier: read(files.source({ path: path('supplier'), format: columnar(Supplier) })),
    nation: read(files.source({ path: path('nation'), format: columnar(Nation) })),
    region: read(files.source({ path: path('region'), format: columnar(Region) })),
  };
}

/** What a query is given. */
export type Tables = ReturnType<typeof tablesIn>;
