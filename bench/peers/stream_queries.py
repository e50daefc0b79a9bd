"""What the peers of the nexmark and windows benches share: the questions as SQL over tables that end, and sums over
their answers.

Times are BIGINT milliseconds. The sums do not depend on the order of rows, and any row that differs changes them.
"""

BASE = 1_700_000_000_000
PRIME = 1_000_000_007

NEXMARK_TABLES = ["bid", "auction", "person"]

NEXMARK = {
    "q1": """
SELECT auction, bidder, CAST(0.908 AS DECIMAL(3, 3)) * CAST(price AS DECIMAL(15, 0)) AS price, date_time AS dt, extra
FROM bid""",
    "q2": "SELECT auction, price FROM bid WHERE auction % 123 = 0",
    "q4": """
SELECT category, sum(final) AS s, count(*) AS c
FROM (
  SELECT max(b.price) AS final, a.category AS category
  FROM auction a JOIN bid b ON a.id = b.auction
  WHERE b.date_time BETWEEN a.date_time AND a.expires
  GROUP BY a.id, a.category
) q
GROUP BY category""",
    # By panes of two seconds, five of which make a window, as engines of streams do it.
    "q5": """
WITH pane AS (
  SELECT auction, date_time - date_time % 2000 AS p, count(*) AS c
  FROM bid GROUP BY auction, date_time - date_time % 2000
), later AS (
  SELECT unnest([2000, 4000, 6000, 8000, 10000]) AS k
), counted AS (
  SELECT auction, p + k AS wend, sum(c) AS num FROM pane CROSS JOIN later GROUP BY auction, p + k
), most AS (
  SELECT wend AS mend, max(num) AS maxn FROM counted GROUP BY wend
)
SELECT auction, num, wend FROM counted JOIN most ON counted.wend = most.mend AND counted.num >= most.maxn""",
    "q7": """
SELECT b.auction AS auction, b.price AS price, b.bidder AS bidder, b.date_time AS dt, b.extra AS extra
FROM bid b JOIN (
  SELECT max(price) AS maxprice, date_time - date_time % 10000 + 10000 AS wend
  FROM bid GROUP BY date_time - date_time % 10000
) m ON b.price = m.maxprice
WHERE b.date_time BETWEEN m.wend - 10000 AND m.wend""",
    "q8": """
SELECT p.id AS id, p.name AS name, p.ws AS ws
FROM (
  SELECT id, name, date_time - date_time % 10000 AS ws
  FROM person GROUP BY id, name, date_time - date_time % 10000
) p JOIN (
  SELECT seller, date_time - date_time % 10000 AS aws
  FROM auction GROUP BY seller, date_time - date_time % 10000
) a ON p.id = a.seller AND p.ws = a.aws""",
    "q11": """
WITH marked AS (
  SELECT bidder, date_time AS dt, CASE
    WHEN date_time - lag(date_time) OVER (PARTITION BY bidder ORDER BY date_time) <= 10000 THEN 0 ELSE 1
  END AS starts
  FROM bid
), numbered AS (
  SELECT bidder, dt, sum(starts) OVER (
    PARTITION BY bidder ORDER BY dt ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS session
  FROM marked
)
SELECT bidder, count(*) AS c, min(dt) AS s, max(dt) + 10000 AS e FROM numbered GROUP BY bidder, session""",
}

WINDOWS = {
    "windows": """
SELECT key, ts - ts % 10000 AS ws, count(*) AS c, sum(value) AS s, min(value) AS mn, max(value) AS mx
FROM rows GROUP BY key, ts - ts % 10000"""
}

QUESTIONS = {"nexmark": NEXMARK, "windows": WINDOWS}
TABLES = {"nexmark": NEXMARK_TABLES, "windows": ["rows"]}


def _mixed(terms):
    return f"sum(CAST(({terms}) % {PRIME} AS HUGEINT))"


# Thousandths of a price are whole, whether it came as a decimal or as a double.
SUMS = {
    "q1": [
        _mixed(
            f"auction * 1000003 + bidder * 10007 + CAST(round(price * 1000) AS BIGINT) * 101 + dt - {BASE}"
        ),
        "sum(length(extra))",
    ],
    "q2": [_mixed("auction * 1000003 + price")],
    "q4": ["sum(category)", "sum(s)", "sum(c)"],
    "q5": [_mixed(f"auction * 1000003 + CAST(num AS BIGINT) * 10007 + wend - {BASE}")],
    "q7": [
        _mixed(f"auction * 1000003 + price * 10007 + bidder * 101 + dt - {BASE}"),
        "sum(length(extra))",
    ],
    "q8": [_mixed(f"id * 1000003 + length(name) * 10007 + ws - {BASE}")],
    "q11": [_mixed(f"bidder * 1000003 + c * 10007 + (s - {BASE}) * 101 + e - {BASE}")],
    "windows": [
        _mixed(f"CAST(key AS BIGINT) * 1000003 + c * 10007 + ws - {BASE}"),
        "sum(s) * 4",
        "sum(mn) * 4",
        "sum(mx) * 4",
    ],
}


def sums_over(connection, question, rows):
    """How many rows, and their sums; rows is a table, a call or a query in brackets."""
    columns = ", ".join(["count(*)", *SUMS[question]])
    values = connection.execute(f"SELECT {columns} FROM {rows} AS answer").fetchone()
    return [int(value or 0) for value in values]
