use crate::check::closest;

use super::{Course, Lesson, Step};

/// Which steps are meant: `week2`, `week2/x-ray`, `week2/x-ray/group`, or one by its number (`2.3`) or id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    course: String,
    lesson: Option<String>,
    step: Option<String>,
}

/// What was asked for is not there. Each message ends with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// More than three parts, or an empty one.
    #[error("`{0}` selects nothing: write `week2`, `week2/x-ray` or `week2/x-ray/<step>`")]
    Form(String),
    /// A step in the path and another beside it.
    #[error("`{path}` already names a step: leave `--step {step}` out")]
    TwoSteps {
        /// What was asked for.
        path: String,
        /// The other step.
        step: String,
    },
    /// No such lesson.
    #[error("`{course}` has no lesson `{lesson}`: {remedy}")]
    Lesson {
        /// The course.
        course: String,
        /// What was asked for.
        lesson: String,
        /// What there is.
        remedy: String,
    },
    /// More than one lesson has such a step.
    #[error("more than one lesson of `{course}` has a step `{step}`: say which, {paths}")]
    Ambiguous {
        /// The course.
        course: String,
        /// What was asked for.
        step: String,
        /// The paths of the steps.
        paths: String,
    },
    /// No such step.
    #[error("`{within}` has no step `{step}`: {remedy}")]
    Step {
        /// The course or the lesson.
        within: String,
        /// What was asked for.
        step: String,
        /// What there is.
        remedy: String,
    },
}

impl Selection {
    /// Reads `course[/lesson[/step]]`, and what was given as `--step`.
    ///
    /// # Errors
    /// When the text has another form, or names a step where `--step` names one too.
    pub fn parse(path: &str, step: Option<&str>) -> Result<Self, SelectionError> {
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let [course, rest @ ..] = &parts[..] else { return Err(SelectionError::Form(path.to_owned())) };
        if parts.len() > 3 || parts.iter().any(|part| part.trim().is_empty()) {
            return Err(SelectionError::Form(path.to_owned()));
        }
        if let (Some(_), Some(step)) = (rest.get(1), step) {
            return Err(SelectionError::TwoSteps { path: path.to_owned(), step: step.to_owned() });
        }
        Ok(Self {
            course: (*course).to_owned(),
            lesson: rest.first().map(|lesson| (*lesson).to_owned()),
            step: rest.get(1).copied().or(step).map(str::to_owned),
        })
    }

    /// All of a course.
    #[must_use]
    pub fn all(course: &str) -> Self {
        Self { course: course.to_owned(), lesson: None, step: None }
    }

    /// The course that is meant.
    #[must_use]
    pub fn course(&self) -> &str {
        &self.course
    }

    /// Whether it may leave out steps of the course.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.lesson.is_some() || self.step.is_some()
    }
}

impl Course {
    /// The steps that are meant, in order, each with its lesson. Never none.
    ///
    /// # Errors
    /// When the course has no such lesson or step; the message says what was probably meant.
    pub fn select(&self, selection: &Selection) -> Result<Vec<(&Lesson, &Step)>, SelectionError> {
        let lessons: Vec<&Lesson> = match &selection.lesson {
            None => self.lessons.iter().collect(),
            Some(wanted) => {
                let found = self.lessons.iter().find(|lesson| lesson.id == *wanted || lesson.number.to_string() == *wanted);
                vec![found.ok_or_else(|| self.no_lesson(wanted))?]
            }
        };
        let steps = lessons.iter().flat_map(|lesson| lesson.steps.iter().map(move |step| (*lesson, step)));
        let Some(wanted) = &selection.step else { return Ok(steps.collect()) };
        let matching: Vec<_> = steps.clone().filter(|(_, step)| step.id == *wanted || step.number == *wanted).collect();
        let within = match &selection.lesson {
            Some(_) => format!("{}/{}", self.id, lessons[0].id),
            None => self.id.clone(),
        };
        match matching.len() {
            0 => {
                let ids: Vec<_> = steps.flat_map(|(_, step)| [step.id.as_str(), step.number.as_str()]).collect();
                let remedy = match closest(wanted, ids.iter().copied()).filter(|_| !is_number(wanted)) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None if selection.lesson.is_some() => format!("there are {}", list(ids.into_iter().step_by(2))),
                    None => format!("`bootcamp list {}` shows what there is", self.id),
                };
                Err(SelectionError::Step { within, step: wanted.clone(), remedy })
            }
            1 => Ok(matching),
            _ => {
                let paths = list(matching.iter().map(|(_, step)| step.path.as_str()));
                Err(SelectionError::Ambiguous { course: self.id.clone(), step: wanted.clone(), paths })
            }
        }
    }

    fn no_lesson(&self, wanted: &str) -> SelectionError {
        let ids = || self.lessons.iter().map(|lesson| lesson.id.as_str());
        let remedy = match closest(wanted, ids()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("there are {}", list(ids())),
        };
        SelectionError::Lesson { course: self.id.clone(), lesson: wanted.to_owned(), remedy }
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_has_up_to_three_parts() {
        let parse = |path, step| Selection::parse(path, step);
        assert_eq!(parse("week2", None).unwrap(), Selection::all("week2"));
        assert!(!parse("week2", None).unwrap().is_partial());
        assert_eq!(parse("week2/x-ray/group", None).unwrap(), parse("week2/x-ray", Some("group")).unwrap());
        assert!(parse("week2/x-ray/", None).unwrap().is_partial());
        for wrong in ["", "/", "week2//group", "a/b/c/d"] {
            assert_eq!(parse(wrong, None), Err(SelectionError::Form(wrong.to_owned())), "{wrong}");
        }
        assert!(parse("week2/x-ray/group", Some("2.3")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(path in "\\PC{0,40}", step in proptest::option::of("\\PC{0,10}")) {
            let _ = Selection::parse(&path, step.as_deref());
        }
    }
}
