"""sort_polars.py DATA OUT THREADS KEY: sorts by Polars, from the Arrow file."""

import os
import sys

data, out, threads, key = sys.argv[1:5]
os.environ["POLARS_MAX_THREADS"] = threads

import polars as pl  # noqa: E402  (reads the environment when it is imported)

pl.scan_ipc(data).select(key, "value").sort(key).sink_ipc(out)
