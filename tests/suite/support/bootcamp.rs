use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::process::{finish, signal};
use super::{Run, Sandboxed};

/// How long a command may take, unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// One call of the program, in a workspace of its own: `Bootcamp::new().write("bootcamp.toml", …).arg("verify").passes()`.
///
/// Its environment is `HOME`, `PATH` and what [`Self::env`] adds.
#[derive(Debug, Clone)]
pub struct Bootcamp {
    /// Holds `home` and `work`; gone with the last that uses it.
    root: Arc<TempDir>,
    args: Vec<String>,
    variables: BTreeMap<String, String>,
    folder: Option<PathBuf>,
    input: Option<String>,
    patience: Duration,
}

/// Where programs are found: this one, too, as after an install.
fn path() -> String {
    let own = Path::new(env!("CARGO_BIN_EXE_bootcamp")).parent().unwrap();
    format!("{}:{}", own.display(), std::env::var("PATH").unwrap())
}

impl Bootcamp {
    /// A call in an empty workspace, the path of which has a blank and a letter beyond ASCII in it, as home folders do.
    pub fn new() -> Self {
        let root = TempDir::with_prefix("bootcamp suïte-").unwrap();
        for folder in ["home", "work"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let variables = [(String::from("HOME"), root.path().join("home").display().to_string()), (String::from("PATH"), path())];
        Self {
            root: Arc::new(root),
            args: Vec::new(),
            variables: variables.into(),
            folder: None,
            input: None,
            patience: PATIENCE,
        }
    }

    /// The workspace.
    pub fn workspace(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Writes a file of the workspace.
    pub fn write(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.workspace().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Removes a file of the workspace.
    pub fn without(self, path: &str) -> Self {
        std::fs::remove_file(self.workspace().join(path)).unwrap();
        self
    }

    /// Changes a file of the workspace: the text must be there.
    #[track_caller]
    pub fn edit(self, path: &str, from: &str, to: &str) -> Self {
        let text = std::fs::read_to_string(self.workspace().join(path)).unwrap();
        assert!(text.contains(from), "`{from}` is not in `{path}`");
        self.write(path, text.replacen(from, to, 1))
    }

    /// Copies a file of the repository into the workspace.
    pub fn file(self, path: &str, from: &str) -> Self {
        let bytes = std::fs::read(super::repository(from)).unwrap();
        self.write(path, bytes)
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments, as one would type them.
    pub fn args(mut self, args: &str) -> Self {
        self.args.extend(args.split_whitespace().map(str::to_owned));
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Its environment.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Lends it the machine's Rust toolchain.
    pub fn toolchain(mut self) -> Self {
        let home = std::env::var("HOME").unwrap_or_default();
        for (name, default) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let value = std::env::var(name).unwrap_or_else(|_| format!("{home}/{default}"));
            self = self.env(name, value);
        }
        match std::env::var("RUSTUP_TOOLCHAIN") {
            Ok(toolchain) => self.env("RUSTUP_TOOLCHAIN", toolchain),
            Err(_) => self,
        }
    }

    /// Works in another folder than the workspace.
    pub fn within(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// What comes through a pipe into its standard input, which is closed after that. By default nothing does.
    pub fn input(mut self, text: impl Into<String>) -> Self {
        self.input = Some(text.into());
        self
    }

    /// How long it may take.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Another call in the same workspace, with the same variables and no arguments.
    pub fn again(&self) -> Self {
        Self { args: Vec::new(), input: None, ..self.clone() }
    }

    /// A sandbox of the workspace, running.
    pub fn sandbox(&self) -> Sandboxed {
        Sandboxed::start(self.again().args("sandbox --http-port 0 --grpc-port 0 --daemon-port 0 --no-bridge"))
    }

    /// Runs it, whatever comes of it.
    #[track_caller]
    pub fn run(self) -> Run {
        self.start().finish()
    }

    /// Runs it: it must end with 0.
    #[track_caller]
    pub fn passes(self) -> Run {
        self.fails_with(0)
    }

    /// Runs it: it must end with this code.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Run {
        let run = self.run();
        assert_eq!(run.code, Some(code), "stdout:\n{}\nstderr:\n{}", run.stdout, run.stderr);
        run
    }

    /// The command, as it stands now.
    pub fn command(&self) -> Command {
        let folder = self.folder.clone().unwrap_or_else(|| self.workspace());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootcamp"));
        command.args(&self.args).current_dir(folder).env_clear().envs(&self.variables);
        command
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            self.command().stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
        if let (Some(text), Some(mut stdin)) = (&self.input, child.stdin.take()) {
            assert!(text.len() < 4_096, "more than a pipe is sure to hold");
            // One that has ended already reads nothing.
            let _ = stdin.write_all(text.as_bytes());
        }
        Running { child, call: self }
    }

    /// The workspace's temporary root, as it stands in what is printed.
    pub fn root(&self) -> &Path {
        self.root.path()
    }
}

/// A call under way.
#[derive(Debug)]
pub struct Running {
    pub child: Child,
    pub call: Bootcamp,
}

impl Running {
    /// What Ctrl-C does in a shell, but for this process alone: whatever it started is its own to end.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Sends it a signal.
    pub fn signal(&self, what: Signal) {
        signal(self.child.id(), what);
    }

    /// Waits for its end, for as long as its patience lasts.
    #[track_caller]
    pub fn finish(self) -> Run {
        let output = finish(self.child, self.call.patience);
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            call: self.call,
        }
    }
}
