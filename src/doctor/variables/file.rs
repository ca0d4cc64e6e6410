use std::path::Path;

use crate::doctor::command::{self, Ran};
use crate::doctor::{Area, DEADLINE, Finding, Setting, State};
use crate::service::{Problem, Target};

/// The file's name.
const FILE: &str = ".env";

/// What was seen of `.env`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::doctor) struct EnvFile {
    pub(super) exists: bool,
    /// Its permissions, where the system has such.
    pub(super) mode: Option<u32>,
    pub(super) git: Git,
}

/// What git does with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::doctor) enum Git {
    /// The folder is no repository, or git cannot be asked.
    #[default]
    None,
    /// It would take it with `git add .`.
    Untracked,
    /// It leaves it alone.
    Ignored,
    /// It keeps it.
    Tracked,
}

pub(in crate::doctor) async fn look(setting: &Setting) -> EnvFile {
    let Some(manifest) = setting.workspace.manifest() else { return EnvFile::default() };
    let folder = manifest.compose_folder();
    let exists = folder.join(FILE).is_file();
    EnvFile { exists, mode: mode(&folder.join(FILE)), git: git(&folder, setting).await }
}

#[cfg(unix)]
fn mode(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().ok().map(|metadata| metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

async fn git(folder: &Path, setting: &Setting) -> Git {
    let run = |args: &'static [&'static str]| command::run("git", args, folder, &setting.shell, DEADLINE);
    // Each asks for one thing, and answers by how it ends.
    let (inside, tracked, ignored) = tokio::join!(
        run(&["rev-parse", "--is-inside-work-tree"]),
        run(&["ls-files", "--error-unmatch", "--", FILE]),
        run(&["check-ignore", "--quiet", "--no-index", "--", FILE]),
    );
    let well = |ran: &Ran| matches!(ran, Ran::Ended { well: true, .. });
    if inside.said() != Some("true") {
        Git::None
    } else if well(&tracked) {
        Git::Tracked
    } else if well(&ignored) {
        Git::Ignored
    } else {
        Git::Untracked
    }
}

/// Judges the file: whether it can be read, and who else gets to see it.
pub(in crate::doctor) fn judge(file: &EnvFile, broken: Option<&Problem>, target: Target) -> Vec<Finding> {
    let finding = |id: &str, state, told: String| Finding::new(Area::Variables, id, format!("`{FILE}`"), state, told);
    let mut findings = Vec::new();
    match broken {
        Some(problem) => {
            let told = format!("{problem}: nothing of the file counts before that is put right");
            let fix = problem.help().unwrap_or("write one `NAME=value` a line");
            findings.push(finding("file", State::Bad, told).fix(fix));
        }
        None if !file.exists => {
            findings.push(finding("file", State::Unknown, String::from("not there yet: the lessons begin it")));
        }
        None => {}
    }
    match file.git {
        Git::Tracked => findings.push(
            finding("git", State::Warning, String::from("git keeps it: whoever gets the repository gets the keys"))
                .fix("`git rm --cached .env`, and a line `/.env` in `.gitignore`; revoke keys that were pushed already"),
        ),
        Git::Untracked if file.exists => findings.push(
            finding("git", State::Warning, String::from("git does not ignore it: `git add .` would take the keys along"))
                .fix("write a line `/.env` into `.gitignore`"),
        ),
        Git::None | Git::Ignored | Git::Untracked => {}
    }
    if let Some(mode) = file.mode {
        // Others may read what is made on most systems; that matters once there are keys that open something.
        let (open, who) = (mode & 0o022 != 0, mode & 0o044 != 0 && target == Target::Live);
        if open || who {
            let what = if open { "change" } else { "read" };
            findings.push(
                finding("permissions", State::Warning, format!("other users of this machine may {what} it (mode {mode:o})"))
                    .fix("`chmod 600 .env`"),
            );
        }
    }
    if findings.is_empty() {
        let kept = if file.git == Git::Ignored { ", and git ignores it" } else { "" };
        findings.push(finding("file", State::Good, format!("can be read{kept}")));
    }
    findings
}
