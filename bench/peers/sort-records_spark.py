"""sort-records_spark.py DATA OUT THREADS: lines of 100 bytes by their first 10; each part is a range of keys."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import substring

data, out, threads = sys.argv[1:4]
spark = (
    SparkSession.builder.master(f"local[{int(threads)}]")
    .config("spark.driver.memory", "1g")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.local.dir", f"{out}.tmp")
    .config("spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
    .getOrCreate()
)
# A line ends with a carriage return and a line feed; only the latter is taken for the end here.
lines = spark.read.option("lineSep", "\n").text(data)
lines.orderBy(substring("value", 1, 10)).write.option("lineSep", "\n").text(out)
gateway = spark.sparkContext._gateway
spark.stop()
gateway.shutdown()
# Waited for, the JVM's processor time counts as this process's.
gateway.proc.stdin.close()
gateway.proc.wait()
