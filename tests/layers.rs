//! Imports point one way. `src/lib.rs` draws the layers; this test reads them off the sources.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Each module with those that it may use, besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("facts", &[]),
    ("vendor", &["facts"]),
    ("check", &["facts"]),
    ("course", &["facts", "check"]),
    ("solution", &["check", "course"]),
    ("sandbox", &["facts"]),
    ("service", &["facts"]),
    ("lab", &["facts", "vendor", "sandbox", "service"]),
    ("verify", &["facts", "vendor", "check", "course", "lab", "service"]),
    ("progress", &["facts", "check", "course"]),
    ("doctor", &["facts", "vendor", "check", "course", "sandbox", "lab", "service"]),
    ("highlight", &[]),
    ("typeset", &["highlight"]),
    ("report", &["facts", "check", "course", "solution", "verify", "doctor", "progress", "highlight", "typeset"]),
    ("guide", &["facts", "check", "course", "service", "verify", "progress", "typeset", "report"]),
    ("author", &["facts", "vendor", "check", "course", "solution", "sandbox", "lab", "service", "verify"]),
    (
        "cli",
        &[
            "author", "doctor", "facts", "vendor", "check", "course", "sandbox", "lab", "service", "solution", "verify",
            "progress", "report", "guide",
        ],
    ),
];

/// The modules that may print: everything else tells, and lets these say it.
const PRINTERS: &[&str] = &["cli", "report"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn module(path: &Path) -> String {
    let within = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    within.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_point_one_way() {
    let mentioned = Regex::new(r"\bcrate::(\w+)").unwrap();
    let grouped = Regex::new(r"use crate::\{").unwrap();
    let mut wrong = Vec::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let own = module(&path);
        if own == "main" || own == "lib" {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == own) else {
            wrong.push(format!("`{own}` is no layer: give it its place in src/lib.rs and here"));
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        assert!(!grouped.is_match(&text), "{}: write one `use crate::…` a module, so that this test can read it", path.display());
        for found in mentioned.captures_iter(&text) {
            let used = &found[1];
            if used != own && !allowed.contains(&used) {
                wrong.push(format!("{}: `{own}` may not use `{used}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_reports_and_commands_print() {
    let printing = Regex::new(r"\b(e?print(ln)?|std::io::(stdout|stderr)|io::(stdout|stderr))\b\s*[!(]").unwrap();
    let mut wrong = Vec::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        // A test may hold the source of a program that prints.
        let is_test = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("tests.rs"));
        if is_test || PRINTERS.contains(&module(&path).as_str()) {
            continue;
        }
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            if printing.is_match(line) && !line.trim_start().starts_with("//") {
                wrong.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "these lines print:\n{}", wrong.join("\n"));
}
