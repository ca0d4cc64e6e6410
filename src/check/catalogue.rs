use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::demand::Demand;
use super::spelling::closest;
use super::{Check, Probe, Rule};

/// The checks of one file of `checks/<course>/`, in the file's order, and whatever is wrong with it.
///
/// It knows nothing of lessons: which step a check belongs to, and whether any does, is the course's business.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The checks.
    pub entries: Vec<Entry<Arc<Check>>>,
    /// What is wrong. A course with a flaw is not run.
    pub flaws: Vec<Flaw>,
}

/// The probes of a course, as `checks/<course>/probes.toml` defines them.
#[derive(Debug, Default)]
pub struct Probes {
    /// The probes.
    pub entries: Vec<Entry<Probe>>,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
}

/// The rules of one file of `checks/<course>/diagnoses/`, in the file's order.
#[derive(Debug, Default)]
pub struct Rules {
    /// The rules.
    pub entries: Vec<Entry<Rule>>,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
}

/// One table of a catalogue.
#[derive(Debug)]
pub struct Entry<T> {
    /// The table's name: the check's id, or the probe's.
    pub name: String,
    /// Where the name stands, in bytes.
    pub span: Range<usize>,
    /// Where the name of the probe stands that a check rests on.
    pub probe_span: Option<Range<usize>>,
    /// Where the step stands that makes the check hold already.
    pub implied_span: Option<Range<usize>>,
    /// What it demands, as a hash.
    pub demand: Demand,
    /// What it says; absent where a flaw speaks of it.
    pub value: Option<T>,
}

/// Something wrong in a check file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// Where, in bytes.
    pub span: Range<usize>,
    /// What stands at the caret's end.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

/// No catalogue comes near this size; what is larger is not read.
const LARGEST: usize = 1 << 20;

/// More flaws than this in one file help nobody.
const MOST_FLAWS: usize = 20;

impl Catalogue {
    /// Reads the text of a check file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (entries, mut flaws) = read::<Check>(text, "check");
        for entry in &entries {
            let lacks_probe = entry.value.as_ref().is_some_and(|check| check.probe.is_none() && check.expect.needs_probe());
            if let (true, Some(check)) = (lacks_probe, &entry.value) {
                flaws.push(Flaw {
                    message: format!("the check `{}` names no probe", entry.name),
                    span: entry.span.clone(),
                    label: format!("`{}` is judged by what a probe brings about", check.expect.kind()),
                    help: Some(String::from("add `probe = \"…\"`, with a name that `probes.toml` defines")),
                });
            }
        }
        let entries = entries
            .into_iter()
            .map(|Entry { name, span, probe_span, implied_span, demand, value }| Entry {
                name,
                span,
                probe_span,
                implied_span,
                demand,
                value: value.map(Arc::new),
            })
            .collect();
        Self { entries, flaws }
    }
}

impl Probes {
    /// Reads the text of `probes.toml`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (entries, mut flaws) = read::<Probe>(text, "probe");
        for entry in &entries {
            if let Some(probe) = entry.value.as_ref().filter(|probe| !probe.path.starts_with('/')) {
                flaws.push(Flaw {
                    message: format!("the probe `{}` has the path `{}`", entry.name, probe.path),
                    span: entry.span.clone(),
                    label: String::from("a path begins with a slash"),
                    help: Some(format!("write `path = \"/{}\"`", probe.path)),
                });
            }
        }
        Self { entries, flaws }
    }
}

impl Rules {
    /// Reads the text of a file of diagnoses.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (entries, mut flaws) = read::<Rule>(text, "diagnosis");
        for entry in &entries {
            if entry.value.as_ref().is_some_and(|rule| rule.when.is_empty() || rule.explains.is_empty()) {
                flaws.push(Flaw {
                    message: format!("the diagnosis `{}` rests on nothing, or explains nothing", entry.name),
                    span: entry.span.clone(),
                    label: String::from("`when` and `explains` each need an entry"),
                    help: Some(String::from("say under which conditions it is the cause, and of which kinds of check")),
                });
            }
        }
        Self { entries, flaws }
    }
}

