"""wordcount_polars.py TEXT OUT THREADS: word counts by Polars, written as the Millrace job writes them.

A word is a maximal run of [A-Za-z], lower-cased; rows by count descending, then word. The streaming
engine, for on this input it is the faster one.
"""

import os
import sys

text, out, threads = sys.argv[1], sys.argv[2], sys.argv[3]
os.environ["POLARS_MAX_THREADS"] = threads  # Read once, when the library is loaded.

import polars as pl  # noqa: E402

# A separator that no line has makes the CSV reader a reader of lines.
lines = pl.scan_csv(
    text,
    has_header=False,
    separator="\x01",
    quote_char=None,
    new_columns=["line"],
    infer_schema=False,
)
words = lines.select(pl.col("line").str.to_lowercase().str.extract_all("[a-z]+").alias("word"))
counts = (
    words.explode("word")
    .drop_nulls()
    .group_by("word")
    .agg(pl.len().alias("count"))
    .sort(["count", "word"], descending=[True, False])
)
counts.collect(engine="streaming").write_csv(out)
