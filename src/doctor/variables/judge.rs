use super::kind::{Form, KNOWN, Kind, is_placeholder, is_public, is_region};
use super::{Asker, Wanted};
use crate::doctor::{Area, Finding, State};
use crate::facts::Variable as Shown;
use crate::service::{Origin, Target, Variable, Variables};

/// What is wrong with a value, and what to do.
struct Mistake {
    state: State,
    told: String,
    fix: String,
}

impl Mistake {
    fn bad(told: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Bad, told: told.into(), fix: fix.into() }
    }

    fn warning(told: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Warning, told: told.into(), fix: fix.into() }
    }
}

/// Judges every variable that is asked for, and every known one that is set. Those that the lessons have yet to ask for are told in
/// one finding.
pub(in crate::doctor) fn judge(variables: &Variables, wanted: &[Wanted], target: Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut later = Vec::new();
    let extra = KNOWN.iter().filter(|(name, _)| !wanted.iter().any(|wanted| wanted.name == *name));
    let mut names: Vec<(&str, Option<&Asker>)> = wanted.iter().map(|wanted| (wanted.name.as_str(), Some(&wanted.by))).collect();
    names.extend(extra.map(|(name, _)| (*name, None)));
    names.sort_by_key(|(name, _)| KNOWN.iter().position(|(known, _)| known == name).unwrap_or(usize::MAX));
    for (name, asker) in names {
        let look = Look { name, kind: Kind::of(name), target, variables };
        match (variables.get(name), asker) {
            (Some(variable), _) if !variable.value.is_blank() => findings.extend(look.set(variable, asker)),
            (Some(variable), _) if variable.origin == Origin::Shell => findings.extend(look.blank_in_shell(variable, asker)),
            (_, Some(Asker::Step(step))) if target == Target::Sandbox => later.push(format!("`{name}` (step {step})")),
            (found, Some(asker)) => findings.push(look.missing(found, asker)),
            (_, None) => {}
        }
    }
    if !later.is_empty() {
        let told = format!("{}: the lessons say what to write when they come to it", later.join(", "));
        findings.push(Finding::new(Area::Variables, "later", "not set yet", State::Unknown, told));
    }
    findings
}

/// One variable, and what surrounds it.
struct Look<'a> {
    name: &'a str,
    kind: Kind,
    target: Target,
    variables: &'a Variables,
}

