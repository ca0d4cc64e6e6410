use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Manifest, Problem> {
    Manifest::parse(Path::new("/w"), text)
}

fn refused(text: &str) -> Problem {
    parse(text).err().unwrap_or_else(|| panic!("{text} was taken"))
}

#[test]
fn the_least_has_its_defaults() -> Result<(), Problem> {
    let manifest = parse("course = \"week2\"\n")?;
    assert_eq!(manifest, Manifest::defaults("/w", "week2"));
    assert_eq!(manifest.service.url.as_str(), "http://127.0.0.1:4567/");
    assert_eq!(manifest.compose_file(), Path::new("/w/docker-compose.yml"));
    assert_eq!((manifest.service.name.as_str(), manifest.service.health.as_str()), ("backend", "/api/health"));
    Ok(())
}

#[test]
fn everything_can_be_said() -> Result<(), Problem> {
    let manifest = parse(
        "course = \"week2\"\ntarget = \"live\"\n[service]\nurl = \"http://localhost:8080\"\ncompose = \"deploy/compose.yml\"\nname = \"api\"\nbuild = [\"make\", \"all\"]\nrun = \"./serve\"\nhealth = \"/up\"\n",
    )?;
    assert_eq!(manifest.target, Target::Live);
    assert_eq!(manifest.compose_folder(), Path::new("/w/deploy"));
    let (build, start) = manifest.plan().map_err(|error| Problem::new(error.to_string()))?;
    assert_eq!(build.map(|build| build.command_line()).as_deref(), Some("make all"));
    assert_eq!(start, Start::Command(vec![String::from("./serve")]));
    Ok(())
}

#[test]
fn mistakes_are_shown_where_they_are() {
    for (text, line, message, help) in [
        ("cuorse = \"week2\"\ncourse = \"week2\"", 1, "the manifest has an unknown key `cuorse`", "did you mean `course`?"),
        ("course = \"week2\"\n[service]\nulr = \"x\"", 3, "`[service]` has an unknown key `ulr`", "did you mean `url`?"),
        (
            "course = \"week2\"\n[service]\nzzz = 1",
            3,
            "`[service]` has an unknown key `zzz`",
            "`[service]` knows `url`, `compose`, `name`, `build`, `run` and `health`",
        ),
        ("course = 2", 1, "`course` must be text, it is of the type integer", "write `course = \"…\"`"),
        (
            "course = \"week2\"\ntarget = \"lvie\"",
            2,
            "`lvie` is no target",
            "write `target = \"sandbox\"` or `target = \"live\"`",
        ),
        (
            "course = \"week2\"\n[service]\nurl = \"localhost:4567\"",
            3,
            "`service.url` is not an address: `localhost` is neither `http` nor `https`",
            "write it as `url = \"http://127.0.0.1:4567\"`",
        ),
        (
            "course = \"week2\"\n[service]\ncompose = \"../x.yml\"",
            3,
            "`service.compose` leads out of the workspace",
            "name a file of the workspace: `compose = \"docker-compose.yml\"`",
        ),
        (
            "course = \"week2\"\n[service]\ncompose = \"/x.yml\"",
            3,
            "`service.compose` is not relative to the workspace",
            "name a file of the workspace: `compose = \"docker-compose.yml\"`",
        ),
        (
            "course = \"week2\"\n[service]\nbuild = []",
            3,
            "`service.build` is not a command",
            "write the words one by one: `build = [\"cargo\", \"build\"]`",
        ),
        (
            "course = \"week2\"\n[service]\nrun = [1]",
            3,
            "`service.run` is not a command",
            "write the words one by one: `run = [\"./serve\", \"--quiet\"]`",
        ),
        (
            "course = \"week2\"\n[service]\nhealth = \"up\"",
            3,
            "`service.health` is not the path of a URL",
            "it begins with a slash: `health = \"/api/health\"`",
        ),
        ("target = \"live\"", 1, "`bootcamp.toml` has no `course`", "add `course = \"week2\"` at its top"),
        (
            "course = \"week2\"\nservice = 1",
            2,
            "`service` is not a table",
            "write `[service]` on a line of its own, and its keys below",
        ),
    ] {
        let problem = refused(text);
        assert_eq!(problem.to_string(), message);
        assert_eq!(problem.help(), Some(help), "{message}");
        assert_eq!(problem.place().map(|place| place.line), Some(line), "{message}");
    }
    assert_eq!(refused("course = week2").place().map(|place| place.line), Some(1));
}

#[test]
fn all_mistakes_are_reported_together_with_a_caret() {
    let problem = refused("cuorse = \"week2\"\n[service]\nulr = \"x\"\n");
    let mut shown = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none());
    assert!(handler.render_report(&mut shown, &problem).is_ok());
    for part in ["bootcamp.toml:1:1", "did you mean `course`?", "unknown key `ulr`", "bootcamp.toml:3:1", "has no `course`"] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
}

#[test]
fn it_is_found_from_below() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let deep = folder.path().join("src/services");
    std::fs::create_dir_all(&deep)?;
    std::fs::write(folder.path().join(Manifest::FILE), "course = \"week2\"")?;
    assert_eq!(Manifest::find(&deep)?.workspace, folder.path());
    std::fs::remove_file(folder.path().join(Manifest::FILE))?;
    let problem = Manifest::find(&deep).err().map(|problem| problem.to_string()).unwrap_or_default();
    assert!(problem.ends_with("has a `bootcamp.toml`"), "{problem}");
    Ok(())
}

#[test]
fn a_package_is_built_by_cargo_and_anything_else_must_say() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let manifest = Manifest::defaults(folder.path(), "week2");
    assert!(matches!(manifest.plan(), Err(ServiceError::NoProgram { .. })));
    std::fs::write(folder.path().join("Cargo.toml"), "")?;
    let (build, start) = manifest.plan()?;
    assert_eq!((build.map(|build| build.command_line()).as_deref(), &start), (Some("cargo build"), &Start::Built));
    let made = Built { executable: Some("/w/cruddur".into()), took: std::time::Duration::ZERO };
    assert_eq!(start.program(Some(&made)), Some(("/w/cruddur".into(), Vec::new())));
    assert_eq!(start.program(None), None);

    let mut manifest = manifest;
    manifest.service.run = Some(vec![String::from("cargo"), String::from("run")]);
    let (build, start) = manifest.plan()?;
    assert_eq!(build.map(|build| build.command_line()).as_deref(), Some("cargo build"));
    assert_eq!(start.program(None), Some(("cargo".into(), vec![String::from("run")])));
    Ok(())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,100}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_likely_text_makes_it_panic(value in "[\"'\\[\\]{}a-c0-9:/.é,=\n]{0,30}", key in "(course|target|service|service.url|service.build|service.compose)") {
        let _ = parse(&format!("{key} = {value}"));
        let _ = parse(&format!("{key} = {value:?}"));
    }
}
