import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.types.Row;

/**
 * The questions of the nexmark and windows benches as Flink SQL over streams with event time, as the published
 * Nexmark suite for Flink asks them, and the sums of an answer's row, the same as those of stream_queries.py.
 */
final class Questions {
  static final long BASE = 1_700_000_000_000L;
  static final long PRIME = 1_000_000_007L;

  private static final String EVENT_TIME =
      ", rt AS TO_TIMESTAMP_LTZ(%s, 3), WATERMARK FOR rt AS rt - INTERVAL '4' SECOND";

  private static final Map<String, String> COLUMNS = Map.of(
      "bid",
      "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time BIGINT, extra STRING",
      "auction",
      "id BIGINT, item_name STRING, description STRING, initial_bid BIGINT, reserve BIGINT, date_time BIGINT,"
          + " expires BIGINT, seller BIGINT, category BIGINT, extra STRING",
      "person",
      "id BIGINT, name STRING, email_address STRING, credit_card STRING, city STRING, state STRING,"
          + " date_time BIGINT, extra STRING",
      "rows", "key INT, `value` DOUBLE, ts BIGINT");

  private Questions() {}

  static String[] tablesOf(String bench) {
    return bench.equals("windows") ? new String[] {"rows"} : new String[] {"bid", "auction", "person"};
  }

  /** Both parts of a table are read at once, so that event time goes on in both. */
  static String createTable(String name, String folder) {
    String time = name.equals("rows") ? "ts" : "date_time";
    return "CREATE TABLE `" + name + "` (" + COLUMNS.get(name) + String.format(EVENT_TIME, time) + ") WITH ("
        + "'connector' = 'filesystem', 'format' = 'parquet', 'path' = '" + folder + "',"
        + " 'source.path.regex-pattern' = '.*/" + name + "-[0-9][.]parquet')";
  }

  static Map<String, String> of(String bench) {
    Map<String, String> questions = new LinkedHashMap<>();
    if (bench.equals("windows")) {
      questions.put("windows",
          "SELECT key, window_start AS ws, count(*) AS c, sum(`value`) AS s, min(`value`) AS mn, max(`value`) AS mx"
              + " FROM TABLE(TUMBLE(TABLE `rows`, DESCRIPTOR(rt), INTERVAL '10' SECOND))"
              + " GROUP BY key, window_start, window_end");
      return questions;
    }
    questions.put("q1", "SELECT auction, bidder, 0.908 * price AS price, date_time AS dt, extra FROM bid");
    questions.put("q2", "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0");
    questions.put("q4",
        "SELECT Q.category, SUM(Q.final) AS s, COUNT(*) AS c FROM ("
            + "SELECT MAX(B.price) AS final, A.category FROM auction A, bid B"
            + " WHERE A.id = B.auction AND B.date_time BETWEEN A.date_time AND A.expires"
            + " GROUP BY A.id, A.category) Q GROUP BY Q.category");
    String counts =
        "SELECT auction, count(*) AS num, window_start AS starttime, window_end AS endtime"
            + " FROM TABLE(HOP(TABLE bid, DESCRIPTOR(rt), INTERVAL '2' SECOND, INTERVAL '10' SECOND))"
            + " GROUP BY auction, window_start, window_end";
    questions.put("q5",
        "SELECT B.auction, B.num, B.endtime FROM (" + counts + ") AS B JOIN ("
            + "SELECT max(C.num) AS maxn, C.starttime, C.endtime FROM (" + counts + ") AS C"
            + " GROUP BY C.starttime, C.endtime) AS M"
            + " ON B.starttime = M.starttime AND B.endtime = M.endtime AND B.num >= M.maxn");
    questions.put("q7",
        "SELECT B.auction, B.price, B.bidder, B.date_time AS dt, B.extra FROM bid B JOIN ("
            + "SELECT MAX(price) AS maxprice, window_end AS wend"
            + " FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(rt), INTERVAL '10' SECOND))"
            + " GROUP BY window_start, window_end) M"
            + " ON B.price = M.maxprice WHERE B.rt BETWEEN M.wend - INTERVAL '10' SECOND AND M.wend");
    questions.put("q8",
        "SELECT P.id, P.name, P.starttime FROM ("
            + "SELECT id, name, window_start AS starttime, window_end AS endtime"
            + " FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(rt), INTERVAL '10' SECOND))"
            + " GROUP BY id, name, window_start, window_end) P JOIN ("
            + "SELECT seller, window_start AS starttime, window_end AS endtime"
            + " FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(rt), INTERVAL '10' SECOND))"
            + " GROUP BY seller, window_start, window_end) A"
            + " ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime");
    questions.put("q11",
        "SELECT bidder, count(*) AS c, window_start AS s, window_end AS e"
            + " FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(rt), INTERVAL '10' SECOND))"
            + " GROUP BY bidder, window_start, window_end");
    return questions;
  }

