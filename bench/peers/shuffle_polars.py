"""shuffle_polars.py DATA OUT THREADS: rows and distinct amounts per key by Polars, over the Arrow file."""

import os
import sys

data, out, threads = sys.argv[1], sys.argv[2], sys.argv[3]
os.environ["POLARS_MAX_THREADS"] = threads  # Read once, when the library is loaded.

import polars as pl  # noqa: E402

n, total = pl.col("n").cast(pl.Int64), pl.col("total").cast(pl.Int64)
groups = pl.scan_ipc(data).group_by("key").agg(n=pl.len(), total=pl.col("amount").n_unique())
answer = groups.select(
    groups=pl.len(),
    rows=n.sum(),
    squares=(n * n).sum(),
    products=(n * total).sum(),
    most=total.max(),
)
answer.collect(engine="streaming").write_csv(out)
