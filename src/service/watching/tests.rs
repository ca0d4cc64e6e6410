use std::fs;

use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

type Failure = Box<dyn std::error::Error>;

const PATIENCE: Duration = Duration::from_secs(20);

/// A workspace with a file in it, watched by notices and by polling.
fn each() -> Result<Vec<(TempDir, Watching)>, Failure> {
    [true, false]
        .into_iter()
        .map(|by_notices| {
            let folder = tempfile::tempdir()?;
            fs::create_dir(folder.path().join("src"))?;
            fs::write(folder.path().join("src/main.rs"), "fn main() {}\n")?;
            fs::write(folder.path().join("Cargo.toml"), "[package]\n")?;
            let watching = watching(folder.path(), &[], by_notices);
            Ok((folder, watching))
        })
        .collect()
}

/// By notices alone, without a look now and then that makes up for one; or by polling.
fn watching(folder: &Path, also: &[PathBuf], by_notices: bool) -> Watching {
    let mut watching = Watching::with(folder, also, by_notices);
    assert_eq!(watching.is_polling(), !by_notices);
    if by_notices {
        watching.unasked = PATIENCE * 2;
        watching.next_look = Instant::now() + watching.unasked;
    }
    watching
}

/// The next change, put together until the last of the expected paths is among them.
async fn changes(watching: &mut Watching, expected: &[&str]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    let all = async {
        while !expected.iter().all(|path| seen.contains(*path)) {
            seen.extend(watching.changed().await);
        }
    };
    let came = timeout(PATIENCE, all).await;
    came.map_err(|_| format!("of {expected:?} only {seen:?} came"))?;
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected, "and nothing else");
    Ok(())
}

/// Nothing of what was done is a change: it is not among what comes with a change that is made afterwards.
async fn nothing(folder: &TempDir, watching: &mut Watching) -> Result<(), Failure> {
    fs::write(folder.path().join("after"), fastrand::u64(..).to_string())?;
    changes(watching, &["after"]).await
}

