"""expressions_polars.py DATA OUT THREADS: filter and project by Polars, over the Arrow file."""

import os
import sys

data, out, threads = sys.argv[1], sys.argv[2], sys.argv[3]
os.environ["POLARS_MAX_THREADS"] = threads  # Read once, when the library is loaded.

import polars as pl  # noqa: E402

revenue = pl.col("price") * pl.col("quantity") * (1 - pl.col("discount"))
trades = pl.scan_ipc(data).select("id", "day", revenue.alias("revenue"))
chosen = trades.filter((pl.col("day") >= 5000) & (pl.col("revenue") > 400_000))
chosen.select("id", "revenue").collect(engine="streaming").write_csv(out)
