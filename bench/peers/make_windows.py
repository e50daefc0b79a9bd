"""make_windows.py FOLDER ROWS: rows-0 and rows-1, each as Arrow IPC and as Parquet, for the windows bench.

key      int32 below 100,000, each as likely as the others
value    float64, a multiple of a quarter, so that every sum is exact in any order
ts       int64, milliseconds, ascending, 100 rows each

Batches of 65,536 rows go to the one part and the other, so that two readers see the same event time side by
side. Seeded by batch: the same values on every machine. No column has nulls.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 65_536
ROWS_PER_MILLISECOND = 100
BASE_TIME = 1_700_000_000_000
GROUP_BATCHES = 16

folder, row_count = sys.argv[1], int(sys.argv[2])
schema = pa.schema(
    [
        pa.field("key", pa.int32(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("ts", pa.int64(), nullable=False),
    ]
)


def batch_of(number):
    start = number * BATCH_ROWS
    count = min(BATCH_ROWS, row_count - start)
    random = np.random.Generator(np.random.PCG64(number))
    key = random.integers(0, 100_000, count, dtype=np.int32)
    value = random.integers(0, 4_000_000, count) / 4
    ts = BASE_TIME + np.arange(start, start + count, dtype=np.int64) // ROWS_PER_MILLISECOND
    return pa.record_batch([key, value, ts], schema=schema)


for part in (0, 1):
    path = f"{folder}/rows-{part}"
    batches = range(part, -(-row_count // BATCH_ROWS), 2)
    group = []
    with (
        pq.ParquetWriter(f"{path}.parquet", schema, compression="snappy") as parquet,
        pa.ipc.new_file(f"{path}.arrow", schema) as arrow,
    ):
        for number in batches:
            batch = batch_of(number)
            arrow.write_batch(batch)
            group.append(batch)
            if len(group) == GROUP_BATCHES or number == batches[-1]:
                parquet.write_table(pa.Table.from_batches(group), row_group_size=1 << 20)
                group = []
