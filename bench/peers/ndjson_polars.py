"""ndjson_polars.py DATA OUT THREADS: bids and their sum by auction, by Polars.

The columns are declared, as they are for Millrace. The streaming engine, for on this input it is the
faster one.
"""

import os
import sys

data, out, threads = sys.argv[1], sys.argv[2], sys.argv[3]
os.environ["POLARS_MAX_THREADS"] = threads  # Read once, when the library is loaded.

import polars as pl  # noqa: E402

schema = {
    "auction": pl.Int64,
    "bidder": pl.Int64,
    "price": pl.Int64,
    "channel": pl.String,
    "url": pl.String,
    "date_time": pl.Int64,
    "extra": pl.String,
}
sums = (
    pl.scan_ndjson(data, schema=schema)
    .group_by("auction")
    .agg(pl.len().alias("bids"), pl.col("price").sum().alias("total"))
    .sort("auction")
)
sums.collect(engine="streaming").write_csv(out)