#[tokio::test]
async fn what_appears_changes_and_vanishes_is_told() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        let path = folder.path().join("src/main.rs");
        fs::write(&path, "fn main() { }\n")?;
        changes(&mut watching, &["src/main.rs"]).await?;
        fs::write(folder.path().join("src/new.rs"), "")?;
        changes(&mut watching, &["src/new.rs"]).await?;
        fs::remove_file(&path)?;
        changes(&mut watching, &["src/main.rs"]).await?;
        fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"tiny\"\n")?;
        changes(&mut watching, &["Cargo.toml"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_same_length_is_another_content() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        let path = folder.path().join("src/main.rs");
        for text in ["fn main() {1}\n", "fn main() {2}\n", "fn main() {3}\n"] {
            fs::write(&path, text)?;
            changes(&mut watching, &["src/main.rs"]).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_save_by_renaming_is_one_change_and_leaves_no_other_trace() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        let source = folder.path().join("src");
        for text in ["fn main() { one() }\n", "fn main() { two() }\n"] {
            // As Vim does it: a probe, a backup, the new file, and the backup is gone.
            fs::write(source.join("4913"), "")?;
            fs::remove_file(source.join("4913"))?;
            fs::rename(source.join("main.rs"), source.join("main.rs~"))?;
            fs::write(source.join("main.rs"), text)?;
            fs::remove_file(source.join("main.rs~"))?;
            changes(&mut watching, &["src/main.rs"]).await?;
            // As others do it: a temporary file takes its place.
            fs::write(source.join(".main.rs.swp"), format!("{text}// saved\n"))?;
            fs::rename(source.join(".main.rs.swp"), source.join("main.rs"))?;
            changes(&mut watching, &["src/main.rs"]).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn new_folders_renamed_ones_and_ones_that_are_there_again_are_followed() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("lib/deep/er"))?;
        fs::write(at("lib/deep/er/a.rs"), "1")?;
        changes(&mut watching, &["lib/deep/er/a.rs"]).await?;
        fs::write(at("lib/deep/er/a.rs"), "2")?;
        changes(&mut watching, &["lib/deep/er/a.rs"]).await?;
        fs::rename(at("lib"), at("moved"))?;
        changes(&mut watching, &["lib/deep/er/a.rs", "moved/deep/er/a.rs"]).await?;
        fs::write(at("moved/deep/er/a.rs"), "3")?;
        changes(&mut watching, &["moved/deep/er/a.rs"]).await?;
        fs::remove_dir_all(at("moved"))?;
        changes(&mut watching, &["moved/deep/er/a.rs"]).await?;
        fs::create_dir_all(at("moved/deep/er"))?;
        fs::write(at("moved/deep/er/a.rs"), "3")?;
        changes(&mut watching, &["moved/deep/er/a.rs"]).await?;
        fs::write(at("moved/deep/er/a.rs"), "4")?;
        changes(&mut watching, &["moved/deep/er/a.rs"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_save_is_nothing() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        let at = |path: &str| folder.path().join(path);
        // Touched and written again without a change.
        fs::File::options().write(true).open(at("src/main.rs"))?.set_modified(std::time::SystemTime::now())?;
        fs::write(at("src/main.rs"), "fn main() {}\n")?;
        nothing(&folder, &mut watching).await?;
        // Of the build, of git, of ours, of editors; and where cargo builds under another name.
        for path in ["target/debug", ".git/objects", ".bootcamp", "web/node_modules/left", "built/debug"] {
            fs::create_dir_all(at(path))?;
            fs::write(at(path).join("made"), "x")?;
            if path.starts_with("built") {
                fs::write(at("built/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n")?;
            }
        }
        for path in ["src/main.rs~", "src/.#main.rs", "src/#main.rs#", "src/.main.rs.swp", "src/.main.rs.swo"] {
            fs::write(at(path), "x")?;
        }
        nothing(&folder, &mut watching).await?;
        fs::write(at("target/debug/made"), "again")?;
        nothing(&folder, &mut watching).await?;
    }
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_not_followed() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        let elsewhere = tempfile::tempdir()?;
        fs::write(elsewhere.path().join("far"), "1")?;
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link"))?;
        std::os::unix::fs::symlink(folder.path(), folder.path().join("src/round"))?;
        changes(&mut watching, &["link", "src/round"]).await?;
        fs::write(elsewhere.path().join("far"), "2")?;
        nothing(&folder, &mut watching).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_burst_is_one_change() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        for round in 0..20 {
            for file in ["a", "b", "c"] {
                fs::write(folder.path().join(file), round.to_string())?;
            }
        }
        let seen = timeout(PATIENCE, watching.changed()).await?;
        assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
        nothing(&folder, &mut watching).await?;
    }
    Ok(())
}

#[tokio::test]
async fn files_elsewhere_are_watched_too() -> Result<(), Failure> {
    for by_notices in [true, false] {
        let (folder, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (env, compose) = (elsewhere.path().join(".env"), folder.path().join("target/compose.yml"));
        fs::create_dir(folder.path().join("target"))?;
        fs::write(&compose, "1")?;
        let mut watching = watching(folder.path(), &[env.clone(), compose.clone()], by_notices);
        fs::write(elsewhere.path().join("other"), "x")?;
        fs::write(&env, "A=1\n")?;
        changes(&mut watching, &[&env.display().to_string()]).await?;
        fs::write(&compose, "2")?;
        changes(&mut watching, &["target/compose.yml"]).await?;
        fs::write(folder.path().join("target/other"), "x")?;
        nothing(&folder, &mut watching).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_we_wrote_ourselves_is_accepted() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        let lock = folder.path().join("Cargo.lock");
        fs::write(&lock, "version = 4\n")?;
        watching.accept("Cargo.lock");
        nothing(&folder, &mut watching).await?;
        // What is saved over it is a save.
        fs::write(&lock, "version = 3\n")?;
        changes(&mut watching, &["Cargo.lock"]).await?;
        fs::remove_file(&lock)?;
        watching.accept("Cargo.lock");
        nothing(&folder, &mut watching).await?;
    }
    Ok(())
}

#[tokio::test]
async fn one_that_is_asked_again_and_again_misses_nothing() -> Result<(), Failure> {
    for (folder, mut watching) in each()? {
        fs::write(folder.path().join("src/main.rs"), "fn main() { 1 }\n")?;
        // As a screen does that is drawn more often than a save is long.
        let begun = Instant::now();
        let seen = loop {
            if let Ok(seen) = timeout(Duration::from_millis(1), watching.changed()).await {
                break seen;
            }
            assert!(begun.elapsed() < PATIENCE, "it never came");
        };
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["src/main.rs"]);
    }
    Ok(())
}

#[tokio::test]
async fn where_notices_cease_it_polls() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut watching = watching(folder.path(), &[], true);
    watching.heard.take_in(&watching.ground, Err(notify::Error::new(ErrorKind::MaxFilesWatch)));
    nothing(&folder, &mut watching).await?;
    assert!(watching.is_polling());
    nothing(&folder, &mut watching).await
}

#[tokio::test]
async fn one_notice_that_is_missed_is_made_up_for() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut watching = Watching::with(folder.path(), &[], true);
    let notices = watching.notices.as_mut().ok_or("there are none")?;
    notices.watcher.unwatch(folder.path())?;
    nothing(&folder, &mut watching).await?;
    assert!(!watching.is_polling());
    Ok(())
}

#[tokio::test]
async fn a_folder_that_is_not_there_yet_is_found() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("later");
    let mut watching = Watching::begin(&workspace, &[]);
    for text in ["1", "2"] {
        fs::create_dir(&workspace)?;
        fs::write(workspace.join("bootcamp.toml"), text)?;
        changes(&mut watching, &["bootcamp.toml"]).await?;
        fs::remove_dir_all(&workspace)?;
        changes(&mut watching, &["bootcamp.toml"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn more_files_than_it_can_watch_are_told() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("many"))?;
    for index in 0..LIMIT {
        fs::File::create(folder.path().join(format!("many/{index}")))?;
    }
    fs::write(folder.path().join("first"), "1")?;
    let mut watching = watching(folder.path(), &[], true);
    assert!(watching.notice().is_some_and(|notice| notice.contains("more than 20000 files")), "{:?}", watching.notice());
    fs::write(folder.path().join("first"), "2")?;
    changes(&mut watching, &["first"]).await
}
