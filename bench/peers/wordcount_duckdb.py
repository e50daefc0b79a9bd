"""wordcount_duckdb.py TEXT OUT THREADS: word counts by DuckDB, written as the Millrace job writes them.

A word is a maximal run of [A-Za-z], lower-cased; rows by count descending, then word.
"""

import sys

import duckdb

text, out, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
# A delimiter that no line has makes the CSV reader a reader of lines.
connection.execute(
    f"""
    COPY (
      SELECT word, count(*) AS count
      FROM (
        SELECT unnest(regexp_split_to_array(lower(line), '[^a-z]+')) AS word
        FROM read_csv('{text}', columns = {{'line': 'VARCHAR'}}, delim = '\x01', quote = '',
                      escape = '', header = false, auto_detect = false)
      )
      WHERE word <> ''
      GROUP BY word
      ORDER BY count DESC, word
    ) TO '{out}' (FORMAT csv, HEADER true)
    """
)
