//! X-Ray's documents: read, and joined into trees.

use bootcamp::facts::Segment;
use divan::counter::ItemsCount;

/// A segment, and subsegments that came on their own, each beneath the one before: the last documents come first.
fn documents(count: usize) -> Vec<String> {
    let mut all: Vec<String> = (1..count)
        .map(|index| {
            // Trees of eight levels.
            let parent = if index % 8 == 0 { 0 } else { index - 1 };
            format!(
                r#"{{"trace_id":"1-68e6f4a0-000000000000000000000001","id":"{index:016x}","parent_id":"{parent:016x}","type":"subsegment","name":"mock-data","start_time":1760000000.{index:06},"end_time":1760000001.5,"metadata":{{"default":{{"results-size":3}}}}}}"#
            )
        })
        .collect();
    all.reverse();
    all.push(String::from(
        r#"{"trace_id":"1-68e6f4a0-000000000000000000000001","id":"0000000000000000","name":"backend-rust","start_time":1760000000,"end_time":1760000002,"http":{"request":{"method":"GET","url":"http://127.0.0.1:4567/"},"response":{"status":200}}}"#,
    ));
    all
}

fn parsed(documents: &[String]) -> Vec<Segment> {
    documents.iter().map(|document| Segment::parse(document).expect("a sound document")).collect()
}

#[divan::bench(args = [10, 1_000])]
fn parse(bencher: divan::Bencher, count: usize) {
    let documents = documents(count);
    bencher.counter(ItemsCount::new(count)).bench(|| parsed(&documents));
}

#[divan::bench(args = [10, 1_000])]
fn assemble(bencher: divan::Bencher, count: usize) {
    let documents = parsed(&documents(count));
    bencher.counter(ItemsCount::new(count)).with_inputs(|| documents.clone()).bench_values(Segment::assemble);
}
