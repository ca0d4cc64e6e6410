//! `Cargo.lock` for a state: what its `Cargo.toml` leads to, out of the lock of the whole solution.
//!
//! Two things say which of the lock's edges a state has. An edge of the service itself is there when its `Cargo.toml` names the
//! dependency. An edge between two others is there when the features ask for it that the state's dependencies turn on: cargo
//! alone knows that, so those that not every state has are listed, with the step they came with, in the solution's `lock.toml`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A lock file, taken apart. Only the form that cargo itself writes is understood.
#[derive(Debug, Default)]
pub(super) struct Lock<'a> {
    /// What stands before the first package.
    head: &'a str,
    packages: Vec<Package<'a>>,
}

#[derive(Debug)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    /// Whether it comes from a registry; the service itself does not.
    foreign: bool,
    /// Its lines before the dependencies.
    lines: &'a str,
    /// As they are written: `name`, or `name version` where there is more than one.
    dependencies: Vec<&'a str>,
}

const PACKAGE: &str = "[[package]]\n";

impl<'a> Lock<'a> {
    /// Reads the text; `None` where cargo did not write it.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut blocks = text.split(PACKAGE);
        let head = blocks.next()?;
        let packages = blocks.map(Package::parse).collect::<Option<Vec<_>>>()?;
        Some(Self { head, packages })
    }

    /// The lock for a service that names these dependencies, without the edges that are absent. `root` is the service's name.
    pub(super) fn of(&self, root: &str, named: &BTreeSet<String>, absent: &dyn Fn(&str, &str) -> bool) -> Option<String> {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, package) in self.packages.iter().enumerate() {
            by_name.entry(package.name).or_default().push(index);
        }
        let find = |written: &str| {
            let mut parts = written.split(' ');
            let (name, version) = (parts.next()?, parts.next());
            let found = by_name.get(name)?;
            found.iter().copied().find(|index| version.is_none_or(|version| self.packages[*index].version == version))
        };
        let start = find(root)?;
        // What is reachable, each with the packages that it leads to.
        let mut kept: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut open = vec![start];
        while let Some(index) = open.pop() {
            if kept.contains_key(&index) {
                continue;
            }
            let package = &self.packages[index];
            let own = written(package, by_name[package.name].len() > 1);
            let leads = |to: &&&str| {
                if index == start { named.contains(to.split(' ').next().unwrap_or_default()) } else { !absent(&own, to) }
            };
            let next: Vec<usize> = package.dependencies.iter().filter(leads).filter_map(|to| find(to)).collect();
            open.extend(&next);
            kept.insert(index, next);
        }
        Some(self.text_of(&kept))
    }

    fn text_of(&self, kept: &BTreeMap<usize, Vec<usize>>) -> String {
        let mut versions: HashMap<&str, usize> = HashMap::new();
        for index in kept.keys() {
            *versions.entry(self.packages[*index].name).or_default() += 1;
        }
        let mut text = self.head.to_owned();
        for (position, (index, next)) in kept.iter().enumerate() {
            if position > 0 {
                text.push('\n');
            }
            text.push_str(PACKAGE);
            text.push_str(self.packages[*index].lines);
            if !text.ends_with('\n') {
                text.push('\n');
            }
            if next.is_empty() {
                continue;
            }
            text.push_str("dependencies = [\n");
            let mut names: Vec<String> = next
                .iter()
                .map(|index| &self.packages[*index])
                .map(|package| written(package, versions.get(package.name).is_some_and(|count| *count > 1)))
                .collect();
            names.sort();
            for name in names {
                text.push_str(&format!(" \"{name}\",\n"));
            }
            text.push_str("]\n");
        }
        text
    }

    /// Where each package leads to, by name and version; the service itself left out, which goes by its `Cargo.toml`.
    fn graph(&self) -> BTreeMap<(&'a str, &'a str), BTreeSet<(&'a str, &'a str)>> {
        let find = |written: &str| {
            let mut parts = written.split(' ');
            let (name, version) = (parts.next()?, parts.next());
            let same = |package: &&Package<'a>| package.name == name && version.is_none_or(|version| package.version == version);
            self.packages.iter().find(same).map(|package| (package.name, package.version))
        };
        let ends = |package: &Package<'a>| package.dependencies.iter().filter_map(|to| find(to)).collect();
        let foreign = self.packages.iter().filter(|package| package.foreign);
        foreign.map(|package| ((package.name, package.version), ends(package))).collect()
    }
}

/// The text of `lock.toml`: the edges of the whole solution's lock that cargo leaves out of the locks of earlier states, although
/// the package is there. `states` are the names of steps, in order, each with the lock that cargo makes for the state; the first
/// is the starter's, whatever its name.
#[must_use]
pub fn edges_that_came(whole: &str, states: &[(&str, &str)]) -> String {
    let whole = Lock::parse(whole).map(|lock| (lock.graph(), lock)).unwrap_or_default();
    let graphs: Vec<_> = states.iter().filter_map(|(step, text)| Some((*step, Lock::parse(text)?.graph()))).collect();
    let name = |(name, version): (&str, &str)| {
        let several = whole.1.packages.iter().filter(|package| package.name == name).count() > 1;
        if several { format!("{name} {version}") } else { name.to_owned() }
    };
    let mut came: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (from, ends) in &whole.0 {
        let Some(first) = graphs.iter().position(|(_, graph)| graph.contains_key(from)) else { continue };
        for to in ends {
            let has = |graph: &BTreeMap<_, BTreeSet<_>>| graph.get(from).is_some_and(|ends| ends.contains(to));
            match graphs.iter().position(|(_, graph)| has(graph)) {
                Some(with) if with > first => came.entry(with).or_default().push(format!("{} -> {}", name(*from), name(*to))),
                _ => {}
            }
        }
    }
    let mut text = String::from(
        "# Edges of Cargo.lock that are there because of a feature, and the step that turned it on.\n\
         # Written by cargo's own account: `SNAPSHOTS=overwrite cargo test --test states -- --ignored locks`\n",
    );
    for (with, edges) in came {
        text.push_str(&format!("\n[[came]]\nwith = \"{}\"\nedges = [\n", graphs[with].0));
        for edge in edges {
            text.push_str(&format!("  \"{edge}\",\n"));
        }
        text.push_str("]\n");
    }
    text
}

