"""expressions_duckdb.py DATA OUT THREADS: filter and project by DuckDB, over its own table.

The table lies beside the Arrow file, so that DuckDB reads the format that it is best at.
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
      SELECT id, revenue
      FROM (SELECT id, day, price * quantity * (1 - discount) AS revenue FROM trades)
      WHERE day >= 5000 AND revenue > 400000
    ) TO '{out}' (FORMAT csv, HEADER true)
    """
)