/// Reads each table on its own, so that a mistake in one hides none in another.
fn read<T: DeserializeOwned>(text: &str, what: &str) -> (Vec<Entry<T>>, Vec<Flaw>) {
    if text.len() > LARGEST {
        let message = format!("the file has {} bytes; at most {LARGEST} are read", text.len());
        return (Vec::new(), vec![Flaw { message, span: 0..0, label: String::from("far too large"), help: None }]);
    }
    if let Some(flaw) = too_deep(text) {
        return (Vec::new(), vec![flaw]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut flaws: Vec<Flaw> = Vec::new();
    for flaw in errors.iter().map(|error| broken_toml(text, error)) {
        // The keys of a table that is there twice are there twice for that reason alone.
        let follows =
            flaws.last().is_some_and(|last| last.label == TWICE && flaw.label == TWICE && same_table(text, last, &flaw));
        if !follows && flaws.len() < MOST_FLAWS {
            flaws.push(flaw);
        }
    }
    let sound = flaws.is_empty();
    let mut entries = Vec::new();
    for (key, value) in table.into_inner() {
        let (name, span) = (key.get_ref().to_string(), key.span());
        if let Some(flaw) = wrong_name(&name, &span, what) {
            flaws.push(flaw);
        }
        let field_span = |field: &str| match value.get_ref() {
            DeValue::Table(fields) => fields.get(field).map(toml::Spanned::span),
            _ => None,
        };
        let (probe_span, implied_span) = (field_span("probe"), field_span("implied-by"));
        let demand = Demand::of_table(value.get_ref());
        let value = match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                // A broken file is repaired first: what was saved of it may be wrong for that reason alone.
                if sound && flaws.len() < MOST_FLAWS {
                    flaws.push(wrong_table(&name, &span, what, &error));
                }
                None
            }
        };
        entries.push(Entry { name, span, probe_span, implied_span, demand, value });
    }
    entries.sort_by_key(|entry| entry.span.start);
    (entries, flaws)
}

/// A key of more segments than any check has: each is a table within a table, and must be built and dropped.
fn too_deep(text: &str) -> Option<Flaw> {
    const DEEPEST: usize = 64;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let key = line.split('=').next().unwrap_or_default();
        if key.matches('.').count() > DEEPEST {
            return Some(Flaw {
                message: String::from("a key has too many segments"),
                span: start..start + key.trim_end().len(),
                label: format!("more than {DEEPEST} dots"),
                help: None,
            });
        }
        start += line.len();
    }
    None
}

/// What stands at the caret of a key that is defined twice.
const TWICE: &str = "the second time";

/// Whether no table's heading stands between two flaws.
fn same_table(text: &str, first: &Flaw, second: &Flaw) -> bool {
    let between = text.get(first.span.end..second.span.start).unwrap_or_default();
    !between.lines().skip(1).any(|line| line.trim_start().starts_with('['))
}

fn broken_toml(text: &str, error: &toml::de::Error) -> Flaw {
    let span = error.span().unwrap_or_default();
    let message = lower_first(error.message());
    if message == "duplicate key" {
        let key = text.get(span.clone()).unwrap_or_default();
        return Flaw {
            message: format!("`{key}` is defined twice"),
            span,
            label: String::from(TWICE),
            help: Some(String::from("rename one of the two, or remove it")),
        };
    }
    Flaw { message: format!("this is not TOML: {message}"), span, label: String::from("here"), help: None }
}

fn wrong_name(name: &str, span: &Range<usize>, what: &str) -> Option<Flaw> {
    let sound = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    (!sound).then(|| Flaw {
        message: format!("`{name}` is no name for a {what}"),
        span: span.clone(),
        label: String::from("lower-case words, joined by `-`"),
        help: None,
    })
}