fn written(package: &Package<'_>, with_version: bool) -> String {
    if with_version { format!("{} {}", package.name, package.version) } else { package.name.to_owned() }
}

impl<'a> Package<'a> {
    fn parse(block: &'a str) -> Option<Self> {
        let block = block.trim_end_matches('\n');
        let field = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
            line.strip_suffix('"')
        };
        let (lines, dependencies) = match block.find("dependencies = [\n") {
            Some(at) => {
                let rows = block[at..].lines().skip(1).take_while(|line| *line != "]");
                let names = rows.map(|row| row.strip_prefix(" \"")?.strip_suffix("\",")).collect::<Option<Vec<_>>>()?;
                (&block[..at], names)
            }
            None => (block, Vec::new()),
        };
        Some(Self { name: field("name")?, version: field("version")?, foreign: field("source").is_some(), lines, dependencies })
    }
}

/// The names of all dependencies of a `Cargo.toml`, as the lock knows them; with the name of the package.
pub(super) fn named(manifest: &str) -> Result<(String, BTreeSet<String>), toml::de::Error> {
    let manifest: toml::Table = toml::from_str(manifest)?;
    let mut names = BTreeSet::new();
    let mut tables = vec![&manifest];
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    tables.extend(targets.filter_map(|(_, target)| target.as_table()));
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (key, value) in table.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                names.insert(renamed.unwrap_or(key).to_owned());
            }
        }
    }
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    Ok((name.unwrap_or_default().to_owned(), names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = r#"# This file is automatically @generated by Cargo.
version = 4

[[package]]
name = "http"
version = "1.0.0"
source = "registry"
dependencies = [
 "syn 1.0.0",
 "tls",
]

[[package]]
name = "log"
version = "0.4.0"
source = "registry"
dependencies = [
 "syn 2.0.0",
]

[[package]]
name = "service"
version = "0.1.0"
dependencies = [
 "http",
 "log",
]

[[package]]
name = "syn"
version = "1.0.0"
source = "registry"

[[package]]
name = "syn"
version = "2.0.0"
source = "registry"

[[package]]
name = "tls"
version = "1.0.0"
source = "registry"
"#;

    fn of(names: &[&str], absent: &dyn Fn(&str, &str) -> bool) -> String {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Lock::parse(WHOLE).unwrap().of("service", &names, absent).unwrap()
    }

    #[test]
    fn with_all_dependencies_it_is_itself() {
        assert_eq!(of(&["http", "log"], &|_, _| false), WHOLE);
    }

    #[test]
    fn what_is_not_reached_is_gone_and_a_version_is_named_only_where_it_must() {
        let lock = of(&["http"], &|_, _| false);
        assert!(!lock.contains("log") && !lock.contains("2.0.0"), "{lock}");
        assert!(lock.contains("dependencies = [\n \"syn\",\n \"tls\",\n]\n"), "{lock}");
        let alone = of(&[], &|_, _| false);
        assert!(alone.ends_with("[[package]]\nname = \"service\"\nversion = \"0.1.0\"\n"), "{alone}");
    }

    #[test]
    fn an_edge_that_no_feature_asks_for_is_left_out() {
        let lock = of(&["http", "log"], &|from, to| (from, to) == ("http", "tls"));
        assert!(!lock.contains("tls"), "{lock}");
    }

    #[test]
    fn the_edges_that_came_are_those_of_packages_that_were_there_before() {
        let first = of(&["http"], &|from, to| (from, to) == ("http", "tls"));
        let text = edges_that_came(WHOLE, &[("the starter", &first), ("one/a", WHOLE)]);
        assert!(text.ends_with("[[came]]\nwith = \"one/a\"\nedges = [\n  \"http -> tls\",\n]\n"), "{text}");
    }

    #[test]
    fn dependencies_go_by_the_name_of_their_package() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\nb = { package = \"c\", version = \"1\" }\n\
                        [dev-dependencies]\nd = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n";
        let (name, names) = named(manifest).unwrap();
        assert_eq!((name.as_str(), names.into_iter().collect::<Vec<_>>().concat().as_str()), ("x", "acde"));
        assert!(named("[dependencies").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
            blocks in proptest::collection::vec(
                prop_oneof![
                    Just("[[package]]\n"), Just("name = \"a\"\n"), Just("version = \"1\"\n"), Just("dependencies = [\n"),
                    Just(" \"a\",\n"), Just(" \"a 1\",\n"), Just(" \"b\",\n"), Just("]\n"), Just("name = \"\n"), Just("é"), Just("\n"),
                ],
                0..40,
            )
        ) {
            let text = blocks.concat();
            let _ = edges_that_came(&text, &[("x", &text)]);
            if let Some(lock) = Lock::parse(&text) {
                let names = BTreeSet::from([String::from("a")]);
                lock.of("a", &names, &|_, _| false);
            }
        }
    }
}
