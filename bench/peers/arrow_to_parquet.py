"""arrow_to_parquet.py FOLDER: every Arrow file of the folder, as Parquet beside it: snappy, a million rows a group."""

import glob
import sys

import pyarrow as pa
import pyarrow.parquet as pq

for path in sorted(glob.glob(f"{sys.argv[1]}/*.arrow")):
    table = pa.ipc.open_file(pa.memory_map(path)).read_all()
    target = f"{path.removesuffix('.arrow')}.parquet"
    pq.write_table(table, target, compression="snappy", row_group_size=1 << 20)
