"""shuffle_duckdb.py DATA OUT THREADS: rows and distinct amounts per key by DuckDB, over its own table.

The table lies beside the Arrow file, so that DuckDB reads the format that it is best at. Of the groups
one line is written that depends on all of them.
"""

import sys

import duckdb

data, out, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = duckdb.connect(data + ".duckdb", read_only=True)
connection.execute(f"SET threads = {threads}")
connection.execute("SET preserve_insertion_order = false")
connection.execute(
    f"""
    COPY (
      SELECT count(*) AS groups, sum(n) AS rows, sum(n * n) AS squares,
        sum(n * total) AS products, max(total) AS most
      FROM (SELECT key, count(*) AS n, count(DISTINCT amount) AS total FROM groups GROUP BY key)
    ) TO '{out}' (FORMAT csv, HEADER true)
    """
)
