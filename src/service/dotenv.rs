//! `.env` and `env_file` files, as compose reads them.
//!
//! Written against Docker's page "Syntax for environment files in Docker Compose". A ready-made reader was not to be
//! had: those at hand ask the process's own environment while they substitute, and forget the lines.

use std::collections::BTreeMap;

use compose_lens::interpolation::{EnvironmentProvider, EnvironmentValue, InterpolationInput, SubstitutionOutcome, interpolate};
use compose_lens::source::{SourceId, SourceSpan};

/// The largest file that is read, in bytes.
pub(super) const LIMIT: usize = 1 << 20;

/// One line that sets a variable.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The variable.
    pub name: String,
    /// Its value; `None` for a bare name, which passes on the shell's.
    pub value: Option<String>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The variables that its value asks for and that nobody sets.
    pub unset: Vec<String>,
}

/// What is wrong with a line. Tells nothing of its content: there are keys in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// With quotes, comments and `${…}`.
    Compose,
    /// What stands behind the `=`, as it is.
    Raw,
}

/// Reads a file. `outer` is asked first for a variable that a value asks for, then the lines above.
pub(super) fn parse(text: &str, format: Format, outer: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Entry>, Fault> {
    if text.len() > LIMIT {
        return Err(Fault { line: 1, message: format!("the file is larger than {LIMIT} bytes") });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut reader = Reader { rest: &text, line: 1 };
    let mut entries = Vec::new();
    let mut above = BTreeMap::new();
    while let Some((name, line)) = reader.name()? {
        let raw = match format {
            Format::Compose => reader.value()?,
            Format::Raw => reader.raw_value(),
        };
        let mut unset = Vec::new();
        let value = raw.map(|raw| match raw {
            Raw::Literal(value) => value,
            Raw::Template(template) => expand(&template, &Scope { outer, above: &above }, &mut unset),
        });
        if let Some(value) = value.clone().or_else(|| outer(&name)) {
            above.insert(name.clone(), value);
        }
        entries.push(Entry { name, value, line, unset });
    }
    Ok(entries)
}

/// Puts values in the place of `$NAME` and `${NAME…}`, and notes the names that nobody sets.
fn expand(template: &str, scope: &Scope<'_>, unset: &mut Vec<String>) -> String {
    let Some(span) = SourceSpan::new(SourceId::new(0), 0, 0) else { return template.to_owned() };
    let result = interpolate(InterpolationInput::new(template, span).sensitive(), scope);
    for substitution in result.substitutions() {
        if matches!(substitution.outcome(), SubstitutionOutcome::Missing | SubstitutionOutcome::RequiredMissing) {
            unset.push(substitution.name().to_owned());
        }
    }
    result.resolved().to_owned()
}

struct Scope<'a> {
    outer: &'a dyn Fn(&str) -> Option<String>,
    above: &'a BTreeMap<String, String>,
}

impl EnvironmentProvider for Scope<'_> {
    fn get(&self, name: &str) -> Option<EnvironmentValue> {
        (self.outer)(name).or_else(|| self.above.get(name).cloned()).map(EnvironmentValue::sensitive)
    }
}

enum Raw {
    Literal(String),
    Template(String),
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { line: self.line, message: message.into() }
    }

    /// Takes bytes off the front and counts the lines in them.
    fn take(&mut self, bytes: usize) -> &str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        taken
    }

    fn skip_blanks(&mut self) {
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        self.take(blank);
    }

    fn skip_line(&mut self) {
        let end = self.rest.find('\n').map_or(self.rest.len(), |index| index + 1);
        self.take(end);
    }

    /// The next name, with what parts it from its value taken away; and its line.
    fn name(&mut self) -> Result<Option<(String, usize)>, Fault> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.take(blank);
            if self.rest.is_empty() {
                return Ok(None);
            }
            if !self.rest.starts_with('#') {
                break;
            }
            self.skip_line();
        }
        if let Some(after) = self.rest.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])) {
            let skipped = self.rest.len() - after.len();
            self.take(skipped);
            self.skip_blanks();
        }
        let line = self.line;
        let length =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))).unwrap_or(self.rest.len());
        if length == 0 || self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err(self.fault("a line must begin with the name of a variable: letters, digits and `_`"));
        }
        let name = self.take(length).to_owned();
        self.skip_blanks();
        Ok(Some((name, line)))
    }

    /// The value after a name: `None` where there is no `=`.
    fn value(&mut self) -> Result<Option<Raw>, Fault> {
        if !self.separator()? {
            return Ok(None);
        }
        self.skip_blanks();
        match self.rest.chars().next() {
            Some('\'') => self.single_quoted().map(Some),
            Some('"') => self.double_quoted().map(Some),
            _ => {
                let line = self.rest.split('\n').next().unwrap_or_default();
                let length = line.len();
                let end = if line.starts_with('#') { 0 } else { comment(line).unwrap_or(length) };
                let value = line[..end].trim_end().to_owned();
                self.take(length);
                Ok(Some(Raw::Template(value)))
            }
        }
    }

    /// What stands behind the `=`, as it is.
    fn raw_value(&mut self) -> Option<Raw> {
        let line = self.rest.split('\n').next().unwrap_or_default();
        let length = line.len();
        let value = line.strip_prefix('=').map(|value| Raw::Literal(value.to_owned()));
        self.take(length);
        value
    }

    /// Takes the `=` (or `:`, as YAML has it); `false` at the end of a line with a bare name.
    fn separator(&mut self) -> Result<bool, Fault> {
        match self.rest.chars().next() {
            None | Some('\n') => Ok(false),
            Some('#') => {
                self.skip_line();
                Ok(false)
            }
            Some('=' | ':') => {
                self.take(1);
                Ok(true)
            }
            Some(_) => Err(self.fault("there must be a `=` between the name and its value, and no blank within the name")),
        }
    }

    /// A literal: between single quotes only the quote itself is escaped.
    fn single_quoted(&mut self) -> Result<Raw, Fault> {
        let body = self.quoted('\'')?;
        self.line_end()?;
        Ok(Raw::Literal(body.replace("\\'", "'")))
    }

    /// A template: escapes are resolved, and `\$` becomes the `$$` that stays a dollar.
    fn double_quoted(&mut self) -> Result<Raw, Fault> {
        let body = self.quoted('"')?;
        self.line_end()?;
        let mut value = String::with_capacity(body.len());
        let mut characters = body.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                value.push(character);
                continue;
            }
            match characters.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some('$') => value.push_str("$$"),
                Some(plain @ ('\\' | '"')) => value.push(plain),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            }
        }
        Ok(Raw::Template(value))
    }

    /// What stands between this quote and the next that is not escaped; it may span lines.
    fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let mut escaped = false;
        for (index, character) in self.rest.char_indices().skip(1) {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                end if end == quote => {
                    let body = self.rest[1..index].to_owned();
                    self.take(index + 1);
                    return Ok(body);
                }
                _ => {}
            }
        }
        Err(self.fault(format!("the closing `{quote}` of the value is missing")))
    }

    /// After a closing quote only a comment may follow.
    fn line_end(&mut self) -> Result<(), Fault> {
        self.skip_blanks();
        match self.rest.chars().next() {
            None | Some('\n') => Ok(()),
            Some('#') => {
                self.skip_line();
                Ok(())
            }
            Some(_) => Err(self.fault("only a comment may follow the closing quote")),
        }
    }
}

