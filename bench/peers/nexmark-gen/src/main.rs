//! nexmark-gen EVENTS FOLDER [EVENTS_PER_SECOND=10000] [OUT_OF_ORDER_GROUP=1] [NDJSON_EVENTS=0]
//!
//! Writes the first EVENTS events of Nexmark as Arrow files, {bid,auction,person}-{0,1}.arrow, and the first
//! NDJSON_EVENTS of them, in one stream, as events.jsonl. The same bytes on every machine: the base time is
//! fixed, and every event is drawn from its number.
//!
//! Events go by thousands to the one part and the other, so that two readers see the same event time side by
//! side. Times are milliseconds. In groups of OUT_OF_ORDER_GROUP events the times are in no order.
use arrow_array::{builder::*, ArrayRef, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use nexmark::{config::NexmarkConfig, event::Event, EventGenerator};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

const BASE_TIME: u64 = 1_700_000_000_000;
const BATCH_ROWS: usize = 65_536;
const BUFFER_BYTES: usize = 1 << 20;
const PARTS: usize = 2;
const EVENTS_IN_A_ROW: usize = 1000;

#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
}
use Kind::{Number, Text};

const BID: &[(&str, Kind)] = &[
    ("auction", Number),
    ("bidder", Number),
    ("price", Number),
    ("channel", Text),
    ("url", Text),
    ("date_time", Number),
    ("extra", Text),
];
const AUCTION: &[(&str, Kind)] = &[
    ("id", Number),
    ("item_name", Text),
    ("description", Text),
    ("initial_bid", Number),
    ("reserve", Number),
    ("date_time", Number),
    ("expires", Number),
    ("seller", Number),
    ("category", Number),
    ("extra", Text),
];
const PERSON: &[(&str, Kind)] = &[
    ("id", Number),
    ("name", Text),
    ("email_address", Text),
    ("credit_card", Text),
    ("city", Text),
    ("state", Text),
    ("date_time", Number),
    ("extra", Text),
];

/// One Arrow file: rows are collected by column and written a batch at a time.
struct Part {
    kinds: Vec<Kind>,
    schema: Arc<Schema>,
    writer: FileWriter<BufWriter<File>>,
    numbers: Vec<Int64Builder>,
    texts: Vec<StringBuilder>,
    rows: usize,
}

impl Part {
    fn create(path: &str, columns: &[(&str, Kind)]) -> Part {
        let kinds: Vec<Kind> = columns.iter().map(|(_, kind)| *kind).collect();
        let field = |(name, kind): &(&str, Kind)| match kind {
            Number => Field::new(*name, DataType::Int64, false),
            Text => Field::new(*name, DataType::Utf8, false),
        };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path).unwrap());
        let texts = kinds.iter().filter(|kind| matches!(kind, Text)).count();
        Part {
            writer: FileWriter::try_new(file, &schema).unwrap(),
            numbers: (texts..kinds.len()).map(|_| Int64Builder::new()).collect(),
            texts: (0..texts).map(|_| StringBuilder::new()).collect(),
            kinds,
            schema,
            rows: 0,
        }
    }

    /// The values of number columns and of text columns, each in the order of the columns.
    fn add(&mut self, numbers: &[u64], texts: &[&str]) {
        for (builder, value) in self.numbers.iter_mut().zip(numbers) {
            builder.append_value(*value as i64);
        }
        for (builder, value) in self.texts.iter_mut().zip(texts) {
            builder.append_value(value);
        }
        self.rows += 1;
        if self.rows == BATCH_ROWS {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.rows == 0 {
            return;
        }
        let mut numbers = self.numbers.iter_mut();
        let mut texts = self.texts.iter_mut();
        let column = |kind: &Kind| -> ArrayRef {
            match kind {
                Number => Arc::new(numbers.next().unwrap().finish()),
                Text => Arc::new(texts.next().unwrap().finish()),
            }
        };
        let columns = self.kinds.iter().map(column).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns).unwrap();
        self.writer.write(&batch).unwrap();
        self.rows = 0;
    }
}

fn add(event: &Event, part: usize, bids: &mut [Part], auctions: &mut [Part], persons: &mut [Part]) {
    match event {
        Event::Bid(bid) => bids[part].add(
            &[
                bid.auction as u64,
                bid.bidder as u64,
                bid.price as u64,
                bid.date_time,
            ],
            &[&bid.channel, &bid.url, &bid.extra],
        ),
        Event::Auction(auction) => auctions[part].add(
            &[
                auction.id as u64,
                auction.initial_bid as u64,
                auction.reserve as u64,
                auction.date_time,
                auction.expires,
                auction.seller as u64,
                auction.category as u64,
            ],
            &[&auction.item_name, &auction.description, &auction.extra],
        ),
        Event::Person(person) => persons[part].add(
            &[person.id as u64, person.date_time],
            &[
                &person.name,
                &person.email_address,
                &person.credit_card,
                &person.city,
                &person.state,
                &person.extra,
            ],
        ),
    }
}

fn write_ndjson(event: &Event, out: &mut impl Write) {
    match event {
        Event::Person(person) => {
            out.write_all(b"{\"event_type\":0,\"person\":").unwrap();
            serde_json::to_writer(&mut *out, person).unwrap();
        }
        Event::Auction(auction) => {
            out.write_all(b"{\"event_type\":1,\"auction\":").unwrap();
            serde_json::to_writer(&mut *out, auction).unwrap();
        }
        Event::Bid(bid) => {
            out.write_all(b"{\"event_type\":2,\"bid\":").unwrap();
            serde_json::to_writer(&mut *out, bid).unwrap();
        }
    }
    out.write_all(b"}\n").unwrap();
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, without: usize| {
        arguments
            .get(at)
            .map_or(without, |text| text.parse().expect("a whole number"))
    };
    let (events, folder) = (number(1, 0), arguments.get(2).expect("EVENTS FOLDER"));
    let (rate, group, ndjson_events) = (number(3, 10_000), number(4, 1), number(5, 0));
    let config = NexmarkConfig {
        base_time: BASE_TIME,
        first_rate: rate,
        next_rate: rate,
        out_of_order_group_size: group,
        ..Default::default()
    };
    std::fs::create_dir_all(folder).unwrap();
    let create = |table: &str, columns: &[(&str, Kind)]| -> Vec<Part> {
        let path = |part| format!("{folder}/{table}-{part}.arrow");
        (0..PARTS)
            .map(|part| Part::create(&path(part), columns))
            .collect()
    };
    let (mut bids, mut auctions) = (create("bid", BID), create("auction", AUCTION));
    let mut persons = create("person", PERSON);
    let mut ndjson = (ndjson_events > 0).then(|| {
        let file = File::create(format!("{folder}/events.jsonl")).unwrap();
        BufWriter::with_capacity(BUFFER_BYTES, file)
    });
    for (at, event) in EventGenerator::new(config).take(events).enumerate() {
        let part = (at / EVENTS_IN_A_ROW) % PARTS;
        add(&event, part, &mut bids, &mut auctions, &mut persons);
        if let Some(out) = ndjson.as_mut().filter(|_| at < ndjson_events) {
            write_ndjson(&event, out);
        }
    }
    for part in bids.iter_mut().chain(&mut auctions).chain(&mut persons) {
        part.flush();
        part.writer.finish().unwrap();
    }
    if let Some(mut out) = ndjson {
        out.flush().unwrap();
    }
}
