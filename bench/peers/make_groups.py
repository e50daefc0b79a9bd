"""make_groups.py OUT ROWS KEY KEYS: an Arrow IPC file to group, and the same as a DuckDB table in OUT.duckdb.

key      KEYS distinct values
         KEY is int64: scattered as identifiers are
         KEY is utf8: of 13 to 32 bytes that begin alike, as paths do
amount   int64, 0 to 999

Each key is as likely as the others, so few rows in a row have the same one. Seeded: the same values on
every machine. Record batches have 65,536 rows and no column has nulls.
"""

import sys

import duckdb
import numpy as np
import pyarrow as pa

BATCH_ROWS = 65_536

out_path, row_count, key_type, key_count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
random = np.random.default_rng(11)


def make_keys():
    if key_type == "int64":
        # Multiples of the golden section lie far apart, so their first 40 bits differ.
        first = int(random.integers(0, 1 << 40))
        places = np.arange(first, first + key_count, dtype=np.uint64)
        return pa.array((places * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(24)).astype(np.int64))
    words = ["item", "article", "category/list", "archive/by-month/entry"]
    return pa.array([f"/{words[n % 4]}/{n * 7919 % 100_000_007}" for n in range(key_count)])


keys = make_keys()
schema = pa.schema(
    [
        pa.field("key", keys.type, nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
    ]
)


def make_batch(count):
    places = pa.array(random.integers(0, len(keys), count))
    return pa.record_batch([keys.take(places), random.integers(0, 1000, count)], schema=schema)


with pa.OSFile(out_path, "wb") as file, pa.ipc.new_file(file, schema) as writer:
    for start in range(0, row_count, BATCH_ROWS):
        writer.write_batch(make_batch(min(BATCH_ROWS, row_count - start)))

groups = pa.ipc.open_file(pa.memory_map(out_path)).read_all()
duckdb.connect(out_path + ".duckdb").execute("CREATE TABLE groups AS SELECT * FROM groups")
