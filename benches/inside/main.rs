//! The parts, each on its own and in this process: `cargo bench --bench inside`, or `cargo bench --bench inside -- judge`.
//!
//! What the whole program does is measured by `outside.rs`, what it does beside others by `peers.py`.

mod course;
mod house;
mod judge;
mod logs;
mod otlp;
mod patterns;
mod segments;

use std::time::Duration;

fn main() {
    // Long enough for a steady median; `-- --max-time 5` asks for more.
    divan::Divan::default().max_time(Duration::from_millis(600)).config_with_args().main();
}