impl Look<'_> {
    fn finding(&self, state: State, told: impl Into<String>) -> Finding {
        Finding::new(Area::Variables, self.name, format!("`{}`", self.name), state, told)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.variables.value(name).map(str::trim).filter(|value| !value.is_empty())
    }

    fn form(&self, name: &str) -> Option<Form> {
        Form::of(self.value(name)?)
    }

    fn missing(&self, found: Option<&Variable>, asker: &Asker) -> Finding {
        let how = found.map_or_else(|| String::from("not set"), |variable| format!("set in {}, and empty", variable.origin));
        let why = match asker {
            Asker::Step(step) => format!("step {step} asks for it"),
            Asker::Compose(place) => format!("{place} asks for it, and compose puts nothing there"),
            Asker::Live => String::from("live checks read with it"),
        };
        let finding = self.finding(State::Warning, format!("{how}: {why}"));
        if self.kind == Kind::Plain {
            return finding.fix(format!("set it in `.env`, or give it a default in the compose file: `${{{}:-…}}`", self.name));
        }
        finding.fix(format!("write `{}=` with {} behind it in `.env` ({})", self.name, self.kind.noun(), self.kind.source()))
    }

    /// What the shell sets wins over `.env`, also when it is nothing.
    fn blank_in_shell(&self, variable: &Variable, asker: Option<&Asker>) -> Option<Finding> {
        let hides = self.variables.shadowed(self.name).filter(|hidden| !hidden.value.is_blank());
        let matters = asker.is_some() || hides.is_some();
        if !matters && matches!(self.kind, Kind::AwsSession | Kind::Endpoint | Kind::Plain) {
            return None;
        }
        let over = hides.map(|hidden| format!(", and wins over {}", hidden.origin)).unwrap_or_default();
        let told = format!("the shell sets it to nothing ({}){over}", variable.value.describe());
        let fix = format!(
            "`unset {}` in this shell, and look for an `export` of it in `~/.bashrc`, `~/.zshrc` or `~/.profile`",
            self.name
        );
        Some(self.finding(if matters { State::Bad } else { State::Warning }, told).fix(fix))
    }

    /// A variable with something in it. One that nobody asks for and that is as it should be is not told.
    fn set(&self, variable: &Variable, asker: Option<&Asker>) -> Option<Finding> {
        let whole = variable.value.expose();
        let mistake = self
            .written_wrong(whole)
            .or_else(|| self.of_another_kind(whole.trim()))
            .or_else(|| self.beside_others(whole.trim()))
            .or_else(|| self.for_the_target(whole.trim()))
            .or_else(|| self.hides_another(variable));
        if let Some(Mistake { state, told, fix }) = mistake {
            let told = format!("{told} ({}, from {})", variable.value.describe(), variable.origin);
            return Some(self.finding(state, told).fix(fix));
        }
        if asker.is_none() && self.kind == Kind::Endpoint {
            return None;
        }
        // Whatever a name says of it, a value may hold a password; a region's has been seen to be one.
        let shown = if self.kind == Kind::Region { format!("`{whole}`") } else { variable.value.describe() };
        Some(self.finding(State::Good, format!("{shown}, from {}", variable.origin)))
    }

    /// Marks around and in the value that do not belong to it.
    fn written_wrong(&self, whole: &str) -> Option<Mistake> {
        let name = self.name;
        let again = format!("write `{name}=` and the value alone: no quotes, no spaces, one line");
        let value = whole.trim();
        let is_secret = Shown::is_secret(name);
        if value != whole {
            let what = if whole.contains(['\n', '\r']) { "a line break" } else { "whitespace" };
            // An address or a region is read without it; a key goes out as it is.
            let state = if is_secret { State::Bad } else { State::Warning };
            return Some(Mistake { state, told: format!("there is {what} around the value"), fix: again });
        }
        if value.starts_with(&format!("{name}=")) || value.starts_with("export ") {
            return Some(Mistake::bad("a whole assignment stands where the value should", again));
        }
        let quotes = ['"', '\'', '`', '“', '”', '‘', '’', '«', '»'];
        if value.starts_with(quotes) || value.ends_with(quotes) {
            return Some(Mistake::bad("there are quotation marks in the value", again));
        }
        if value.contains("${") || value.starts_with('$') {
            return Some(Mistake::bad(
                "the value is the name of another variable, which nobody has put in",
                format!("in a shell use double quotes around `$…`; in `.env` write the value of `{name}` itself"),
            ));
        }
        if self.kind == Kind::Endpoint && !value.starts_with("http://") && !value.starts_with("https://") {
            return Some(Mistake::bad(
                "this is no address: one begins with `https://`",
                format!("write the whole address, or empty the line of `{name}`: empty means the vendor itself"),
            ));
        }
        if !is_secret && self.kind != Kind::Region {
            return None;
        }
        if is_placeholder(value) {
            let (noun, source) = (self.kind.noun(), self.kind.source());
            return Some(Mistake::bad("this is a placeholder", format!("put {noun} in its place: {source}")));
        }
        if value.contains(char::is_whitespace) && self.kind != Kind::Plain {
            return Some(Mistake::bad("there is whitespace within the value", again));
        }
        if self.kind != Kind::Plain && !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Some(Mistake::bad("there is a character in it that no key has, perhaps one that cannot be seen", again));
        }
        None
    }

    /// A value that is certainly for something else.
    fn of_another_kind(&self, value: &str) -> Option<Mistake> {
        let kind = self.kind;
        if kind == Kind::Region {
            return (!is_region(value)).then(|| {
                Mistake::bad("no region of AWS has a code of that form", format!("write one like {}", Kind::Region.source()))
            });
        }
        let vendor = kind.vendor()?;
        let form = Form::of(value);
        let is_own = form.is_some_and(|form| form.kind() == Some(kind));
        if is_own {
            return (form == Some(Form::HoneycombConfigurationId)).then(|| {
                Mistake::warning(
                    "this looks like the id of a configuration key, not like the key",
                    "take the key that Honeycomb shows beside the id, once, when it is made; make another if that is gone",
                )
            });
        }
        // The variable that this value belongs in, or the one that has what belongs here.
        let has_mine = |(other, its): &&(&str, Kind)| {
            its.vendor() == Some(vendor) && *its != kind && self.form(other).and_then(Form::kind) == Some(kind)
        };
        let lacks_this = |(other, its): &&(&str, Kind)| {
            let theirs = self.form(other).and_then(Form::kind);
            form.is_some_and(|form| form.kind() == Some(*its)) && theirs != Some(*its) && self.value(other).is_some()
        };
        let swapped = KNOWN.iter().find(has_mine).or_else(|| KNOWN.iter().find(lacks_this)).map(|(other, _)| *other);
        let told = match form {
            Some(form) => format!("this is {}, and {} belongs here", form.noun(), kind.noun()),
            None => format!("{} belongs here", kind.noun()),
        };
        match (form, swapped.filter(|other| *other != self.name)) {
            (_, Some(other)) => Some(Mistake::bad(
                format!("{told}: it looks swapped with `{other}`"),
                format!("exchange the values of this and `{other}`"),
            )),
            (Some(_), None) => Some(Mistake::bad(told, format!("put the right one here: {}", kind.source()))),
            (None, None) => None,
        }
    }

    /// What can only be told beside other variables.
    fn beside_others(&self, value: &str) -> Option<Mistake> {
        let kind = self.kind;
        let vendor = kind.vendor()?;
        let same = KNOWN.iter().find(|(other, its)| {
            its.vendor().is_some() && *other != self.name && self.value(other).is_some_and(|theirs| theirs == value)
        });
        match same {
            Some((other, its)) if its.vendor() != Some(vendor) => {
                let fix = format!("put {} here: {}", kind.noun(), kind.source());
                return Some(Mistake::bad(format!("it has the very value of `{other}`, which is another vendor's"), fix));
            }
            Some((other, _)) if vendor == "AWS" => {
                let fix = format!("put {} here: {}", kind.noun(), kind.source());
                return Some(Mistake::bad(format!("it has the very value of `{other}`"), fix));
            }
            // One key for both works where it may do both; a second one, told twice, would be once too often.
            Some((other, _)) if matches!(kind, Kind::HoneycombRead | Kind::RollbarRead) => {
                let fix = format!("better have {} of its own here: {}", kind.noun(), kind.source());
                return Some(Mistake::warning(format!("it has the very value of `{other}`: what may read need not send"), fix));
            }
            _ => {}
        }
        let session = self.value("AWS_SESSION_TOKEN");
        match (kind, Form::of(value)) {
            (Kind::AwsKeyId, Some(Form::AwsKeyId { temporary: true })) if session.is_none() => Some(Mistake::bad(
                "this key is a temporary one (`ASIA…`), and its `AWS_SESSION_TOKEN` is not set",
                "set `AWS_SESSION_TOKEN` from where the key came, or make a lasting key for the week",
            )),
            (Kind::AwsKeyId, Some(Form::AwsKeyId { temporary: false })) if session.is_some() => Some(Mistake::warning(
                "this key is a lasting one (`AKIA…`), and an `AWS_SESSION_TOKEN` is set beside it: AWS refuses the two together",
                "`unset AWS_SESSION_TOKEN`, or take it out of `.env`",
            )),
            _ => None,
        }
    }

    /// What is good enough for the sandbox, and not for the vendors.
    fn for_the_target(&self, value: &str) -> Option<Mistake> {
        if self.target == Target::Sandbox {
            return None;
        }
        let (kind, name) = (self.kind, self.name);
        if kind.vendor().is_some() && is_public(value) {
            let fix = format!("put your own here ({}), or work in the sandbox", kind.source());
            return Some(Mistake::bad("this is the sandbox's key, which everybody knows and no vendor takes", fix));
        }
        match kind {
            Kind::AwsKeyId if Form::of(value).is_none() => Some(Mistake::warning(
                "access key ids that are known begin with `AKIA` or `ASIA` and have 20 characters",
                format!("compare it with the console: {}", kind.source()),
            )),
            Kind::AwsSecret if value.chars().count() != 40 => Some(Mistake::warning(
                "secret access keys that are known have 40 characters",
                format!("copy it again, whole; AWS shows it once, so a new key may be needed: {}", kind.source()),
            )),
            Kind::Endpoint if is_loopback(value) => Some(Mistake::warning(
                format!("the target is live, and `{name}` leads to this machine"),
                format!("`unset {name}` or empty its line in `.env`: empty means the vendor itself"),
            )),
            _ => None,
        }
    }

    fn hides_another(&self, variable: &Variable) -> Option<Mistake> {
        let hidden = self.variables.shadowed(self.name)?;
        if hidden.value == variable.value || variable.origin != Origin::Shell {
            return None;
        }
        let told = format!("the shell's value wins, and {} says another ({})", hidden.origin, hidden.value.describe());
        Some(Mistake::warning(told, format!("keep one of them: `unset {}` in this shell to have the file's", self.name)))
    }
}

fn is_loopback(value: &str) -> bool {
    url::Url::parse(value).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    })
}
