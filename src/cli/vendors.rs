//! The vendors that a command talks to in a workspace's name.

use std::path::Path;

use super::Failure;
use super::sandbox::{DAEMON_BESIDE_COMPOSE, SANDBOX_FILE};
use crate::lab::Lab;
use crate::report::ExitStatus;
use crate::sandbox::store::Place;
use crate::sandbox::{Discovery, Ports, Sandbox, Settings};
use crate::vendor::docker;

/// The workspace's running sandbox, or else one of our own over what it keeps; over a fresh file where it is to keep something
/// for the first time.
pub async fn of_workspace(workspace: &Path, keep: bool) -> Result<Lab, Failure> {
    if let Some(found) = Discovery::find(workspace).await {
        return Ok(Lab::running(found, engine()));
    }
    // A learner's groups and rules were made in a sandbox that has ended since: its file still has them.
    let file = workspace.join(SANDBOX_FILE);
    let place = if keep || file.is_file() { Place::File(file) } else { Place::Memory };
    sandbox(place).await
}

/// The same, for a command that stays: a sandbox of our own listens where `bootcamp sandbox` would, if nobody else does, and other
/// commands in the workspace find it by what is handed back, which is to be removed at the end.
pub async fn for_others_too(workspace: &Path) -> Result<(Lab, Option<Discovery>), Failure> {
    if let Some(found) = Discovery::find(workspace).await {
        return Ok((Lab::running(found, engine()), None));
    }
    let file = Place::File(workspace.join(SANDBOX_FILE));
    let usual = Ports { daemon: DAEMON_BESIDE_COMPOSE, ..Ports::default() };
    // The ports may be another workspace's; the file may lie on a disk that cannot be written.
    let attempts = [(file.clone(), usual), (file, Ports::free()), (Place::Memory, Ports::free())];
    let mut refused = None;
    for (place, ports) in attempts {
        match Sandbox::bind(Settings { place, ports, ..Settings::default() }).await {
            Ok(sandbox) => {
                let discovery = Discovery::of(&sandbox);
                let discovery = discovery.write(workspace).is_ok().then_some(discovery);
                return Ok((Lab::own(sandbox, engine()), discovery));
            }
            Err(error) => refused = Some(error),
        }
    }
    let text = refused.map_or_else(String::new, |error| format!("error: {error}"));
    Err(Failure { status: ExitStatus::Unverified, text })
}

/// A sandbox of our own, on free ports.
pub async fn sandbox(place: Place) -> Result<Lab, Failure> {
    let sandbox = Sandbox::bind(Settings { place, ports: Ports::free(), ..Settings::default() })
        .await
        .map_err(|error| Failure { status: ExitStatus::Unverified, text: format!("error: {error}") })?;
    Ok(Lab::own(sandbox, engine()))
}

/// The Docker engine that the environment names.
pub fn engine() -> docker::Client {
    docker::Client::new(docker::Host::from_environment())
}
