//! Colour for code: which stretches of a line are keywords, texts, comments.
//!
//! An [`Ink`] names a meaning, not a colour: what paints them takes the terminal's own 16, which suit it whether it is light or
//! dark. The syntaxes are part of the program and are read when the first code is highlighted, each when it is needed.

use std::ops::Range;
use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// A longer line is left plain: nobody reads it, and it may be made to take long.
const LONGEST_LINE: usize = 2000;

/// What a stretch of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ink {
    /// Nothing in particular.
    Plain,
    /// A comment.
    Comment,
    /// A keyword, or an operation of a Dockerfile.
    Keyword,
    /// A quoted text.
    Text,
    /// A number, a truth value, an escape, a constant.
    Value,
    /// The name of a function, a type, a module or a table.
    Name,
    /// A key, an attribute, a variable's name.
    Key,
}

/// A stretch of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its bytes in the line.
    pub range: Range<usize>,
    /// What it is.
    pub ink: Ink,
}

/// The lines of a piece of code, each cut into stretches that cover it wholly, without its line feed.
///
/// `of` is a path (`src/main.rs`, `Dockerfile`, `.env`) or a language as code fences name it (`rust`, `console`). What is unknown
/// is plain.
#[must_use]
pub fn highlight(code: &str, of: &str) -> Vec<Vec<Span>> {
    let Some(syntax) = syntax(of) else { return code.lines().map(plain).collect() };
    let rules = Rules::get();
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut lines = Vec::new();
    let mut broken = false;
    for line in code.split_inclusive('\n') {
        let length = line.trim_end_matches(['\n', '\r']).len();
        if broken || line.len() > LONGEST_LINE {
            lines.push(plain(&line[..length]));
            continue;
        }
        match inked(line, length, &mut state, &mut stack, rules) {
            Some(spans) => lines.push(spans),
            None => {
                // A syntax that fails is of no more use for what follows.
                broken = true;
                lines.push(plain(&line[..length]));
            }
        }
    }
    lines
}

fn plain(line: &str) -> Vec<Span> {
    if line.is_empty() { Vec::new() } else { vec![Span { range: 0..line.len(), ink: Ink::Plain }] }
}

fn inked(line: &str, length: usize, state: &mut ParseState, stack: &mut ScopeStack, rules: &Rules) -> Option<Vec<Span>> {
    let mut spans: Vec<Span> = Vec::new();
    let mut begun = 0;
    let mut cut = |until: usize, stack: &ScopeStack| {
        let range = begun..until.min(length);
        if range.is_empty() {
            return;
        }
        begun = range.end;
        let ink = rules.ink(stack.as_slice());
        match spans.last_mut() {
            Some(last) if last.ink == ink => last.range.end = range.end,
            _ => spans.push(Span { range, ink }),
        }
    };
    for (at, operation) in state.parse_line(line, &SYNTAXES).ok()? {
        cut(at, stack);
        stack.apply(&operation).ok()?;
    }
    cut(length, stack);
    Some(spans)
}

/// The syntax of a path or a language.
fn syntax(of: &str) -> Option<&'static SyntaxReference> {
    let name = of.rsplit('/').next().unwrap_or(of);
    let known = match name.to_ascii_lowercase().as_str() {
        "" | "text" | "txt" | "plain" => return None,
        // A session with its prompts: near enough.
        "console" | "shell" | "sh" | "bash" => "sh",
        "rust" => "rs",
        "env" | "dotenv" => ".env",
        file if file.starts_with(".env") => ".env",
        file if file == "dockerfile" || file.starts_with("dockerfile.") => "Dockerfile",
        ".gitignore" | ".dockerignore" => ".gitignore",
        "cargo.lock" => "toml",
        _ => name,
    };
    let ending = known.rsplit_once('.').map(|(_, ending)| ending).filter(|ending| !ending.is_empty());
    let by = |ending: &str| SYNTAXES.find_syntax_by_extension(ending);
    by(known).or_else(|| by(ending?)).or_else(|| SYNTAXES.find_syntax_by_token(known)).filter(|found| found.name != "Plain Text")
}

/// Which scopes mean which ink: the first rule that fits the innermost scope decides.
struct Rules {
    rules: Vec<(Scope, Option<Ink>)>,
}

impl Rules {
    fn get() -> &'static Self {
        static RULES: LazyLock<Rules> = LazyLock::new(|| {
            let rules = RULES_BY_NAME.iter().filter_map(|(name, ink)| Some((Scope::new(name).ok()?, *ink)));
            Rules { rules: rules.collect() }
        });
        &RULES
    }

    fn ink(&self, stack: &[Scope]) -> Ink {
        for scope in stack.iter().rev() {
            if let Some((_, decided)) = self.rules.iter().find(|(rule, _)| rule.is_prefix_of(*scope)) {
                match decided {
                    Some(ink) => return *ink,
                    None => continue,
                }
            }
        }
        Ink::Plain
    }
}

