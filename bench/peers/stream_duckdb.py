"""stream_duckdb.py DATA OUT THREADS BENCH FORMAT [sums]: every question of the bench over tables that end, each three
times.

Writes the answers as Parquet files, or (sums) only the sums over them, and the seconds of the fastest runs. Over
Parquet, or (arrow) over tables of its own, whose loading is not counted.
"""

import json
import os
import sys
import time

import duckdb
from stream_queries import QUESTIONS, TABLES, sums_over

RUNS = 3

data, out, threads, bench, table_format = sys.argv[1:6]
is_summed = sys.argv[6:] == ["sums"]
kind = "TABLE" if table_format == "arrow" else "VIEW"
connection = duckdb.connect()
connection.execute(f"SET threads = {int(threads)}")
for table in TABLES[bench]:
    connection.execute(f"CREATE {kind} {table} AS SELECT * FROM read_parquet('{data}/{table}-*.parquet')")


def run(question, sql):
    """The sums, or nothing when the answer was written."""
    if is_summed:
        return sums_over(connection, question, f"({sql})")
    folder = os.path.join(out, question)
    os.makedirs(folder, exist_ok=True)
    connection.execute(f"COPY ({sql}) TO '{folder}/part-0.parquet' (FORMAT parquet)")
    return None


def write(name, values):
    with open(os.path.join(out, name), "w", encoding="utf-8") as file:
        json.dump(values, file)


os.makedirs(out)
seconds, sums = {}, {}
for question, sql in QUESTIONS[bench].items():
    fastest = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        sums[question] = run(question, sql)
        fastest = min(fastest, time.perf_counter() - start)
    seconds[question] = fastest
write("seconds.json", seconds)
if is_summed:
    write("sums.json", sums)
