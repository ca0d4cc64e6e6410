use std::io::Write;
use std::path::Path;

use super::args::InitArgs;
use super::{Failure, place, shell};
use crate::course::Source;
use crate::report::ExitStatus;
use crate::service::Manifest;
use crate::solution::{Tree, WorkspaceError, create_workspace};

/// Writes the workspace that a course begins with.
pub fn run(args: &InitArgs) -> Result<ExitStatus, Failure> {
    let here = place::folder(None)?;
    let course = place::outline(&here, &args.course)?;
    let states = place::states(&course, &here)?;
    let mut tree = workspace(states.starter(), &course.id);
    // What the reports point to can be opened where it is said to be.
    let source = Source::of(&here);
    let pages = source.pages(&course.id).map_err(|error| Failure::usage(format_args!("the lessons cannot be read: {error}")))?;
    for (path, bytes) in pages {
        tree.insert(path, bytes);
    }
    let named = args.folder.as_deref().unwrap_or(Path::new("."));
    create_workspace(&here.join(named), &tree).map_err(|error| not_made(&error))?;

    let place = if named == Path::new(".") { String::from("This folder") } else { format!("`{}`", named.display()) };
    let mut text = format!("{place} is ready: {} files, the beginning of “{}”.\n", tree.len(), course.title);
    if let Some((lesson, step)) = course.steps().next() {
        let (number, title, page) = (&step.number, &step.title, &lesson.file);
        text.push_str(&format!("\nFirst step: {number} {title}, of the lesson “{}” ({page})\n", lesson.title));
        text.push_str("\nType next:\n");
        if named != Path::new(".") {
            text.push_str(&format!("  cd {}\n", quoted(named)));
        }
        text.push_str(&format!("  {}\n", this_program()));
        text.push_str("\nThe guide takes you from there: it shows the lesson, runs your service, and looks when you save.\n");
    }
    if !on_the_path("cargo") {
        text.push_str("\nThe service is built by cargo, which is not on your PATH: install Rust from https://rustup.rs first.\n");
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitStatus::Passed)
}

/// The starter, and what makes a folder a workspace where the solution has none of it.
fn workspace(starter: &Tree, course: &str) -> Tree {
    let mut tree = starter.clone();
    if tree.get(Manifest::FILE).is_none() {
        tree.insert(Manifest::FILE, format!("course = \"{course}\"\n").into_bytes());
    }
    if tree.get(".gitignore").is_none() {
        tree.insert(".gitignore", b"/target\n/.bootcamp\n".as_slice());
    }
    tree
}

fn not_made(error: &WorkspaceError) -> Failure {
    let help = match error {
        WorkspaceError::InTheWay { paths, .. } if paths.iter().any(|path| path == Manifest::FILE) => {
            "it is a workspace already: `bootcamp verify` there shows how far it is"
        }
        WorkspaceError::InTheWay { .. } | WorkspaceError::File(_) => "name another folder: `bootcamp init <DIR>` creates it",
        WorkspaceError::Write { .. } => "name a folder that you may write to",
    };
    Failure::usage(format_args!("{error}\nhelp: {help}"))
}

/// As a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|next| next.is_alphanumeric() || "-_./~+@".contains(next));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// This program as a shell finds it: by its name where that leads to it, else by its place.
fn this_program() -> String {
    let own = std::env::current_exe().ok();
    match own {
        Some(own) if !on_the_path("bootcamp") => quoted(&own),
        _ => String::from("bootcamp"),
    }
}

fn on_the_path(program: &str) -> bool {
    let path = shell().remove("PATH").unwrap_or_default();
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).any(|folder| folder.join(&name).is_file())
}
