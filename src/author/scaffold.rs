use crate::check::{Catalogue, closest};
use crate::course::{Course, Lesson, Page, Problem, Selection, Step, slug};

use super::{AuthorError, Checkout};

/// What is to be begun. Its id is made of its title; what its author has to write stands in angle quotes, and [`super::lint()`]
/// tells of it until it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scaffold {
    /// A lesson behind the last one, with a check file.
    Lesson {
        /// The course.
        course: String,
        /// The lesson's title.
        title: String,
    },
    /// A step at the end of a lesson, with one check.
    Step {
        /// `course/lesson`.
        lesson: String,
        /// The step's heading.
        title: String,
    },
    /// A check at the end of a step.
    Check {
        /// `course/lesson/step`.
        step: String,
        /// What must be seen.
        title: String,
        /// The check's id, where the title makes none that is handy.
        id: Option<String>,
    },
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Places, from the checkout's root, each with a line, from 1, at which something new begins.
    pub places: Vec<(String, usize)>,
    /// The files among them that were not there before.
    pub created: Vec<String>,
}

/// A file that is to be written.
struct Draft {
    path: String,
    text: String,
    line: usize,
    is_new: bool,
}

impl Scaffold {
    /// Writes it. Nothing that is there is overwritten, and nothing is written where something is in the way.
    ///
    /// # Errors
    /// When there is no such course, lesson or step, the id is taken, or a file cannot be written.
    pub fn write(&self, checkout: &Checkout) -> Result<Written, AuthorError> {
        let drafts = match self {
            Self::Lesson { course, title } => lesson(checkout, course, title)?,
            Self::Step { lesson, title } => step(checkout, lesson, title)?,
            Self::Check { step, title, id } => check(checkout, step, title, id.as_deref())?,
        };
        if let Some(draft) = drafts.iter().find(|draft| draft.is_new && checkout.root().join(&draft.path).exists()) {
            return Err(AuthorError::Refused(format!("`{}` is already there, and stays as it is", draft.path)));
        }
        let mut written = Written { places: Vec::new(), created: Vec::new() };
        for draft in drafts {
            if draft.is_new {
                checkout.create(&draft.path, &draft.text)?;
                written.created.push(draft.path.clone());
            } else {
                checkout.replace(&draft.path, &draft.text)?;
            }
            written.places.push((draft.path, draft.line));
        }
        Ok(written)
    }
}

fn lesson(checkout: &Checkout, course: &str, title: &str) -> Result<Vec<Draft>, AuthorError> {
    let id = id_of(title)?;
    let course = examine(checkout, course)?;
    if let Some(other) = course.lessons.iter().find(|lesson| lesson.id == id) {
        return Err(AuthorError::Refused(format!(
            "`{}` is the lesson `{id}` already: give the new one another title",
            other.file
        )));
    }
    let number = course.lessons.iter().map(|lesson| lesson.number).max().unwrap_or(0) + 1;
    let text = format!(
        "---\ntitle: {}\norder: {number}\nsummary: ‹what it brings, in one line›\n---\n\n‹what the lesson is about›\n",
        yaml(title)
    );
    let checks = format!("checks/{}/{id}.toml", course.id);
    Ok(vec![
        Draft { text: head(checkout), path: checks, line: 1, is_new: true },
        Draft { path: format!("lessons/{}/{number}-{id}.md", course.id), text, line: 1, is_new: true },
    ])
}

