"""stream_sums.py OUT BENCH: reduces the answers of a contestant, a folder of files each, to sums: OUT/sums.json.

Rows first, then the sums of stream_queries.py. Files are Parquet, Arrow, CSV or NDJSON, by their names.
"""

import glob
import json
import os
import sys

import duckdb
import pyarrow.dataset
from stream_queries import QUESTIONS, sums_over

READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".ndjson": "read_ndjson"}

out, bench = sys.argv[1:3]


def rows_of(connection, folder):
    """The name of a table, or a call, that has the rows of the files."""
    files = [file for file in sorted(glob.glob(f"{folder}/*")) if os.path.getsize(file) > 0]
    if not files:
        raise SystemExit(f"{folder} has no rows")
    extension = os.path.splitext(files[0])[1]
    if extension != ".arrow":
        return f"{READERS[extension]}({files})"
    connection.register("arrow_rows", pyarrow.dataset.dataset(files, format="ipc"))
    return "arrow_rows"


sums = {}
for question in QUESTIONS[bench]:
    connection = duckdb.connect()
    rows = rows_of(connection, os.path.join(out, question))
    sums[question] = sums_over(connection, question, rows)
with open(os.path.join(out, "sums.json"), "w", encoding="utf-8") as file:
    json.dump(sums, file)
