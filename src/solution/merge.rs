use diffy::{ConflictStyle, IncompleteHunkStyle, MergeOptions};

use super::diff::{Mark, hunks};

/// What stands behind the first marker of a conflict: the learner's lines follow.
pub const YOURS: &str = "yours";

/// What a three-way merge made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The text, with both sides between markers wherever they cannot be brought together.
    pub text: String,
    /// How often that is.
    pub conflicts: usize,
}

/// Brings the learner's text and the step's together: both came from the same base.
///
/// No line is lost that either side added: where both changed the same place, both stand between conflict markers, `yours` first
/// and then the step's, which carry the label. Where both only added lines at a place, and all of one side's are among the
/// other's in the same order, the longer side is what both meant.
#[must_use]
pub fn merge(base: &str, ours: &str, theirs: &str, label: &str) -> Merged {
    // Markers of a length that no line of the texts begins with can be told from what the texts hold.
    let length = [base, ours, theirs].into_iter().map(longest_run).max().unwrap_or(0).max(6) + 1;
    let mut options = MergeOptions::new();
    options
        .set_conflict_style(ConflictStyle::Diff3)
        .set_incomplete_hunk_style(IncompleteHunkStyle::Git)
        .set_conflict_marker_length(length);
    match options.merge(base, ours, theirs) {
        Ok(text) => Merged { text, conflicts: 0 },
        Err(marked) => settle(&marked, length, label),
    }
}

/// Where a text has a conflict that nobody has settled yet: the number of the line, from 1.
#[must_use]
pub fn unsettled(text: &str) -> Option<usize> {
    let head = format!("<<<<<<< {YOURS}");
    text.lines().position(|line| line.trim_end() == head).map(|index| index + 1)
}

/// The longest run of one marker's sign with which a line begins.
fn longest_run(text: &str) -> usize {
    let run = |line: &str| {
        let first = line.chars().next().filter(|first| "<|=>".contains(*first));
        first.map_or(0, |first| line.chars().take_while(|next| *next == first).count())
    };
    text.lines().map(run).max().unwrap_or(0)
}

/// Reads the conflicts of a merge and writes them anew: as small as they can be, and with labels.
fn settle(marked: &str, length: usize, label: &str) -> Merged {
    let marker = |sign: &str, name: &str| format!("{}{name}", sign.repeat(length));
    let [open, original, middle, close] =
        [marker("<", " ours"), marker("|", " original"), marker("=", ""), marker(">", " theirs")];
    let mut merged = Merged { text: String::new(), conflicts: 0 };
    let mut sides: [String; 3] = Default::default();
    let mut side = None;
    for line in marked.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        if bare == open {
            (side, sides) = (Some(0), Default::default());
        } else if bare == original && side == Some(0) {
            side = Some(1);
        } else if bare == middle && side == Some(1) {
            side = Some(2);
        } else if bare == close && side == Some(2) {
            side = None;
            let [ours, base, theirs] = &sides;
            merged.conflict(ours, base, theirs, label);
        } else if let Some(side) = side {
            sides[side].push_str(line);
        } else {
            merged.text.push_str(line);
        }
    }
    merged
}

/// A stretch of a conflict.
#[derive(Debug, Default)]
struct Stretch {
    ours: String,
    theirs: String,
    same: bool,
}

impl Merged {
    /// Fewer lines than these that both sides share do not part a conflict: it would be harder to read in pieces.
    const PARTING: usize = 3;

    fn conflict(&mut self, ours: &str, base: &str, theirs: &str, label: &str) {
        let stretches = stretches(ours, theirs);
        if base.is_empty() && !(ours.is_empty() || theirs.is_empty()) {
            let only = |of: fn(&Stretch) -> &String| {
                stretches.iter().filter(|stretch| !stretch.same).all(|stretch| of(stretch).is_empty())
            };
            if only(|stretch| &stretch.theirs) {
                return self.text.push_str(ours);
            }
            if only(|stretch| &stretch.ours) {
                return self.text.push_str(theirs);
            }
        }
        let mut open = Stretch::default();
        let last = stretches.len().saturating_sub(1);
        for (index, stretch) in stretches.iter().enumerate() {
            let parts = index == 0 || index == last || stretch.ours.lines().count() >= Self::PARTING;
            if stretch.same && parts {
                self.write(&mut open, label);
                self.text.push_str(&stretch.ours);
            } else {
                open.ours.push_str(&stretch.ours);
                open.theirs.push_str(&stretch.theirs);
            }
        }
        self.write(&mut open, label);
    }

    /// Writes what is open, if anything is, between markers.
    fn write(&mut self, open: &mut Stretch, label: &str) {
        let Stretch { ours, theirs, .. } = std::mem::take(open);
        if ours.is_empty() && theirs.is_empty() {
            return;
        }
        self.conflicts += 1;
        self.text.push_str(&format!("<<<<<<< {YOURS}\n{ours}=======\n{theirs}>>>>>>> {label}\n"));
    }
}

