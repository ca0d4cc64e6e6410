use std::fmt;
use std::path::Path;

use serde_json::Value;

/// Where an engine listens when nothing says otherwise.
#[cfg(not(windows))]
const DEFAULT: &str = "unix:///var/run/docker.sock";
#[cfg(windows)]
const DEFAULT: &str = "npipe:////./pipe/docker_engine";

/// Where the engine is: `DOCKER_HOST`, else the current Docker context, else the usual socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    address: String,
    tls: bool,
}

impl Host {
    /// An engine at an address such as `unix:///var/run/docker.sock` or `tcp://127.0.0.1:2375`.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self { address: address.into(), tls: false }
    }

    /// The engine that the `docker` command of this shell would talk to.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::resolve(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    fn resolve(variable: impl Fn(&str) -> Option<String>) -> Self {
        let tls = variable("DOCKER_TLS_VERIFY").is_some();
        if let Some(address) = variable("DOCKER_HOST") {
            return Self { address: address.trim().to_owned(), tls };
        }
        let folder = variable("DOCKER_CONFIG").or_else(|| Some(format!("{}/.docker", variable("HOME")?)));
        let context = folder.as_deref().and_then(|folder| context(Path::new(folder), variable("DOCKER_CONTEXT")));
        if let Some(address) = context {
            return Self::at(address);
        }
        // An engine without root listens in the user's own folder.
        #[cfg(unix)]
        if !Path::new("/var/run/docker.sock").exists()
            && let Some(socket) = variable("XDG_RUNTIME_DIR").map(|folder| format!("{folder}/docker.sock"))
            && Path::new(&socket).exists()
        {
            return Self::at(format!("unix://{socket}"));
        }
        Self::at(DEFAULT)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn wants_tls(&self) -> bool {
        self.tls
    }
}

impl fmt::Display for Host {
    /// A socket as its path, anything else as it is, without a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.address.strip_prefix("unix://").unwrap_or(&self.address);
        match shown.rsplit_once('@') {
            Some((_, host)) => write!(formatter, "…@{host}"),
            None => formatter.write_str(shown),
        }
    }
}

/// The address of the named or the current context. Its folder is named by a hash, so all are looked at.
fn context(folder: &Path, named: Option<String>) -> Option<String> {
    let read = |path: &Path| -> Option<Value> { serde_json::from_slice(&std::fs::read(path).ok()?).ok() };
    let name = named.or_else(|| Some(read(&folder.join("config.json"))?.get("currentContext")?.as_str()?.to_owned()))?;
    if name == "default" {
        return None;
    }
    let contexts = std::fs::read_dir(folder.join("contexts/meta")).ok()?;
    contexts.take(200).flatten().find_map(|entry| {
        let meta = read(&entry.path().join("meta.json"))?;
        (meta.get("Name")?.as_str()? == name).then_some(())?;
        Some(meta.pointer("/Endpoints/docker/Host")?.as_str()?.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(pairs: &[(&str, &str)]) -> Host {
        Host::resolve(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_variable_comes_first_then_the_context_then_the_usual_socket() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().to_str().unwrap();
        assert_eq!(resolve(&[("DOCKER_CONFIG", config)]).address(), DEFAULT);
        std::fs::write(folder.path().join("config.json"), r#"{"currentContext":"desktop"}"#).unwrap();
        assert_eq!(resolve(&[("DOCKER_CONFIG", config)]).address(), DEFAULT, "the context is not there");
        for (hash, name) in [("aa", "other"), ("bb", "desktop")] {
            let meta = folder.path().join("contexts/meta").join(hash);
            std::fs::create_dir_all(&meta).unwrap();
            let text = format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"unix:///run/{name}.sock"}}}}}}"#);
            std::fs::write(meta.join("meta.json"), text).unwrap();
        }
        assert_eq!(resolve(&[("DOCKER_CONFIG", config)]).address(), "unix:///run/desktop.sock");
        assert_eq!(resolve(&[("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "other")]).address(), "unix:///run/other.sock");
        assert_eq!(resolve(&[("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "default")]).address(), DEFAULT);
        let named = resolve(&[("DOCKER_CONFIG", config), ("DOCKER_HOST", "tcp://127.0.0.1:2375"), ("DOCKER_TLS_VERIFY", "1")]);
        assert_eq!((named.address(), named.wants_tls()), ("tcp://127.0.0.1:2375", true));
    }

    #[test]
    fn it_is_shown_as_a_person_would_write_it() {
        assert_eq!(Host::at("unix:///var/run/docker.sock").to_string(), "/var/run/docker.sock");
        assert_eq!(Host::at("ssh://me:word@host").to_string(), "…@host");
    }
}
