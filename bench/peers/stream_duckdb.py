"""stream_duckdb.py DATA OUT THREADS BENCH [FORMAT]: every question of the bench over tables that end, each three times.

Writes the answers as Parquet files and the seconds of the fastest runs. Over Parquet, or (arrow) over tables of its
own, whose loading is not counted.
"""

import json
import os
import sys
import time

import duckdb
from stream_queries import QUESTIONS, TABLES

RUNS = 3

data, out, threads, bench = sys.argv[1:5]
kind = "TABLE" if sys.argv[5:] == ["arrow"] else "VIEW"
connection = duckdb.connect()
connection.execute(f"SET threads = {int(threads)}")
for table in TABLES[bench]:
    connection.execute(f"CREATE {kind} {table} AS SELECT * FROM read_parquet('{data}/{table}-*.parquet')")
seconds = {}
for name, sql in QUESTIONS[bench].items():
    folder = os.path.join(out, name)
    os.makedirs(folder)
    fastest = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        connection.execute(f"COPY ({sql}) TO '{folder}/part-0.parquet' (FORMAT parquet)")
        fastest = min(fastest, time.perf_counter() - start)
    seconds[name] = fastest
with open(os.path.join(out, "seconds.json"), "w", encoding="utf-8") as file:
    json.dump(seconds, file)
