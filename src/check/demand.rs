use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::de::DeValue;

/// A hash of what is demanded: it stays while a check demands the same, however its file is laid out, and changes with it.
///
/// It is taken from the table in the check file rather than from what the table was read into, so that a new field of the program
/// with a default changes none. What helps a learner (`fix`) or an author (`implied-by`) demands nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Demand(String);

/// The fields of a check that demand nothing.
const SILENT: [&str; 2] = ["fix", "implied-by"];

impl Demand {
    /// Of one table of a check file, or of `probes.toml`.
    pub(super) fn of_table(table: &DeValue<'_>) -> Self {
        let mut hash = Sha256::new();
        match table {
            DeValue::Table(fields) => {
                let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.get_ref().as_ref(), value.get_ref())).collect();
                fields.retain(|(name, _)| !SILENT.contains(name));
                members(&mut hash, fields);
            }
            other => feed(&mut hash, other),
        }
        Self::finished(hash)
    }

    /// Of several demands together, each under its name, in whatever order.
    #[must_use]
    pub fn of_all<'a>(parts: impl IntoIterator<Item = (&'a str, &'a Self)>) -> Self {
        let mut parts: Vec<(&str, &Self)> = parts.into_iter().collect();
        parts.sort_unstable();
        let mut hash = Sha256::new();
        for (name, part) in parts {
            text(&mut hash, name);
            text(&mut hash, &part.0);
        }
        Self::finished(hash)
    }

    fn finished(hash: Sha256) -> Self {
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A value by its kind and its content. Lengths come first, so that no two values look alike.
fn feed(hash: &mut Sha256, value: &DeValue<'_>) {
    let mut leaf = |kind: &str, content: &str| {
        hash.update(kind);
        text(hash, content);
    };
    match value {
        DeValue::String(content) => leaf("s", content),
        DeValue::Integer(number) => leaf(&format!("i{}", number.radix()), number.as_str()),
        DeValue::Float(number) => leaf("f", number.as_str()),
        DeValue::Boolean(yes) => leaf("b", if *yes { "1" } else { "0" }),
        DeValue::Datetime(time) => leaf("d", &time.to_string()),
        DeValue::Array(values) => {
            hash.update("a");
            hash.update((values.len() as u64).to_be_bytes());
            values.iter().for_each(|value| feed(hash, value.get_ref()));
        }
        DeValue::Table(fields) => {
            members(hash, fields.iter().map(|(name, value)| (name.get_ref().as_ref(), value.get_ref())).collect());
        }
    }
}

fn members(hash: &mut Sha256, mut fields: Vec<(&str, &DeValue<'_>)>) {
    fields.sort_unstable_by_key(|(name, _)| *name);
    hash.update("t");
    hash.update((fields.len() as u64).to_be_bytes());
    for (name, value) in fields {
        text(hash, name);
        feed(hash, value);
    }
}

fn text(hash: &mut Sha256, content: &str) {
    hash.update((content.len() as u64).to_be_bytes());
    hash.update(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Catalogue;

    fn demand(text: &str) -> Demand {
        let mut catalogue = Catalogue::parse(text);
        assert_eq!(catalogue.flaws, []);
        catalogue.entries.remove(0).demand
    }

    const CHECK: &str =
        "[a]\nprobe = 'p'\nfix = 'Do it.'\n[a.expect.http-response]\nstatus = 200\nheaders = { x = 'y', z = 'w' }\n";

    #[test]
    fn layout_and_advice_demand_nothing() {
        let same = [
            CHECK.replace("Do it.", "Do it well."),
            CHECK.replace("probe = 'p'\n", "# why\nimplied-by = 'one/a'\nprobe = \"p\"\n"),
            CHECK.replace("{ x = 'y', z = 'w' }", "{ z = 'w', x = 'y' }"),
            String::from(
                "[a]\nfix = 'x'\nprobe = 'p'\nexpect = { http-response = { headers = { x = 'y', z = 'w' }, status = 200 } }\n",
            ),
        ];
        for text in same {
            assert_eq!(demand(&text), demand(CHECK), "{text}");
        }
    }

    #[test]
    fn each_thing_that_is_demanded_counts() {
        let other = [
            CHECK.replace("200", "201"),
            CHECK.replace("200", "'200'"),
            CHECK.replace("'p'", "'q'"),
            CHECK.replace("x = 'y', z = 'w'", "x = 'y'"),
            CHECK.replace("x = 'y', z = 'w'", "x = 'yz', z = 'w'"),
            CHECK.replace("x = 'y', z = 'w'", "x = 'w', z = 'y'"),
            CHECK.replace("http-response", "http-response.json]\n'/0' = 1\n[a.expect.http-response"),
        ];
        let mut all: Vec<Demand> = other.iter().map(|text| demand(text)).collect();
        all.push(demand(CHECK));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), other.len() + 1);
    }

    #[test]
    fn several_are_one_in_any_order() {
        let (one, two) = (demand(CHECK), demand(&CHECK.replace("200", "404")));
        assert_eq!(Demand::of_all([("a", &one), ("b", &two)]), Demand::of_all([("b", &two), ("a", &one)]));
        assert_ne!(Demand::of_all([("a", &one), ("b", &two)]), Demand::of_all([("a", &two), ("b", &one)]));
        assert_ne!(Demand::of_all([("a", &one)]), one);
    }

    /// What is written into learners' files must mean the same tomorrow.
    #[test]
    fn the_hash_is_the_same_in_every_version() {
        let known = serde_json::to_string(&demand(CHECK)).unwrap();
        assert_eq!(known, "\"bef6aa7188eb0fa56110a245fdd2cffd430a34099da926b7ccaa541e20044d4b\"");
    }
}