/// Where a comment begins in an unquoted value: at a `#` after a blank.
fn comment(line: &str) -> Option<usize> {
    line.match_indices('#').map(|(index, _)| index).find(|index| line[..*index].ends_with([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, Option<String>, usize)> {
        let shell = |name: &str| (name == "SHELL_KEY").then(|| String::from("from the shell"));
        parse(text, Format::Compose, &shell)
            .unwrap_or_else(|fault| panic!("{fault:?}"))
            .into_iter()
            .map(|entry| (entry.name, entry.value, entry.line))
            .collect()
    }

    fn value(text: &str) -> String {
        read(text).pop().and_then(|(_, value, _)| value).unwrap_or_else(|| panic!("no value in {text:?}"))
    }

    #[test]
    fn values_are_read_as_compose_reads_them() {
        assert_eq!(value("A=plain # a comment"), "plain");
        assert_eq!(value("A=not#a comment"), "not#a comment");
        assert_eq!(value("A=  spaced  \r\n"), "spaced");
        assert_eq!(value("A=\"  kept \" # c"), "  kept ");
        assert_eq!(value("A='$NOT ${x} \\n'"), "$NOT ${x} \\n");
        assert_eq!(value("A=\"a\\tb\\n\\$c\\\"\""), "a\tb\n$c\"");
        assert_eq!(value("A=\"two\nlines\""), "two\nlines");
        assert_eq!(value("export A=b"), "b");
        assert_eq!(value("A: b"), "b");
        assert_eq!(value("A="), "");
        assert_eq!(value("A=x=y"), "x=y");
        assert_eq!(value("A=$SHELL_KEY!"), "from the shell!");
        assert_eq!(value("B=1\nA=${B}${C:-2}$$"), "12$");
    }

    #[test]
    fn the_shell_outranks_the_lines_above() {
        assert_eq!(value("SHELL_KEY=file\nA=${SHELL_KEY}"), "from the shell");
    }

    #[test]
    fn lines_are_counted_and_bare_names_kept() {
        let entries = read("# c\n\nA=\"1\n2\"\nB\nC=3 \n");
        assert_eq!(
            entries.iter().map(|(name, value, line)| (name.as_str(), value.is_some(), *line)).collect::<Vec<_>>(),
            [("A", true, 3), ("B", false, 5), ("C", true, 6)]
        );
    }

    #[test]
    fn faults_name_their_line_and_no_content() {
        for (text, line) in [("A=1\nB C=secret", 2), ("A=\"secret", 1), ("\n=secret", 2), ("A='x' secret", 1), ("1A=secret", 1)] {
            let fault = parse(text, Format::Compose, &|_| None).err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert_eq!(fault.line, line, "{text:?}");
            assert!(!fault.message.contains("secret"));
        }
    }

    #[test]
    fn what_nobody_sets_is_told() {
        let entries = parse("A=${NOBODY}x", Format::Compose, &|_| None).unwrap_or_default();
        assert_eq!((entries[0].value.as_deref(), entries[0].unset.as_slice()), (Some("x"), &[String::from("NOBODY")][..]));
    }

    #[test]
    fn raw_values_are_left_alone() {
        let entries = parse("A= \"x\" # ${B} \n", Format::Raw, &|_| None).unwrap_or_default();
        assert_eq!(entries[0].value.as_deref(), Some(" \"x\" # ${B} "));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,200}") {
            let _ = parse(&text, Format::Compose, &|_| None);
            let _ = parse(&text, Format::Raw, &|_| None);
        }

        #[test]
        fn no_likely_text_makes_it_panic(text in "[A-B=:'\"$\\{\\}# \\\\\n\r-]{0,60}") {
            let _ = parse(&text, Format::Compose, &|name| (name == "A").then(String::new));
        }

        #[test]
        fn a_quoted_value_comes_back(text in "[^'\\\\\r]{0,40}") {
            let entries = parse(&format!("A='{text}'"), Format::Compose, &|_| None).unwrap_or_default();
            prop_assert_eq!(entries[0].value.as_deref(), Some(text.as_str()));
        }
    }
}
