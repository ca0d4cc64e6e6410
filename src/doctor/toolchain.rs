//! Rust, a linker, and what the manifest says builds and runs the service.

use std::path::Path;

use super::command::{self, Ran};
use super::{Area, DEADLINE, Finding, Setting, State, System};

/// Where Rust comes from.
const RUSTUP: &str = "https://rustup.rs";

/// What was seen of the tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tools {
    pub(super) cargo: Ran,
    pub(super) rustc: Ran,
    /// The C compiler, which also links: `None` where the system's Rust brings its own way to link.
    pub(super) cc: Option<Ran>,
    /// `rustup component list --installed`.
    pub(super) components: Ran,
    /// The least Rust that builds the service, and what says so.
    pub(super) least: Option<([u64; 3], String)>,
    /// Whether cargo builds the service at all.
    pub(super) cargo_builds: bool,
    /// The programs that the manifest names, each with whether it is there.
    pub(super) named: Vec<(&'static str, String, bool)>,
}

pub(super) async fn look(setting: &Setting) -> Tools {
    let folder = setting.place();
    let run =
        |program: &'static str, args: &'static [&'static str]| command::run(program, args, folder, &setting.shell, DEADLINE);
    let cc = async { if setting.system == System::Windows { None } else { Some(run("cc", &["--version"]).await) } };
    let (cargo, rustc, components, cc) = tokio::join!(
        run("cargo", &["--version"]),
        run("rustc", &["--version"]),
        run("rustup", &["component", "list", "--installed"]),
        cc,
    );
    let manifest = setting.workspace.manifest();
    let commands = manifest.map(|manifest| [("build", &manifest.service.build), ("run", &manifest.service.run)]);
    let named = commands.into_iter().flatten().filter_map(|(what, command)| {
        let program = command.as_ref()?.first()?;
        // What the build makes need not be there before it.
        let made = what == "run" && program.contains('/');
        (program != "cargo" && !made).then(|| (what, program.clone(), command::find(program, folder, &setting.shell).is_some()))
    });
    Tools {
        cargo,
        rustc,
        cc,
        components,
        least: least(&folder.join("Cargo.toml")),
        cargo_builds: manifest.is_none_or(|manifest| {
            let by_cargo =
                manifest.service.build.as_ref().is_none_or(|command| command.first().is_some_and(|word| word == "cargo"));
            by_cargo && (manifest.service.run.is_none() || manifest.workspace.join("Cargo.toml").is_file())
        }),
        named: named.collect(),
    }
}

/// The least Rust that a package asks for: its `rust-version`, else the first that knew its edition.
fn least(manifest: &Path) -> Option<([u64; 3], String)> {
    let table: toml::Table = std::fs::read_to_string(manifest).ok()?.parse().ok()?;
    let package = table.get("package")?;
    if let Some(version) = package.get("rust-version").and_then(toml::Value::as_str) {
        return Some((command::version(version)?, String::from("`rust-version` in Cargo.toml")));
    }
    let edition = package.get("edition").and_then(toml::Value::as_str)?;
    let first = match edition {
        "2018" => [1, 31, 0],
        "2021" => [1, 56, 0],
        "2024" => [1, 85, 0],
        _ => return None,
    };
    Some((first, format!("edition {edition} in Cargo.toml")))
}

pub(super) fn judge(tools: &Tools, setting: &Setting) -> Vec<Finding> {
    let mut findings = Vec::new();
    if tools.cargo_builds {
        findings.push(rust("cargo", &tools.cargo, None, setting.system));
        findings.push(rust("rustc", &tools.rustc, tools.least.as_ref(), setting.system));
        findings.extend(tools.cc.as_ref().map(|cc| linker(cc, setting.system)));
        findings.extend(missing_components(&tools.components));
    }
    for (what, program, there) in &tools.named {
        let finding = |state, told: String| Finding::new(Area::Toolchain, what, format!("`service.{what}`"), state, told);
        findings.push(if *there {
            finding(State::Good, format!("`{program}` is there"))
        } else {
            finding(State::Bad, format!("`bootcamp.toml` names `{program}`, which is not on your PATH"))
                .fix(format!("install it, or correct `service.{what}` in `bootcamp.toml`"))
        });
    }
    findings
}

fn rust(tool: &'static str, ran: &Ran, least: Option<&([u64; 3], String)>, system: System) -> Finding {
    let finding = |state, told: String| Finding::new(Area::Toolchain, tool, tool, state, told);
    match ran {
        Ran::Missing => finding(State::Bad, format!("`{tool}` is not on your PATH: without it the service cannot be built"))
            .fix(how_to_get_rust(system)),
        Ran::Failed(why) => finding(State::Bad, why.clone())
            .fix(format!("run `{tool} --version` by hand: rustup may wait for the network or for another rustup")),
        Ran::Ended { well: false, stderr, .. } => complaint(tool, stderr),
        Ran::Ended { stdout, .. } => {
            let said = stdout.lines().next().unwrap_or_default().trim().to_owned();
            match (command::version(&said), least) {
                (Some(has), Some((least, why))) if has < *least => {
                    let [major, minor, patch] = least;
                    let wanted = if *patch == 0 { format!("{major}.{minor}") } else { format!("{major}.{minor}.{patch}") };
                    finding(State::Bad, format!("{said} is too old for your service: {why} asks for {wanted}")).fix(
                        "`rustup update stable`; a Rust from the system's packages is often old: remove it and take rustup's",
                    )
                }
                (None, _) => finding(State::Warning, format!("`{tool} --version` tells no version"))
                    .fix("see what it is that is first on your PATH, and put rustup's `~/.cargo/bin` before it"),
                _ => finding(State::Good, said),
            }
        }
    }
}

/// What rustup's stand-ins for cargo and rustc say when there is nothing behind them.
fn complaint(tool: &'static str, stderr: &str) -> Finding {
    let said = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let first: String = said.chars().take(200).collect();
    let finding = |told: String| Finding::new(Area::Toolchain, tool, tool, State::Bad, told);
    if said.contains("could not choose a version") || said.contains("no default") {
        finding(String::from("rustup is there, but no toolchain is chosen")).fix("`rustup default stable`")
    } else if said.contains("is not installed for the toolchain") || said.contains("is not applicable to") {
        finding(format!("rustup's toolchain lacks `{tool}`")).fix(format!("`rustup component add {tool}`"))
    } else if said.contains("is not installed") {
        finding(format!("the toolchain that is asked for here is not installed: {first}"))
            .fix("`rustup toolchain install`, in the workspace; `rustup show` says which one is meant and why")
    } else {
        finding(format!("`{tool} --version` fails: {first}")).fix(format!("put that right, or install Rust anew from {RUSTUP}"))
    }
}

fn linker(ran: &Ran, system: System) -> Finding {
    let finding = |state, told: String| Finding::new(Area::Toolchain, "cc", "C compiler", state, told);
    match ran {
        Ran::Ended { well: true, stdout, .. } => {
            finding(State::Good, stdout.lines().next().unwrap_or_default().trim().to_owned())
        }
        Ran::Missing => {
            finding(State::Bad, String::from("`cc` is not on your PATH: cargo links with it, and some crates hold C"))
                .fix(how_to_get_cc(system))
        }
        Ran::Failed(_) | Ran::Ended { .. } => {
            // On a Mac without the tools, `cc` is there and asks for them.
            finding(State::Bad, String::from("`cc --version` fails: cargo links with it")).fix(how_to_get_cc(system))
        }
    }
}

/// What a toolchain of rustup's must have, and has not. Nothing, where Rust is not rustup's.
fn missing_components(ran: &Ran) -> Option<Finding> {
    let installed = ran.said()?;
    let has = |name: &str| installed.lines().any(|line| line.trim() == name || line.trim().starts_with(&format!("{name}-")));
    let missing: Vec<&str> = ["cargo", "rustc", "rust-std"].into_iter().filter(|name| !has(name)).collect();
    (!missing.is_empty()).then(|| {
        let names = missing.join(" ");
        Finding::new(Area::Toolchain, "components", "rustup", State::Bad, format!("the toolchain lacks {names}"))
            .fix(format!("`rustup component add {names}`"))
    })
}

fn how_to_get_rust(system: System) -> String {
    match system {
        System::Windows => format!("get rustup-init.exe from {RUSTUP}, run it, and open a new terminal"),
        System::Mac | System::Linux | System::Other => format!(
            "`curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh` ({RUSTUP}), then open a new terminal; if Rust is \
             installed already, `. \"$HOME/.cargo/env\"` puts it on the PATH of this one"
        ),
    }
}

fn how_to_get_cc(system: System) -> &'static str {
    match system {
        System::Mac => "`xcode-select --install`",
        System::Linux => {
            "Debian and Ubuntu: `sudo apt install build-essential`; Fedora: `sudo dnf install gcc`; Arch: `sudo pacman -S base-devel`; \
             Alpine: `sudo apk add build-base`"
        }
        System::Windows | System::Other => "install clang or gcc, so that there is a `cc`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::setting::tests::{in_workspace, setting};

    fn said(text: &str) -> Ran {
        Ran::Ended { well: true, stdout: format!("{text}\n"), stderr: String::new() }
    }

    fn tools() -> Tools {
        Tools {
            cargo: said("cargo 1.95.0 (abc 2026-03-21)"),
            rustc: said("rustc 1.95.0 (abc 2026-03-21)"),
            cc: Some(said("cc (Debian) 12.2.0\nCopyright")),
            components: said("cargo-x86_64-unknown-linux-gnu\nrust-std-x86_64-unknown-linux-gnu\nrustc-x86_64-unknown-linux-gnu"),
            least: None,
            cargo_builds: true,
            named: Vec::new(),
        }
    }

    #[track_caller]
    fn found(tools: &Tools, subject: &str) -> Finding {
        let findings = judge(tools, &setting());
        findings.iter().find(|finding| finding.subject == subject).cloned().unwrap_or_else(|| panic!("{findings:#?}"))
    }

    #[test]
    fn tools_that_are_there_are_told_by_their_first_line() {
        let findings = judge(&tools(), &setting());
        assert_eq!(findings.len(), 3);
        assert!(findings.iter().all(|finding| finding.state == State::Good), "{findings:#?}");
        assert_eq!(found(&tools(), "C compiler").told, "cc (Debian) 12.2.0");
    }

    #[test]
    fn a_missing_tool_is_named_with_how_to_get_it_there() {
        let none =
            Tools { cargo: Ran::Missing, rustc: Ran::Missing, cc: Some(Ran::Missing), components: Ran::Missing, ..tools() };
        for (subject, way) in
            [("cargo", "sh.rustup.rs"), ("rustc", "sh.rustup.rs"), ("C compiler", "apt install build-essential")]
        {
            let finding = found(&none, subject);
            assert!(finding.state == State::Bad && finding.told.contains("not on your PATH"), "{finding:?}");
            assert!(finding.fix.unwrap().contains(way));
        }
        let of = |system| linker(&Ran::Missing, system).fix.unwrap();
        assert!(of(System::Mac).contains("xcode-select") && !of(System::Linux).contains("xcode-select"));
        assert!(how_to_get_rust(System::Windows).contains("rustup-init.exe"));
    }

    #[test]
    fn a_rust_that_is_too_old_for_the_service_is_told_with_what_asks_for_more() {
        let with =
            |least| Tools { rustc: said("rustc 1.84.1 (x)"), least: Some((least, String::from("edition 2024"))), ..tools() };
        let old = found(&with([1, 85, 0]), "rustc");
        assert!(old.state == State::Bad && old.told.contains("edition 2024 asks for 1.85"), "{old:?}");
        assert!(old.fix.unwrap().contains("rustup update"));
        assert_eq!(found(&with([1, 84, 1]), "rustc").state, State::Good);
        assert_eq!(found(&Tools { rustc: said("hello"), ..with([1, 85, 0]) }, "rustc").state, State::Warning);
    }

    #[test]
    fn rustups_complaints_have_their_own_remedies() {
        for (stderr, fix) in [
            (
                "error: rustup could not choose a version of cargo to run, because one wasn't specified explicitly",
                "rustup default stable",
            ),
            ("error: 'cargo' is not installed for the toolchain 'stable'", "rustup component add cargo"),
            ("error: toolchain '1.99' is not installed", "rustup toolchain install"),
            ("Segmentation fault", "install Rust anew"),
        ] {
            let failed = Ran::Ended { well: false, stdout: String::new(), stderr: stderr.to_owned() };
            let finding = found(&Tools { cargo: failed, ..tools() }, "cargo");
            assert!(finding.state == State::Bad && finding.fix.as_ref().unwrap().contains(fix), "{finding:?}");
        }
        let lacking = Tools { components: said("cargo-x86_64-apple-darwin"), ..tools() };
        assert_eq!(found(&lacking, "rustup").fix.as_deref(), Some("`rustup component add rustc rust-std`"));
    }

    #[test]
    fn the_least_rust_is_the_packages_own_or_its_editions() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Cargo.toml");
        let least = |text: &str| {
            std::fs::write(&file, text).unwrap();
            super::least(&file).map(|(version, _)| version)
        };
        assert_eq!(least("[package]\nedition = \"2024\"\n"), Some([1, 85, 0]));
        assert_eq!(least("[package]\nedition = \"2024\"\nrust-version = \"1.90\"\n"), Some([1, 90, 0]));
        assert_eq!(least("[workspace]\n"), None);
        assert_eq!(least("no toml ["), None);
    }

    #[tokio::test]
    async fn what_the_manifest_names_is_looked_for_instead_of_cargo() {
        let folder = tempfile::tempdir().unwrap();
        let mut setting = in_workspace(folder.path());
        let crate::doctor::Workspace::Found(manifest) = &mut setting.workspace else { unreachable!() };
        manifest.service.build = Some(vec![String::from("no-such-builder")]);
        manifest.service.run = Some(vec![String::from("./made/by/it")]);
        let findings = judge(&look(&setting).await, &setting);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        assert!(findings[0].state == State::Bad && findings[0].told.contains("`no-such-builder`"));
    }
}