fn step(checkout: &Checkout, lesson: &str, title: &str) -> Result<Vec<Draft>, AuthorError> {
    let id = id_of(title)?;
    let Some((course, name)) = lesson.split_once('/').filter(|(_, name)| !name.contains('/')) else {
        return Err(AuthorError::Refused(format!("`{lesson}` names no lesson: write `<course>/<lesson>`")));
    };
    let course = examine(checkout, course)?;
    let lesson = find(&course, name)?;
    if let Some(other) = lesson.steps.iter().find(|step| step.id == id) {
        let message = format!("`{}` has a step `{id}` already, in line {}: choose another title", lesson.file, other.line);
        return Err(AuthorError::Refused(message));
    }
    let taken = check_ids(checkout, &course)?;
    // The title may be in a script of which no check's name can be made.
    let plain = check_id(title).unwrap_or_else(|_| String::from("check"));
    let numbered = (2..).map(|number| format!("{plain}-{number}"));
    let check = std::iter::once(plain.clone()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or(plain);
    let text = format!(
        "## {title}\n\n‹why it matters, in up to three sentences›\n\n```\n‹what to change; name the file in the fence: ```rust \
         file=src/….rs›\n```\n\nSee it: ‹how to see the result with one's own eyes›\n\n<details><summary>‹what goes \
         wrong›</summary>\n\n‹what leads on, without giving the answer away›\n\n</details>\n\n**Verify** · 1 point\n- [ ] `{check}` \
         ‹what must be seen›\n"
    );
    let page = read(checkout, &lesson.file)?;
    let page = appended(&page, &text);
    Ok(vec![page, table(checkout, &course, &lesson.id, &check)])
}

fn check(checkout: &Checkout, path: &str, title: &str, id: Option<&str>) -> Result<Vec<Draft>, AuthorError> {
    one_line(title)?;
    let id = check_id(id.unwrap_or(title))?;
    let refused = |error: &dyn std::fmt::Display| AuthorError::Refused(error.to_string());
    let selection = Selection::parse(path, None).map_err(|error| refused(&error))?;
    let course = examine(checkout, selection.course())?;
    if path.trim_end_matches('/').split('/').count() != 3 {
        return Err(AuthorError::Refused(format!("`{path}` names no step: write `<course>/<lesson>/<step>`")));
    }
    let steps = course.select(&selection).map_err(|error| refused(&error))?;
    let Some((lesson, step)) = steps.first() else { return Err(AuthorError::Refused(format!("`{path}` names no step"))) };
    if check_ids(checkout, &course)?.contains(&id) {
        let message = format!("`{}` has a check `{id}` already: name this one with `--id`", course.id);
        return Err(AuthorError::Refused(message));
    }
    let page = read(checkout, &lesson.file)?;
    let page = listed(&page, step, &format!("- [ ] `{id}` {title}\n"))?;
    Ok(vec![page, table(checkout, &course, &lesson.id, &id)])
}

/// The course, broken as it may be: a lesson that was just begun has no step yet.
fn examine(checkout: &Checkout, id: &str) -> Result<Course, AuthorError> {
    checkout.known(id)?;
    Ok(Course::examine(&checkout.source(), id).map(|(course, _problems): (Course, Vec<Problem>)| course)?)
}

fn find<'a>(course: &'a Course, name: &str) -> Result<&'a Lesson, AuthorError> {
    let found = course.lessons.iter().find(|lesson| lesson.id == name || lesson.number.to_string() == name);
    found.ok_or_else(|| {
        let close = closest(name, course.lessons.iter().map(|lesson| lesson.id.as_str()));
        let remedy = close.map_or_else(
            || format!("`bootcamp author new lesson {}` begins one", course.id),
            |close| format!("did you mean `{close}`?"),
        );
        AuthorError::Refused(format!("`{}` has no lesson `{name}`: {remedy}", course.id))
    })
}

/// All ids that check files define, whether a step lists them or not.
fn check_ids(checkout: &Checkout, course: &Course) -> Result<Vec<String>, AuthorError> {
    let files = checkout.files(&format!("checks/{}", course.id))?;
    let pages = files.iter().filter(|file| file.ends_with(".toml")).filter_map(|file| checkout.page(file));
    Ok(pages.flat_map(|page| Catalogue::parse(&page.text).entries).map(|entry| entry.name).collect())
}

fn read(checkout: &Checkout, file: &str) -> Result<Page, AuthorError> {
    checkout.page(file).ok_or_else(|| AuthorError::Refused(format!("`{file}` is not UTF-8: save it as UTF-8")))
}

fn one_line(title: &str) -> Result<(), AuthorError> {
    if title.trim().is_empty() || title.chars().any(char::is_control) {
        return Err(AuthorError::Refused(String::from("a title is one line of text")));
    }
    Ok(())
}

fn id_of(title: &str) -> Result<String, AuthorError> {
    one_line(title)?;
    // In a heading, both would say something else than they do here.
    if title.contains('{') || title.trim().starts_with('#') || title.trim().ends_with('#') {
        return Err(AuthorError::Refused(format!("`{title}` is no title for a heading: leave `{{` and `#` out")));
    }
    let id = slug(title);
    // A number alone names what stands in that place, so as an id it could mean two lessons.
    if id.chars().any(|c| c.is_alphanumeric() && !c.is_numeric()) {
        return Ok(id);
    }
    Err(AuthorError::Refused(format!("`{title}` makes no id: use letters in it")))
}

/// A check's name, of which its table is the key: lower-case words, joined by `-`.
fn check_id(title: &str) -> Result<String, AuthorError> {
    let words = title.to_lowercase();
    let words: Vec<&str> = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err(AuthorError::Refused(format!(
            "`{title}` makes no name for a check: name it with `--id`, in lower-case words"
        )));
    }
    Ok(words.join("-"))
}

/// A title as front matter has it.
fn yaml(title: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || " -_,.()’".contains(c);
    let is_plain =
        title.starts_with(char::is_alphabetic) && title.chars().all(is_word) && title.contains(|c: char| c.is_lowercase());
    let is_plain = is_plain && !["true", "false", "null", "yes", "no", "on", "off"].contains(&title.to_lowercase().as_str());
    if is_plain { title.trim().to_owned() } else { serde_json::Value::from(title.trim()).to_string() }
}

fn head(checkout: &Checkout) -> String {
    if checkout.root().join("checks/schema.json").exists() { String::from("#:schema ../schema.json\n") } else { String::new() }
}