/// `None` asks the scope around it. Names follow the TextMate conventions, which the syntaxes keep to.
const RULES_BY_NAME: &[(&str, Option<Ink>)] = &[
    ("comment", Some(Ink::Comment)),
    ("punctuation.definition.comment", Some(Ink::Comment)),
    ("punctuation.definition.string", Some(Ink::Text)),
    ("constant.character.escape", Some(Ink::Value)),
    ("string.unquoted.plain.out", Some(Ink::Plain)),
    ("string.unquoted.plain.in", Some(Ink::Plain)),
    ("meta.mapping.key", Some(Ink::Key)),
    ("entity.name.tag", Some(Ink::Key)),
    ("entity.other.attribute-name", Some(Ink::Key)),
    ("support.type.property-name", Some(Ink::Key)),
    ("meta.annotation", Some(Ink::Key)),
    ("string", Some(Ink::Text)),
    ("constant", Some(Ink::Value)),
    ("keyword.operator", Some(Ink::Plain)),
    ("keyword", Some(Ink::Keyword)),
    ("storage.type", Some(Ink::Keyword)),
    ("storage", Some(Ink::Keyword)),
    ("entity.name", Some(Ink::Name)),
    ("support", Some(Ink::Name)),
    ("variable.function", Some(Ink::Name)),
    ("variable.language", Some(Ink::Keyword)),
    ("variable.other.readwrite.assignment", Some(Ink::Key)),
    ("punctuation", None),
    ("meta", None),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The stretches of one line that have an ink, as `text=Ink`.
    fn inks(code: &str, of: &str) -> Vec<String> {
        let lines = highlight(code, of);
        let all = code.lines().zip(&lines).flat_map(|(line, spans)| spans.iter().map(move |span| (line, span)));
        all.filter(|(line, span)| span.ink != Ink::Plain && !line[span.range.clone()].trim().is_empty())
            .map(|(line, span)| format!("{}={:?}", line[span.range.clone()].trim(), span.ink))
            .collect()
    }

    #[track_caller]
    fn has(code: &str, of: &str, expected: &[&str]) {
        let found = inks(code, of);
        for wanted in expected {
            assert!(found.iter().any(|ink| ink == wanted), "`{wanted}` is not among {found:?} ({of})");
        }
    }

    #[test]
    fn the_languages_of_a_course_are_known() {
        has(
            "pub fn main() { // go\n    let x = 3;\n}\n",
            "src/main.rs",
            &["fn=Keyword", "main=Name", "// go=Comment", "3=Value"],
        );
        has("let name = \"x\";\n", "rust", &["\"x\"=Text"]);
        has("[package]\nname = \"x\" # why\n", "Cargo.toml", &["\"x\"=Text", "# why=Comment"]);
        has("services:\n  app: \"x\" # why\n", "docker-compose.yml", &["\"x\"=Text", "# why=Comment", "services=Key"]);
        has("# why\nFROM rust:1 AS build\n", "Dockerfile", &["# why=Comment", "FROM=Keyword"]);
        has("{ \"a\": 1 }\n", "rule.json", &["1=Value"]);
        has("# why\nKEY=1\n", ".env.example", &["# why=Comment"]);
        has("if true; then echo \"x\"; fi # why\n", "console", &["# why=Comment"]);
    }

    #[test]
    fn a_text_goes_on_over_lines() {
        has("/* one\ntwo */ fn f() {}\n", "rs", &["/* one=Comment", "two */=Comment", "fn=Keyword"]);
    }

    #[test]
    fn what_is_unknown_is_plain() {
        for of in ["notes.txt", "x.unknown", "", "Makefile.of.nobody"] {
            assert_eq!(highlight("fn x\n\n", of), [vec![Span { range: 0..4, ink: Ink::Plain }], vec![]], "{of}");
        }
        let long = format!("// {}\n", "x".repeat(LONGEST_LINE));
        assert_eq!(highlight(&long, "rs"), [vec![Span { range: 0..long.len() - 1, ink: Ink::Plain }]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
        #[test]
        fn the_stretches_cover_each_line(code in "([a-z\"'/*#{}=é:\\[\\] ]{0,12}\r?\n){0,6}[a-z\"]{0,4}", of in "rs|toml|yml|Dockerfile|json|sh|.env") {
            let lines = highlight(&code, &of);
            prop_assert_eq!(lines.len(), code.lines().count());
            for (line, spans) in code.lines().zip(&lines) {
                let mut at = 0;
                for span in spans {
                    prop_assert_eq!(span.range.start, at);
                    prop_assert!(line.get(span.range.clone()).is_some_and(|text| !text.is_empty()));
                    at = span.range.end;
                }
                prop_assert_eq!(at, line.len());
            }
        }
    }
}
