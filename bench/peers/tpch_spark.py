"""tpch_spark.py DATA OUT THREADS FORMAT: all queries by Spark, over Parquet; it reads no Arrow files."""

import csv
import sys

from pyspark.sql import SparkSession
from tpch_queries import TABLES, run_all

data, out, threads = sys.argv[1:4]
spark = (
    SparkSession.builder.master(f"local[{int(threads)}]")
    .config("spark.driver.memory", "6g")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    # A partition per core, not the 200 of a cluster.
    .config("spark.sql.shuffle.partitions", threads)
    .getOrCreate()
)
for table in TABLES:
    spark.read.parquet(f"{data}/parquet/{table}.parquet").createOrReplaceTempView(table)


def run(sql, path):
    answer = spark.sql(sql)
    rows = answer.collect()
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(answer.columns)
        writer.writerows(rows)


run_all(out, run)
gateway = spark.sparkContext._gateway
spark.stop()
gateway.shutdown()
# Waited for, the JVM's processor time counts as this process's.
gateway.proc.stdin.close()
gateway.proc.wait()