/// The check's table, at the end of its lesson's file.
fn table(checkout: &Checkout, course: &Course, lesson: &str, id: &str) -> Draft {
    let text = format!(
        "[{id}]\nfix = \"‹what to do when it is not met›\"\n[{id}.expect.file]\npath = \"‹the file of the workspace that shows it, \
         or another kind of check›\"\n"
    );
    let path = format!("checks/{}/{lesson}.toml", course.id);
    match checkout.page(&path) {
        Some(page) => appended(&page, &text),
        None => appended(&Page::new(path, head(checkout)), &text).begun(),
    }
}

/// The page with a text at its end, a blank line before it.
fn appended(page: &Page, text: &str) -> Draft {
    let kept = page.text.trim_end();
    let kept = &page.text[..kept.len()];
    let ending = ending(&page.text);
    let gap = if kept.is_empty() { String::new() } else { ending.repeat(2) };
    let line = page.line(kept.len()) + if kept.is_empty() { 0 } else { 2 };
    let text = format!("{kept}{gap}{}", text.replace('\n', ending));
    Draft { path: page.file.clone(), text, line, is_new: false }
}

/// The page with an item more in the list of a step's checks.
fn listed(page: &Page, step: &Step, item: &str) -> Result<Draft, AuthorError> {
    let Some(last) = step.checks.iter().map(|check| check.line).max() else {
        let message = format!("the step `{}` lists no check yet: end it with `**Verify** · 1 point` and a list", step.path);
        return Err(AuthorError::Refused(message));
    };
    let rows: Vec<&str> = page.text.split_inclusive('\n').collect();
    // An item may go on over some lines.
    let goes_on = |row: &&&str| !row.trim().is_empty() && !row.starts_with(['#', '-', '*', '+', '<', '`', '>']);
    let at = last + rows[last.min(rows.len())..].iter().take_while(goes_on).count();
    let (mut before, after) = (rows[..at].concat(), rows[at..].concat());
    let ending = ending(&page.text);
    if !before.ends_with('\n') {
        before.push_str(ending);
    }
    let text = format!("{before}{}{after}", item.replace('\n', ending));
    Ok(Draft { path: page.file.clone(), text, line: at + 1, is_new: false })
}

fn ending(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

impl Draft {
    fn begun(self) -> Self {
        Self { is_new: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    const LESSON: &str = "---\r\ntitle: First\r\norder: 7\r\nsummary: S\r\n---\r\n\r\n## A\r\n\r\nWhy.\r\n\r\n**Verify** · 1 point\r\n- [ ] `a` it is\r\n  there\r\n\r\nEnd.\r\n";

    fn checkout(folder: &tempfile::TempDir) -> Checkout {
        for (path, text) in
            [("lessons/demo/1-first.md", LESSON), ("checks/demo/first.toml", "[a]\nfix = 'F'\n[a.expect.variable]\nname = 'A'\n")]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Checkout::find(folder.path()).unwrap()
    }

    #[test]
    fn an_item_comes_behind_the_last_one_with_the_pages_line_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let check = Scaffold::Check { step: "demo/first/a".into(), title: "it stays".into(), id: None };
        let written = check.write(&checkout(&folder)).unwrap();
        assert_eq!(written.places, [("lessons/demo/1-first.md".into(), 14), ("checks/demo/first.toml".into(), 6)]);
        let lesson = fs::read_to_string(folder.path().join("lessons/demo/1-first.md")).unwrap();
        assert_eq!(lesson, LESSON.replace("  there\r\n", "  there\r\n- [ ] `it-stays` it stays\r\n"));
    }

    #[test]
    fn a_number_is_no_title_because_it_names_the_lesson_in_that_place() {
        let folder = tempfile::tempdir().unwrap();
        let lesson = Scaffold::Lesson { course: "demo".into(), title: "7".into() };
        let refused = lesson.write(&checkout(&folder)).unwrap_err().to_string();
        assert!(refused.contains("`7` makes no id"), "{refused}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn whatever_the_title_the_course_is_read_with_what_was_begun(title in "[ -~é’–]{1,16}") {
            let folder = tempfile::tempdir().unwrap();
            let checkout = checkout(&folder);
            let lesson = Scaffold::Lesson { course: "demo".into(), title: title.clone() };
            if lesson.write(&checkout).is_err() {
                return Ok(());
            }
            let (course, _) = Course::examine(&checkout.source(), "demo").unwrap();
            let begun = course.lessons.iter().find(|lesson| lesson.number == 8).unwrap();
            prop_assert_eq!(begun.title.as_str(), title.trim());
            let lesson = format!("demo/{}", begun.id);
            Scaffold::Step { lesson: lesson.clone(), title: title.clone() }.write(&checkout).unwrap();
            let check = Scaffold::Check { step: format!("{lesson}/{}", begun.id), title: "seen".into(), id: Some("then seen".into()) };
            check.write(&checkout).unwrap();
            let course = Course::load(&checkout.source(), "demo").map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
            let (_, step) = course.steps().last().unwrap();
            prop_assert_eq!(step.id.as_str(), begun.id.as_str());
            prop_assert_eq!(step.checks.len(), 2);
            prop_assert_eq!(step.checks[1].id.as_str(), "then-seen");
        }
    }
}
