"""sort_duckdb.py DATA OUT THREADS KEY: sorts by DuckDB, over its own table beside the data."""

import sys

import duckdb
import pyarrow as pa

data, out, threads, key = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
connection = duckdb.connect(data + ".duckdb", read_only=True)
connection.execute(f"SET threads = {threads}")
reader = connection.execute(f'SELECT "{key}", value FROM data ORDER BY "{key}"').to_arrow_reader(65_536)
with pa.OSFile(out, "wb") as file, pa.ipc.new_file(file, reader.schema) as writer:
    for batch in reader:
        writer.write_batch(batch)
