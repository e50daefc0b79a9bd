"""tpch_duckdb.py DATA OUT THREADS FORMAT: all queries by DuckDB, over Parquet or (arrow) its own tables.

Loading its own tables is not counted.
"""

import sys

import duckdb
from tpch_queries import TABLES, run_all

data, out, threads, table_format = sys.argv[1:5]
connection = duckdb.connect()
connection.execute(f"SET threads = {int(threads)}")
kind = "VIEW" if table_format == "parquet" else "TABLE"
for table in TABLES:
    source = f"read_parquet('{data}/parquet/{table}.parquet')"
    connection.execute(f"CREATE {kind} {table} AS SELECT * FROM {source}")
run_all(
    out,
    lambda sql, path: connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT csv, HEADER true)"),
)
