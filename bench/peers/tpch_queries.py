"""What the peers of the tpch benches share: the queries, three runs of each, and the seconds of the fastest."""

import json
import os
import time

TABLES = ["lineitem", "orders", "customer", "part", "partsupp", "supplier", "nation", "region"]
RUNS = 3
SQL = os.path.join(os.path.dirname(__file__), "..", "..", "jobs", "tpch", "sql")


def run_all(out, run):
    """Calls run(sql, path) for every query: it computes the answer and writes it as CSV with a header."""
    os.makedirs(out, exist_ok=True)
    seconds = {}
    for number in range(1, 23):
        query = f"h{number}"
        with open(os.path.join(SQL, f"{query}.sql"), encoding="utf-8") as file:
            sql = file.read().strip().rstrip(";")
        fastest = float("inf")
        for _ in range(RUNS):
            start = time.perf_counter()
            run(sql, os.path.join(out, f"{query}.csv"))
            fastest = min(fastest, time.perf_counter() - start)
        seconds[query] = fastest
    with open(os.path.join(out, "seconds.json"), "w", encoding="utf-8") as file:
        json.dump(seconds, file)
