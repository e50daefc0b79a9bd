import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/**
 * jobs/kafka-counts with Kafka Streams: count and sum by key and window, exactly once, final results only. Its records are keyed
 * by auction already, so nothing is sent through a topic of its own; windows are held on the heap, with their changelog.
 *
 * StreamsCounts BROKERS FROM TO APPLICATION THREADS FOLDER: ends when all of FROM is read and committed.
 */
public final class StreamsCounts {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    String brokers = args[0], from = args[1], to = args[2], application = args[3];
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[4]);
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put(StreamsConfig.STATE_DIR_CONFIG, args[5]);
    config.put("auto.offset.reset", "earliest");

    Serde<long[]> sums = Serdes.serdeFrom(
        (topic, pair) -> ByteBuffer.allocate(16).putLong(pair[0]).putLong(pair[1]).array(),
        (topic, bytes) -> {
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          return new long[] {buffer.getLong(), buffer.getLong()};
        });
    Duration size = Duration.ofSeconds(10);
    StreamsBuilder builder = new StreamsBuilder();
    builder
        .stream(from, Consumed.with(Serdes.Bytes(), Serdes.ByteArray()))
        .groupByKey(Grouped.with(Serdes.Bytes(), Serdes.ByteArray()))
        .windowedBy(TimeWindows.ofSizeWithNoGrace(size))
        .aggregate(
            () -> new long[2],
            (key, bytes, pair) -> new long[] {pair[0] + 1, pair[1] + priceOf(bytes)},
            Materialized.<Bytes, long[]>as(
                    Stores.inMemoryWindowStore("sums", size.multipliedBy(2), size, false))
                .withKeySerde(Serdes.Bytes())
                .withValueSerde(sums))
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream()
        .map((key, pair) -> KeyValue.pair(key.key(), lineOf(key.key(), key.window().start(), pair)))
        .to(to, Produced.with(Serdes.Bytes(), Serdes.ByteArray()));

    KafkaStreams streams = new KafkaStreams(builder.build(), config);
    streams.start();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
      Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
      admin.describeTopics(java.util.List.of(from)).allTopicNames().get().get(from).partitions()
          .forEach(one -> asked.put(new TopicPartition(from, one.partition()), OffsetSpec.latest()));
      long end = admin.listOffsets(asked).all().get().values().stream()
          .collect(Collectors.summingLong(found -> found.offset()));
      for (long read = 0; read < end; Thread.sleep(200)) {
        read = admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get()
            .values().stream().collect(Collectors.summingLong(found -> found.offset()));
      }
    }
    streams.close(Duration.ofSeconds(30));
  }

  private static long priceOf(byte[] bytes) {
    try {
      JsonNode bid = MAPPER.readTree(bytes);
      return bid.get("price").longValue();
    } catch (java.io.IOException error) {
      throw new java.io.UncheckedIOException(error);
    }
  }

  private static byte[] lineOf(Bytes key, long start, long[] pair) {
    String auction = new String(key.get(), StandardCharsets.UTF_8);
    String line = "{\"windowStart\":\"" + Instant.ofEpochMilli(start) + "\",\"auction\":" + auction
        + ",\"bids\":" + pair[0] + ",\"total\":" + pair[1] + "}";
    return line.getBytes(StandardCharsets.UTF_8);
  }
}
