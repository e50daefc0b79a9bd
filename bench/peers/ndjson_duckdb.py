"""ndjson_duckdb.py DATA OUT THREADS: bids and their sum by auction, by DuckDB.

The columns are declared, as they are for Millrace: nothing is inferred.
"""

import sys

import duckdb

data, out, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute(
    f"""
    COPY (
      SELECT auction, count(*) AS bids, sum(price)::BIGINT AS total
      FROM read_json('{data}', format = 'newline_delimited', columns = {{
        auction: 'BIGINT', bidder: 'BIGINT', price: 'BIGINT', channel: 'VARCHAR',
        url: 'VARCHAR', date_time: 'BIGINT', extra: 'VARCHAR'
      }})
      GROUP BY auction
      ORDER BY auction
    ) TO '{out}' (FORMAT csv, HEADER true)
    """
)
