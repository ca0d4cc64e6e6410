use std::collections::BTreeMap;

use super::{AuthorError, Subject};

/// Where the program lists the files that it is built with, in its own checkout.
const LIST: &str = "src/course/source.rs";
const OPENS: &str = "const EMBEDDED";

impl Subject<'_> {
    /// Files of the course that the program would be built without. Elsewhere than in the program's own checkout there is no list.
    pub(super) fn embedded(&mut self) -> Result<(), AuthorError> {
        let Some(page) = self.checkout.page(LIST) else { return Ok(()) };
        let Some(start) = page.text.find(OPENS) else { return Ok(()) };
        let end = page.text[start..].find("];").map_or(page.text.len(), |at| start + at);
        let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
        let mut at = start;
        for line in page.text[start..end].split_inclusive('\n') {
            if let Some(path) = line.trim().strip_prefix('"').and_then(|line| line.strip_suffix('"')) {
                listed.insert(path, at + line.find('"').unwrap_or(0));
            }
            at += line.len();
        }
        for file in read_by_the_program(self)? {
            if !listed.contains_key(file.as_str()) {
                let message = format!("the program would be built without `{file}`");
                let problem = page.problem(start..start + OPENS.len(), message, "this list lacks it");
                self.problems.push(problem.help(format!("add a line `\"{file}\"`")));
            }
        }
        Ok(())
    }
}

fn read_by_the_program(subject: &Subject<'_>) -> Result<Vec<String>, AuthorError> {
    let id = &subject.course.id;
    let (lessons, checks) = (format!("lessons/{id}"), format!("checks/{id}"));
    let mut files = Vec::new();
    for (folder, ending) in [(lessons, ".md"), (checks.clone(), ".toml"), (format!("{checks}/diagnoses"), ".toml")] {
        let here = |file: &String| file.ends_with(ending) && !file[folder.len() + 1..].contains('/');
        files.extend(subject.checkout.files(&folder)?.into_iter().filter(here));
    }
    Ok(files)
}
