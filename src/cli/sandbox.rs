use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::SandboxArgs;
use super::{Failure, place, runtime_of, signals};
use crate::report::ExitStatus;
use crate::sandbox::store::Place;
use crate::sandbox::{Bounds, Discovery, Ports, Sandbox, SandboxError, Settings, console, docker_bridge, env_file};

/// The X-Ray daemon's port where services run in containers: 2000 is what their compose project publishes for its own daemon,
/// on all addresses, and the second to ask for it would not start.
pub const DAEMON_BESIDE_COMPOSE: u16 = 2001;

/// Where a workspace's sandbox keeps its data.
pub const SANDBOX_FILE: &str = ".bootcamp/sandbox.db";

/// Runs the sandbox until it is asked to end.
pub fn run(args: &SandboxArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    let workspace = place::manifest_if_any(&folder)?.map_or(folder, |manifest| manifest.workspace);
    // A request takes less time than waking another thread for it: with a second worker, small ones take twice as long.
    runtime_of(1)?.block_on(serve(args, &workspace))
}

async fn serve(args: &SandboxArgs, workspace: &Path) -> Result<ExitStatus, Failure> {
    let stop = signals::cancelled_by_user();
    if let Some(running) = Discovery::find(workspace).await {
        return Err(Failure::usage(format_args!(
            "a sandbox of this workspace runs already at {} (process {}); stop it first, or use it",
            running.addresses.http_url(),
            running.pid
        )));
    }
    let bridge = if args.no_bridge || !args.bind.is_loopback() { None } else { docker_bridge() };
    let settings = Settings {
        place: if args.memory { Place::Memory } else { Place::File(workspace.join(SANDBOX_FILE)) },
        bind: args.bind,
        also_bind: bridge.into_iter().collect(),
        ports: Ports {
            http: args.http_port,
            grpc: args.grpc_port,
            daemon: args.daemon_port.unwrap_or(if bridge.is_some() { DAEMON_BESIDE_COMPOSE } else { Ports::default().daemon }),
        },
        bounds: Bounds { max_age: args.max_age, max_bytes: args.max_size.saturating_mul(1 << 20) },
        ..Settings::default()
    };
    let store = settings.place.clone();
    let sandbox = Sandbox::bind(settings).await.map_err(|error| refused(&error, &store))?;
    let written = match &args.env_file {
        Some(file) => match write_env(file, &sandbox, args.env_for_process) {
            Ok(said) => Some(said),
            Err(failure) => {
                sandbox.stop().await;
                return Err(failure);
            }
        },
        None => None,
    };
    // Last: whoever finds the sandbox finds all of it.
    let found = Discovery::of(&sandbox);
    if let Err(error) = found.write(workspace) {
        let _ = writeln!(std::io::stderr(), "note: {error}; `bootcamp verify` will not find this sandbox by itself");
    }
    announce(&sandbox, written.as_deref());
    stop.cancelled().await;
    found.remove(workspace);
    sandbox.stop().await;
    Ok(ExitStatus::Passed)
}

/// Why the sandbox does not run, with what one can do about it here.
fn refused(error: &SandboxError, store: &Place) -> Failure {
    let remedy = match (error, store) {
        (SandboxError::PortTaken { .. }, _) => {
            String::from("\nhelp: `--http-port`, `--grpc-port` and `--daemon-port` each take another port, or 0 for a free one")
        }
        (SandboxError::Store(_), Place::File(file)) => {
            format!("\nhelp: move `{}` away to begin anew, or keep nothing with `--memory`", file.display())
        }
        _ => String::new(),
    };
    Failure { status: ExitStatus::Unverified, text: format!("error: {error}{remedy}") }
}

/// Writes the variables that a service needs; says for whom they are.
fn write_env(file: &Path, sandbox: &Sandbox, for_process: bool) -> Result<String, Failure> {
    let (addresses, keys) = (sandbox.addresses(), sandbox.shared().keys.as_ref());
    let in_container = if for_process { None } else { env_file(addresses, keys, true) };
    let whom = if in_container.is_some() { "in containers" } else { "on this machine" };
    let Some(text) = in_container.or_else(|| env_file(addresses, keys, false)) else {
        return Err(Failure::usage("the sandbox listens nowhere that a service could reach; give --bind another address"));
    };
    let failed = |error: std::io::Error| {
        Failure::usage(format_args!("cannot write `{}`: {error}; give --env-file a file in a folder that exists", file.display()))
    };
    // A learner's own `.env` holds real keys: it is never overwritten.
    if file.exists() && !std::fs::read_to_string(file).map_err(failed)?.starts_with(ENV_HEAD) {
        return Err(Failure::usage(format_args!(
            "`{}` was not written by the sandbox, and is left as it is; give --env-file another name, or move that file away",
            file.display()
        )));
    }
    let folder: PathBuf = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    temporary.persist(file).map_err(|error| failed(error.error))?;
    Ok(format!("{} (for services {whom})", file.display()))
}

/// How a file of variables begins that the sandbox wrote.
const ENV_HEAD: &str = "# Points a service at the bootcamp sandbox";

fn announce(sandbox: &Sandbox, env_file: Option<&str>) {
    let addresses = sandbox.addresses();
    let mut text = format!(
        "The sandbox listens:\n  all vendors over HTTP  {}\n  OTLP over gRPC         {}\n  X-Ray daemon           {} (udp, tcp)\n",
        addresses.http_url(),
        addresses.grpc_url(),
        addresses.daemon_address(),
    );
    if let Some(ip) = addresses.for_containers() {
        text.push_str(&format!("  and for containers     {ip}, the same ports\n"));
    }
    text.push_str(&format!("  console in a browser   {}{}\n", addresses.http_url(), console::PATH));
    if let Some(file) = env_file {
        text.push_str(&format!("  variables written to   {file}\n"));
    }
    text.push_str("Ctrl-C ends it.\n");
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
