"""make_trades.py OUT ROWS: an Arrow IPC file of trades, and the same as a DuckDB table in OUT.duckdb.

id int32, day int32 (0 to 9999), quantity int32 (1 to 50), price float64 (1 to 10,000, in cents),
discount float64 (0 to 0.1, in hundredths). Seeded: the same values on every machine. Record batches
have 65,536 rows and no column has nulls.
"""

import sys

import duckdb
import numpy as np
import pyarrow as pa

BATCH_ROWS = 65_536

out_path, row_count = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(7)
schema = pa.schema(
    [
        pa.field("id", pa.int32(), nullable=False),
        pa.field("day", pa.int32(), nullable=False),
        pa.field("quantity", pa.int32(), nullable=False),
        pa.field("price", pa.float64(), nullable=False),
        pa.field("discount", pa.float64(), nullable=False),
    ]
)


def make_batch(start, count):
    return pa.record_batch(
        [
            np.arange(start, start + count, dtype=np.int32),
            random.integers(0, 10_000, count, dtype=np.int32),
            random.integers(1, 51, count, dtype=np.int32),
            random.integers(100, 1_000_001, count) / 100,
            random.integers(0, 11, count) / 100,
        ],
        schema=schema,
    )


with pa.OSFile(out_path, "wb") as file, pa.ipc.new_file(file, schema) as writer:
    for start in range(0, row_count, BATCH_ROWS):
        writer.write_batch(make_batch(start, min(BATCH_ROWS, row_count - start)))

trades = pa.ipc.open_file(pa.memory_map(out_path)).read_all()
duckdb.connect(out_path + ".duckdb").execute("CREATE TABLE trades AS SELECT * FROM trades")
