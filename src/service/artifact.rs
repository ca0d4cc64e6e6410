use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Which of the programs that cargo made is the service: the only one of the package with this manifest, its `default-run`,
/// or the one that bears the package's name. Else the names of all that it might be.
pub(super) fn choose(manifest: &Path, artifacts: Vec<Artifact>) -> Result<PathBuf, Vec<String>> {
    let own = std::fs::canonicalize(manifest).unwrap_or_else(|_| manifest.to_owned());
    let is_own = |artifact: &Artifact| std::fs::canonicalize(&artifact.manifest_path).is_ok_and(|path| path == own);
    let any_own = artifacts.iter().any(is_own);
    let mut programs: Vec<Artifact> = artifacts.into_iter().filter(|artifact| !any_own || is_own(artifact)).collect();
    let preferred = favourites(&own).into_iter().find_map(|name| programs.iter().position(|program| program.target.name == name));
    match (programs.len(), preferred) {
        (1, _) => Ok(programs.swap_remove(0).executable),
        (_, Some(index)) => Ok(programs.swap_remove(index).executable),
        _ => Err(programs.into_iter().map(|program| program.target.name).collect()),
    }
}

/// The names that a package's manifest prefers among several programs.
fn favourites(manifest: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(manifest) else { return Vec::new() };
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let package = |key: &str| table.get("package")?.get(key)?.as_str().map(str::to_owned);
    [package("default-run"), package("name")].into_iter().flatten().collect()
}

/// Cargo's message of a program that it made (`compiler-artifact` in the Cargo Book's "External tools").
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Artifact {
    manifest_path: PathBuf,
    target: ArtifactTarget,
    executable: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
struct ArtifactTarget {
    name: String,
    kind: Vec<String>,
}

impl Artifact {
    /// The message, if it is one of a program. Other messages have no executable.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let artifact: Self = serde_json::from_slice(line).ok()?;
        artifact.target.kind.iter().any(|kind| kind == "bin").then_some(artifact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_other_messages() {
        let message = br#"{"reason":"compiler-artifact","manifest_path":"/w/Cargo.toml","target":{"name":"cruddur","kind":["bin"]},"executable":"/w/target/debug/cruddur"}"#;
        assert_eq!(Artifact::parse(message).map(|artifact| artifact.executable), Some(PathBuf::from("/w/target/debug/cruddur")));
        let library =
            br#"{"reason":"compiler-artifact","manifest_path":"/w","target":{"name":"x","kind":["lib"]},"executable":null}"#;
        assert!(Artifact::parse(library).is_none());
        assert!(Artifact::parse(b"{\"reason\":\"build-finished\",\"success\":true}").is_none());
        assert!(Artifact::parse(b"not json").is_none());
    }

    #[test]
    fn of_several_programs_the_preferred_one_is_taken() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let manifest = folder.path().join("Cargo.toml");
        let artifact = |name: &str| Artifact {
            manifest_path: manifest.clone(),
            target: ArtifactTarget { name: name.to_owned(), kind: vec![String::from("bin")] },
            executable: PathBuf::from(name),
        };
        let choose = |names: &[&str]| super::choose(&manifest, names.iter().map(|name| artifact(name)).collect());
        std::fs::write(&manifest, "[package]\nname = \"shop\"\n")?;
        assert!(matches!(choose(&["a", "shop"]), Ok(path) if path == Path::new("shop")));
        assert!(matches!(choose(&["a"]), Ok(path) if path == Path::new("a")));
        assert!(matches!(choose(&["a", "b"]), Err(programs) if programs == ["a", "b"]));
        assert!(matches!(choose(&[]), Err(programs) if programs.is_empty()));
        std::fs::write(&manifest, "[package]\nname = \"shop\"\ndefault-run = \"b\"\n")?;
        assert!(matches!(choose(&["a", "b"]), Ok(path) if path == Path::new("b")));
        Ok(())
    }
}