  /** How many sums a question has, the rows among them. */
  static int sumCountOf(String question) {
    return switch (question) {
      case "windows" -> 5;
      case "q4" -> 4;
      case "q1", "q7" -> 3;
      default -> 2;
    };
  }

  /** Adds a row to the sums, or takes it away: sign is 1 or -1. */
  static void add(long[] sums, String question, Row row, int sign) {
    sums[0] += sign;
    switch (question) {
      case "q1" -> {
        long thousandths = ((BigDecimal) row.getField(2)).movePointRight(3).longValue();
        sums[1] += sign * mixed(
            whole(row, 0) * 1000003 + whole(row, 1) * 10007 + thousandths * 101 + whole(row, 3) - BASE);
        sums[2] += sign * text(row, 4).length();
      }
      case "q2" -> sums[1] += sign * mixed(whole(row, 0) * 1000003 + whole(row, 1));
      case "q4" -> {
        for (int at = 0; at < 3; at++) sums[at + 1] += sign * whole(row, at);
      }
      case "q5" ->
          sums[1] += sign * mixed(whole(row, 0) * 1000003 + whole(row, 1) * 10007 + time(row, 2) - BASE);
      case "q7" -> {
        sums[1] += sign * mixed(
            whole(row, 0) * 1000003 + whole(row, 1) * 10007 + whole(row, 2) * 101 + whole(row, 3) - BASE);
        sums[2] += sign * text(row, 4).length();
      }
      case "q8" ->
          sums[1] += sign * mixed(whole(row, 0) * 1000003 + text(row, 1).length() * 10007L + time(row, 2) - BASE);
      case "q11" ->
          sums[1] += sign * mixed(
              whole(row, 0) * 1000003 + whole(row, 1) * 10007 + (time(row, 2) - BASE) * 101 + time(row, 3) - BASE);
      case "windows" -> {
        sums[1] += sign * mixed(whole(row, 0) * 1000003 + whole(row, 2) * 10007 + time(row, 1) - BASE);
        for (int at = 2; at < 5; at++) sums[at] += sign * quarters(row, at + 1);
      }
      default -> throw new IllegalArgumentException("no question " + question);
    }
  }

  private static long mixed(long value) {
    return Math.floorMod(value, PRIME);
  }

  private static long whole(Row row, int at) {
    return ((Number) row.getField(at)).longValue();
  }

  /** A sum of quarters is exact, and four times it is whole. */
  private static long quarters(Row row, int at) {
    return (long) (((Number) row.getField(at)).doubleValue() * 4);
  }

  private static String text(Row row, int at) {
    return (String) row.getField(at);
  }

  private static long time(Row row, int at) {
    Object value = row.getField(at);
    return value instanceof Instant instant
        ? instant.toEpochMilli()
        : ((LocalDateTime) value).toInstant(ZoneOffset.UTC).toEpochMilli();
  }
}
