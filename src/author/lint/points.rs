use crate::check::Points;
use crate::course::Total;

use super::Subject;

impl Subject<'_> {
    /// A total, in the course's `README.md`, to which the steps do not add up.
    pub(super) fn points(&mut self) {
        let Some(page) = self.checkout.page(&format!("lessons/{}/README.md", self.course.id)) else { return };
        let mut start = 0;
        for line in page.text.split_inclusive('\n') {
            let span = start..start + line.trim_end().len();
            start += line.len();
            if !line.starts_with(Total::LEAD) {
                continue;
            }
            let (points, bonus) = (self.course.points(), self.course.bonus_points());
            let Some(total) = Total::parse(line) else {
                let problem = page.problem(span, "the course does not say what it is worth", "no points can be read here");
                self.problems.push(problem.help(format!("write `{}`, alone in its line", announced(points, bonus))));
                continue;
            };
            // Of a step whose verify line cannot be read, nobody knows the points.
            let all_known = self.course.steps().all(|(_, step)| step.points > Points::ZERO);
            if all_known && (total.points, total.bonus) != (points, bonus) {
                let message = format!("the steps add up to {}", sum(points, bonus));
                let help = format!("write `{}`, or change what the steps are worth", announced(points, bonus));
                self.problems.push(page.problem(span, message, "another total").help(help));
            }
        }
    }
}

fn announced(points: Points, bonus: Points) -> String {
    format!("{} · {}", Total::LEAD, sum(points, bonus))
}

fn sum(points: Points, bonus: Points) -> String {
    let counted = |points: Points, what: &str| {
        let noun = if points == Points::whole(1) { "point" } else { "points" };
        format!("{points} {what}{noun}")
    };
    let required = counted(points, "");
    if bonus == Points::ZERO { required } else { format!("{required} and {}", counted(bonus, "bonus ")) }
}
