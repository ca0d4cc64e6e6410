use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::engine::{Engine, bounded, printed};
use crate::repository;

/// An image that is removed in the end.
pub struct Image<'e> {
    engine: &'e Engine,
    tag: String,
}

impl<'e> Image<'e> {
    /// A stand-in for the X-Ray daemon under a name, built from nothing but one static program.
    pub fn stand_in(engine: &'e Engine, tag: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(stand_in(), folder.path().join("xray-daemon")).unwrap();
        fs::write(folder.path().join("Dockerfile"), STAND_IN).unwrap();
        let image = Self { engine, tag: tag.to_owned() };
        engine.docker(&["build", "--quiet", "--tag", tag, folder.path().to_str().unwrap()]);
        image
    }

    /// The same under the name without a version; `None` where the real one is there already, which is as good and stays.
    pub fn stand_in_where_missing(engine: &'e Engine, name: &str) -> Option<Self> {
        (!engine.try_docker(&["image", "inspect", name])).then(|| Self::stand_in(engine, name))
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        self.engine.try_docker(&["image", "rm", "--force", &self.tag]);
    }
}

/// The first process of a container heeds no request to end that it does not ask for.
const STAND_IN: &str = "FROM scratch\nCOPY xray-daemon /xray-daemon\nSTOPSIGNAL SIGKILL\nENTRYPOINT [\"/xray-daemon\"]\n";

/// The stand-in's program, compiled once.
fn stand_in() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("xray-daemon-stand-in");
        let source = repository().join("tests/engine/stand_in/xray_daemon.rs");
        // From the repository, whose toolchain it then is.
        let mut rustc = bounded("rustc");
        rustc.current_dir(repository()).args(["--edition", "2024", "-O", "-C", "target-feature=+crt-static"]);
        printed(rustc.arg("-o").arg(&program).arg(source));
        program
    })
}

/// Makes a folder one from which the reference is built FROM scratch: its program, the libraries that it is linked to, and the
/// certificates. The Dockerfile that it comes with builds on images that would have to be pulled.
pub fn reference_from_scratch(folder: &Path) {
    let program = reference();
    let root = folder.join("root");
    let place = |from: &Path, to: &Path| {
        let to = root.join(to.strip_prefix("/").unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    place(&program, Path::new("/cruddur-backend"));
    for library in libraries(&program) {
        place(&library, &library);
    }
    let certificates = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if certificates.exists() {
        place(certificates, certificates);
    }
    let dockerfile = "FROM scratch\nCOPY root/ /\nENV PORT=4567\nEXPOSE 4567\nENTRYPOINT [\"/cruddur-backend\"]\n";
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    fs::write(folder.join(".dockerignore"), "*\n!root\n").unwrap();
}

/// The reference, built where `bootcamp verify week2 --solution` builds it.
fn reference() -> PathBuf {
    let target_dir = repository().join("target/solutions/week2");
    let mut cargo = Command::new("timeout");
    cargo.args(["--kill-after=5", "1500", "cargo", "build", "--quiet", "--locked", "--manifest-path"]);
    cargo.arg(repository().join("solutions/week2/Cargo.toml")).arg("--target-dir").arg(&target_dir);
    printed(&mut cargo);
    target_dir.join("debug/cruddur-backend")
}

/// The shared libraries of a program, the loader among them.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let listed = printed(Command::new("ldd").arg(program));
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    listed.lines().filter_map(path).collect()
}