/// Two sides of a conflict, cut where they are the same and where they differ.
fn stretches(ours: &str, theirs: &str) -> Vec<Stretch> {
    if ours == theirs {
        return vec![Stretch { ours: ours.to_owned(), theirs: theirs.to_owned(), same: true }];
    }
    let all = ours.lines().count() + theirs.lines().count();
    let mut stretches: Vec<Stretch> = Vec::new();
    for line in hunks(ours, theirs, all).iter().flat_map(|hunk| &hunk.lines) {
        let same = line.mark == Mark::Same;
        if stretches.last().is_none_or(|last| last.same != same) {
            stretches.push(Stretch { same, ..Stretch::default() });
        }
        let Some(last) = stretches.last_mut() else { continue };
        let text = format!("{}\n", line.text);
        if line.mark != Mark::Added {
            last.ours.push_str(&text);
        }
        if line.mark != Mark::Removed {
            last.theirs.push_str(&text);
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LABEL: &str = "week2/x-ray/group";

    fn of(base: &str, ours: &str, theirs: &str) -> Merged {
        merge(base, ours, theirs, LABEL)
    }

    fn clean(base: &str, ours: &str, theirs: &str) -> String {
        let merged = of(base, ours, theirs);
        assert_eq!(merged.conflicts, 0, "{}", merged.text);
        merged.text
    }

    #[test]
    fn changes_in_different_places_are_both_made() {
        let base = "use a;\n\nfn main() {\n    start();\n}\n";
        let ours = "use a;\n\n// mine\nfn main() {\n    start();\n}\n";
        let theirs = "use a;\n\nfn main() {\n    start();\n    trace();\n}\n";
        assert_eq!(clean(base, ours, theirs), "use a;\n\n// mine\nfn main() {\n    start();\n    trace();\n}\n");
        assert_eq!(clean(base, base, theirs), theirs);
        assert_eq!(clean(base, theirs, theirs), theirs, "done already");
    }

    #[test]
    fn both_sides_of_a_conflict_are_kept() {
        let merged = of("a\nname = 1\nz\n", "a\nname = 2\nz\n", "a\nname = 3\nz\n");
        assert_eq!(merged.text, "a\n<<<<<<< yours\nname = 2\n=======\nname = 3\n>>>>>>> week2/x-ray/group\nz\n");
        assert_eq!(merged.conflicts, 1);
        assert_eq!(unsettled(&merged.text), Some(2));
        assert_eq!(unsettled("<<<<<<< HEAD\n"), None, "another's conflict is another's");
    }

    #[test]
    fn a_step_that_was_typed_with_notes_of_ones_own_is_no_conflict() {
        let (base, theirs) = ("a\nz\n", "a\nspan();\nfield();\nz\n");
        let ours = "a\n// why\nspan();\nfield(); \nz\n";
        assert_eq!(of(base, ours, theirs).conflicts, 1, "a blank at a line's end is another line");
        let ours = "a\n// why\nspan();\nfield();\n// done\nz\n";
        assert_eq!(clean(base, ours, theirs), ours);
        assert_eq!(clean(base, "a\nspan();\nz\n", theirs), theirs, "half of it");
    }

    #[test]
    fn a_file_that_both_added_conflicts_where_it_differs() {
        let merged = of("", "one\ntwo\nthree\nmine\nfour\nfive\nsix\n", "one\ntwo\nthree\ntheirs\nfour\nfive\nsix\n");
        assert_eq!(
            merged.text,
            "one\ntwo\nthree\n<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> week2/x-ray/group\nfour\nfive\nsix\n"
        );
    }

    #[test]
    fn markers_that_the_texts_hold_are_text() {
        let doc = "======= yes\n<<<<<<< ours\n=======\n>>>>>>> theirs\n";
        let merged = of(&format!("{doc}x\n"), &format!("{doc}y\n"), &format!("{doc}z\n"));
        assert_eq!(merged.text, format!("{doc}<<<<<<< yours\ny\n=======\nz\n>>>>>>> week2/x-ray/group\n"));
    }

    #[test]
    fn a_last_line_without_end_gets_one_before_a_marker() {
        let merged = of("a", "b", "c");
        assert_eq!(merged.text, "<<<<<<< yours\nb\n=======\nc\n>>>>>>> week2/x-ray/group\n");
    }

    proptest! {
        #[test]
        fn no_line_that_a_side_added_is_lost(
            base in "([a-d]\n){0,10}",
            ours in "([a-dx-z]\n){0,10}",
            theirs in "([a-du-w]\n){0,10}",
        ) {
            let merged = of(&base, &ours, &theirs);
            // x to z are the learner's alone, u to w the step's: each is there as often as its side has it.
            let count = |text: &str, line: &str| text.lines().filter(|other| *other == line).count();
            for line in ["x", "y", "z"] {
                prop_assert_eq!(count(&merged.text, line), count(&ours, line), "{}", merged.text);
            }
            for line in ["u", "v", "w"] {
                prop_assert_eq!(count(&merged.text, line), count(&theirs, line), "{}", merged.text);
            }
            prop_assert_eq!(merged.conflicts > 0, unsettled(&merged.text).is_some());
        }

        #[test]
        fn one_sided_changes_are_taken_as_they_are(base in "([a-d]\n){0,10}[a-d]?", other in "([a-f]\n){0,10}[a-f]?") {
            prop_assert_eq!(&clean(&base, &other, &base), &other);
            prop_assert_eq!(&clean(&base, &base, &other), &other);
            prop_assert_eq!(&clean(&base, &other, &other), &other);
        }

        #[test]
        fn no_texts_make_it_panic(base in "\\PC{0,20}(\n|\r\n)?\\PC{0,20}", ours in "[<>=|a \n]{0,60}", theirs in "[<>=|a \n]{0,60}") {
            let _ = of(&base, &ours, &theirs);
        }
    }
}
