//! Reading the course: six lessons of Markdown, and their checks.

use std::path::Path;

use bootcamp::course::{Course, Selection, Source};
use bootcamp::verify::Plan;

/// The course as it lies in the repository.
pub fn week2() -> Course {
    Course::load(&folder(), "week2").expect("the course is sound")
}

/// The plan for all of it.
pub fn plan(course: &Course) -> Plan {
    let steps = course.select(&Selection::all("week2")).expect("the course has steps");
    Plan::new(course, &steps)
}

fn folder() -> Source {
    Source::of(Path::new(env!("CARGO_MANIFEST_DIR")))
}

#[divan::bench]
fn load_from_files() -> Course {
    Course::load(&folder(), "week2").expect("the course is sound")
}

#[divan::bench]
fn load_embedded() -> Course {
    Course::load(&Source::Embedded, "week2").expect("the course is sound")
}

#[divan::bench]
fn plan_all_steps(bencher: divan::Bencher) {
    let course = week2();
    bencher.bench(|| plan(&course));
}