/// Says in the words of a check file what serde has to say in those of Rust.
fn wrong_table(name: &str, name_span: &Range<usize>, what: &str, error: &toml::de::Error) -> Flaw {
    let said = error.message();
    let span = error.span().filter(|span| !span.is_empty()).unwrap_or_else(|| name_span.clone());
    let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    let (first, expected) = quoted.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
    let suggest = |names: &str| match closest(first, expected.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("{names}: {}", expected.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    if said.starts_with("unknown variant") {
        let kinds = expected.contains(&"http-response");
        let (message, label) = match kinds {
            true => (format!("the {what} `{name}` expects the unknown kind `{first}`"), "no such kind"),
            false => (format!("the {what} `{name}` has the unknown value `{first}`"), "no such value"),
        };
        let help = suggest(if kinds { "the kinds are" } else { "the values are" });
        return Flaw { message, span, label: String::from(label), help: Some(help) };
    }
    if said.starts_with("unknown field") {
        return Flaw {
            message: format!("the {what} `{name}` has the unknown field `{first}`"),
            span,
            label: String::from("no such field here"),
            help: Some(suggest("the fields are")),
        };
    }
    if said.starts_with("missing field") {
        return Flaw {
            message: format!("the {what} `{name}` lacks the field `{first}`"),
            span: name_span.clone(),
            label: format!("`{first}` is missing from this table"),
            help: Some(match first {
                "fix" => String::from("add `fix = \"…\"`: what a learner should do when it is not met"),
                "expect" => format!("add a table `[{name}.expect.<kind>]`"),
                _ => format!("add `{first} = …`"),
            }),
        };
    }
    if said.starts_with("wanted exactly 1 element") {
        return Flaw {
            message: format!("the check `{name}` must expect exactly one thing"),
            span: name_span.clone(),
            label: String::from("one `expect` table for each check"),
            help: Some(String::from("give each expectation a check, with an id of its own")),
        };
    }
    Flaw { message: format!("the {what} `{name}`: {}", lower_first(said)), span, label: String::from("here"), help: None }
}

fn lower_first(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "[health]\nprobe = 'health'\nfix = 'Add it.'\n[health.expect.http-response]\nstatus = 200\n";

    #[test]
    fn a_check_is_read_with_its_place() {
        let catalogue = Catalogue::parse(GOOD);
        assert_eq!(catalogue.flaws, []);
        let entry = &catalogue.entries[0];
        assert_eq!((entry.name.as_str(), &GOOD[entry.span.clone()]), ("health", "health"));
        assert_eq!(&GOOD[entry.probe_span.clone().unwrap()], "'health'");
        assert_eq!(entry.value.as_ref().unwrap().expect.kind(), "http-response");
    }

    fn flaw(text: &str) -> (String, String, Option<String>) {
        let mut flaws = Catalogue::parse(text).flaws;
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        let flaw = flaws.remove(0);
        (flaw.message, text[flaw.span].to_owned(), flaw.help)
    }

    #[test]
    fn mistakes_are_found_where_they_stand() {
        let (message, at, help) = flaw(&GOOD.replace("http-response", "http-respons"));
        assert_eq!(message, "the check `health` expects the unknown kind `http-respons`");
        assert_eq!((at.as_str(), help.as_deref()), ("http-respons", Some("did you mean `http-response`?")));

        let (message, at, help) = flaw(&GOOD.replace("status =", "statsu ="));
        assert_eq!(message, "the check `health` has the unknown field `statsu`");
        assert_eq!((at.as_str(), help.as_deref()), ("statsu", Some("did you mean `status`?")));

        let (message, at, _) = flaw(&GOOD.replace("fix = 'Add it.'\n", ""));
        assert_eq!((message.as_str(), at.as_str()), ("the check `health` lacks the field `fix`", "health"));

        let (message, at, _) = flaw(&GOOD.replace("probe = 'health'\n", ""));
        assert_eq!((message.as_str(), at.as_str()), ("the check `health` names no probe", "health"));

        let (message, at, _) = flaw(&format!("{GOOD}[health]\nprobe = 'health'\nfix = 'Twice.'\n"));
        assert_eq!((message.as_str(), at.as_str()), ("`health` is defined twice", "health"));

        let (message, at, _) = flaw(&GOOD.replace("status = 200", "status = { matches = '(' }"));
        assert!(message.contains("`(` is not a regular expression"), "{message}");
        assert!(at.contains("'('"), "{at}");
    }

    #[test]
    fn one_mistake_hides_no_other() {
        let two = format!("{}{}", GOOD.replace("fix", "fixx"), GOOD.replace("health", "again").replace("status", "state"));
        let fields: Vec<_> = Catalogue::parse(&two).flaws.into_iter().map(|flaw| two[flaw.span].to_owned()).collect();
        assert_eq!(fields, ["state", "fixx"]);
    }

    #[test]
    fn depth_is_bounded() {
        let dotted = vec!["a"; 100_000].join(".");
        for text in [format!("{dotted} = 1"), format!("[{dotted}]"), format!("a = {}", "[".repeat(100_000))] {
            assert!(!Catalogue::parse(&text).flaws.is_empty());
        }
        let inline = format!("a = {}1{}", "{a = ".repeat(10_000), "}".repeat(10_000));
        assert!(!Catalogue::parse(&inline).flaws.is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,200}") {
            let _ = Catalogue::parse(&text);
            let _ = Probes::parse(&text);
        }

        #[test]
        fn nor_does_a_sound_file_with_a_hole(start in 0_usize..100, length in 0_usize..40, with in "[\\[\\]{}='\".a-z\n]{0,6}") {
            let start = start.min(GOOD.len());
            let end = (start + length).min(GOOD.len());
            let text = format!("{}{with}{}", &GOOD[..start], &GOOD[end..]);
            for flaw in Catalogue::parse(&text).flaws {
                prop_assert!(text.get(flaw.span.clone()).is_some(), "{flaw:?}");
            }
        }
    }
}
