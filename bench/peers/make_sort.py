"""make_sort.py OUT ROWS: an Arrow IPC file to sort, and the same as a DuckDB table in OUT.duckdb.

small    int32, any value of 31 bits
real     float64, from 0 to 1
value    int64, the row's number

Seeded: the same values on every machine. Record batches have 65,536 rows and no column has nulls.
"""

import sys

import duckdb
import numpy as np
import pyarrow as pa

BATCH_ROWS = 65_536

out_path, row_count = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(5)
schema = pa.schema(
    [
        pa.field("small", pa.int32(), nullable=False),
        pa.field("real", pa.float64(), nullable=False),
        pa.field("value", pa.int64(), nullable=False),
    ]
)

with pa.OSFile(out_path, "wb") as file, pa.ipc.new_file(file, schema) as writer:
    for start in range(0, row_count, BATCH_ROWS):
        count = min(BATCH_ROWS, row_count - start)
        small = random.integers(0, 1 << 31, count).astype(np.int32)
        columns = [small, random.random(count), np.arange(start, start + count)]
        writer.write_batch(pa.record_batch(columns, schema=schema))

rows = pa.ipc.open_file(pa.memory_map(out_path)).read_all()
duckdb.connect(out_path + ".duckdb").execute("CREATE TABLE data AS SELECT * FROM rows")
