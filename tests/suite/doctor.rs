//! `bootcamp doctor`: what is in the way, each thing with its fix, and no key in any form of it. No request leaves this machine.

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::support::{Bootcamp, Run, has};
use crate::tiny;

const INGEST: &str = "hcaik_01j0000000000000000000000000000000000000000000000000000000";

/// Docker is nowhere, and no vendor is reached: both are the machine's own affair.
fn fenced(call: Bootcamp) -> Bootcamp {
    let nobody = "http://127.0.0.1:9";
    let call =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].into_iter().fold(call, |call, name| call.env(name, nobody));
    let socket = format!("unix://{}/docker.sock", call.root().display());
    call.env("DOCKER_HOST", socket).env("AWS_EC2_METADATA_DISABLED", "true")
}

fn checkup(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", run.stdout, run.stderr))
}

#[track_caller]
fn finding<'c>(checkup: &'c Value, id: &str) -> &'c Value {
    let findings = checkup["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("there is no `{id}` in {checkup:#}"))
}

/// The state of a finding; one that is not as it should be has a fix.
#[track_caller]
fn state<'c>(checkup: &'c Value, id: &str) -> &'c str {
    let finding = finding(checkup, id);
    let state = finding["state"].as_str().unwrap();
    assert!(!finding["told"].as_str().unwrap().is_empty(), "{finding:#}");
    assert!(!matches!(state, "warning" | "bad") || finding["fix"].is_string(), "{finding:#}");
    state
}

#[track_caller]
fn text(checkup: &Value, id: &str) -> String {
    let finding = finding(checkup, id);
    format!("{} | {}", finding["told"].as_str().unwrap(), finding["fix"].as_str().unwrap_or_default())
}

/// Whatever the form, no key is in it.
fn keeps(run: &Run, secrets: &[&str]) {
    for secret in secrets {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "`{secret}` in:\n{}\n{}", run.stdout, run.stderr);
    }
}

#[test]
fn the_sandbox_is_climbed_in_a_workspace_that_is_well() {
    let call = fenced(tiny::workspace());
    let run = call.again().args("doctor --format json").run();
    let checkup = checkup(&run);
    assert_eq!((checkup["schema_version"].is_u64(), checkup["target"].as_str()), (true, Some("sandbox")));
    for vendor in ["honeycomb", "xray", "cloudwatch", "rollbar"] {
        for rung in ["reachable", "authenticated", "allowed", "read-back"] {
            assert_eq!(state(&checkup, &format!("vendors.{vendor}.{rung}")), "good");
        }
    }
    assert_eq!(state(&checkup, "workspace.manifest"), "good");
    assert_eq!(state(&checkup, "docker.compose-file"), "good");
    assert_eq!(state(&checkup, "ports.service"), "good");
    assert_eq!(state(&checkup, "disk.writable"), "good");
    assert_eq!(state(&checkup, "clock.time"), "good");
    for name in ["HONEYCOMB_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ROLLBAR_ACCESS_TOKEN"] {
        assert_eq!(state(&checkup, &format!("variables.{name}")), "good");
    }
    let secrets = [tiny::HONEYCOMB_KEY, tiny::AWS_SECRET, tiny::ROLLBAR_TOKEN];
    keeps(&run, &secrets);
    for format in ["plain", "pretty"] {
        let run = call.again().args("doctor --format").arg(format).run();
        keeps(&run, &secrets);
        has(&run.stdout, &["Honeycomb", "Rollbar", "`bootcamp", "C"]);
    }
    // It has looked, and left nothing behind.
    assert!(!call.workspace().join(".bootcamp").exists());
}

#[test]
fn a_running_sandbox_is_the_one_that_is_asked() {
    let call = fenced(tiny::workspace());
    let sandbox = call.sandbox().with_group("Tiny", "service(\"tiny\")");
    let run = call.again().args("doctor --format json").run();
    let checkup = checkup(&run);
    has(&text(&checkup, "ports.sandbox"), &[&sandbox.url(), &format!("process {}", sandbox.id())]);
    has(&text(&checkup, "vendors.xray.reachable"), &[&sandbox.url()]);
    has(&text(&checkup, "vendors.xray.read-back"), &["groups: 2"]);
}

#[test]
fn without_cargo_and_without_docker() {
    let call = fenced(tiny::solved());
    call.again().args("init mine --course tiny").passes();
    let mine = call.workspace().join("mine");
    std::fs::write(mine.join("bootcamp.toml"), "course = \"tiny\"\n\n[service]\nname = \"app\"\n").unwrap();
    let run = call.again().env("PATH", "/nowhere").within(&mine).args("doctor --format json").fails_with(1);
    let checkup = checkup(&run);
    assert_eq!(checkup["state"], "bad");
    for tool in ["cargo", "rustc", "cc"] {
        assert_eq!(state(&checkup, &format!("toolchain.{tool}")), "bad");
    }
    has(&text(&checkup, "toolchain.cargo"), &["not on your PATH", "rustup.rs"]);
    has(&text(&checkup, "docker.engine"), &["no Docker engine answers", "docker.com"]);
    // Nothing of the tiny course looks at containers.
    assert_eq!(state(&checkup, "docker.engine"), "unknown");
    let plain = call.again().env("PATH", "/nowhere").within(&mine).args("doctor").fails_with(1);
    has(&plain.stdout, &["toolchain, cargo: in the way.", "\n  Fix: ", "Result: not ready yet.", "Next: begin with cargo"]);
}

#[test]
fn in_week_2_it_says_which_steps_need_docker() {
    let call = fenced(Bootcamp::new()).args("doctor --format json").run();
    has(&text(&checkup(&call), "docker.engine"), &["only steps 1.1 and", "all the rest goes without"]);
}

#[test]
fn keys_that_are_swapped_blank_or_placeholders() {
    let file = format!(
        "HONEYCOMB_API_KEY={}\nHONEYCOMB_CONFIGURATION_KEY={INGEST}\nROLLBAR_ACCESS_TOKEN=your-token-here\nAWS_SECRET_ACCESS_KEY={}\nAWS_DEFAULT_REGION=can-central-1\n",
        tiny::HONEYCOMB_KEY,
        tiny::AWS_SECRET
    );
    let call = fenced(tiny::workspace())
        .write(".env", file)
        .env("HONEYCOMB_API_KEY", tiny::HONEYCOMB_KEY)
        .env("AWS_SECRET_ACCESS_KEY", " \n")
        .env("AWS_ACCESS_KEY_ID", format!("{}\n", tiny::AWS_SECRET));
    let run = call.again().args("doctor --format json").fails_with(1);
    let checkup = checkup(&run);
    for (name, words) in [
        ("HONEYCOMB_API_KEY", "swapped with `HONEYCOMB_CONFIGURATION_KEY`"),
        ("HONEYCOMB_CONFIGURATION_KEY", "swapped with `HONEYCOMB_API_KEY`"),
        ("ROLLBAR_ACCESS_TOKEN", "this is a placeholder"),
        ("AWS_DEFAULT_REGION", "no region of AWS"),
        ("AWS_ACCESS_KEY_ID", "a line break around the value"),
        ("AWS_SECRET_ACCESS_KEY", "the shell sets it to nothing"),
    ] {
        let id = format!("variables.{name}");
        assert_eq!(state(&checkup, &id), "bad", "{name}");
        has(&text(&checkup, &id), &[words]);
    }
    for format in ["json", "plain", "pretty"] {
        let run = call.again().args("doctor --format").arg(format).fails_with(1);
        keeps(&run, &[INGEST, tiny::HONEYCOMB_KEY, tiny::AWS_SECRET, "your-token-here", "can-central-1"]);
    }
}

#[test]
fn a_broken_file_of_variables_shows_its_line_and_nothing_of_it() {
    let call = fenced(tiny::workspace()).write(".env", "A=1\nROLLBAR_ACCESS_TOKEN=\"swordfishswordfish\n");
    let run = call.args("doctor --format json").fails_with(1);
    has(&text(&checkup(&run), "variables.file"), &["`.env` line 2"]);
    keeps(&run, &["swordfish"]);
}

#[test]
fn a_port_that_somebody_else_has() {
    let call = fenced(tiny::workspace());
    let listener = TcpListener::bind(("127.0.0.1", tiny::port(&call))).unwrap();
    let checkup = checkup(&call.args("doctor --format json").fails_with(1));
    assert_eq!(state(&checkup, "ports.service"), "bad");
    has(&text(&checkup, "ports.service"), &["the service cannot start", "service.url"]);
    if cfg!(target_os = "linux") {
        has(&text(&checkup, "ports.service"), &[&format!("process {}", std::process::id())]);
    }
    drop(listener);
}

#[test]
fn live_a_refused_key_stops_its_vendor_alone() {
    let call = fenced(tiny::workspace());
    let sandbox = call.sandbox();
    let live = |key: &str| {
        let call = call.again().env("HONEYCOMB_API_ENDPOINT", sandbox.url()).env("HONEYCOMB_CONFIGURATION_KEY", key);
        call.env("ROLLBAR_READ_TOKEN", tiny::ROLLBAR_TOKEN)
            .env("AWS_DEFAULT_REGION", "ca-central-1")
            .args("doctor --target live --format json")
            .fails_with(1)
    };
    let unknown = "abcdefghijklmnopqrstuvwxyz-unknown";
    let run = live(unknown);
    let refused = checkup(&run);
    assert_eq!(refused["target"], "live");
    let rungs = ["reachable", "authenticated", "allowed", "read-back"];
    let states = |checkup: &Value, vendor: &str| rungs.map(|rung| state(checkup, &format!("vendors.{vendor}.{rung}")).to_owned());
    assert_eq!(states(&refused, "honeycomb"), ["good", "bad", "unknown", "unknown"]);
    has(&text(&refused, "vendors.honeycomb.authenticated"), &["Honeycomb refused the key (401)", "configuration key"]);
    // The proxy leads the others to nobody.
    for vendor in ["xray", "cloudwatch", "rollbar"] {
        assert_eq!(states(&refused, vendor), ["bad", "unknown", "unknown", "unknown"], "{vendor}");
    }
    keeps(&run, &[unknown, tiny::ROLLBAR_TOKEN, tiny::AWS_SECRET]);

    // An ingest key is known, and may not read.
    assert_eq!(states(&checkup(&live(INGEST)), "honeycomb"), ["good", "good", "bad", "unknown"]);
    let taken = checkup(&live(tiny::HONEYCOMB_KEY));
    assert_eq!(states(&taken, "honeycomb"), ["good", "good", "good", "good"]);
    // The sandbox tells the time, and it is this machine's.
    has(&text(&taken, "clock.time"), &["it agrees with Honeycomb's"]);
}

#[test]
fn live_without_keys_each_vendor_says_what_it_lacks() {
    let call = fenced(tiny::workspace()).without(".env").env("HONEYCOMB_API_KEY", "").env("AWS_SECRET_ACCESS_KEY", "");
    let sandbox = call.sandbox();
    let run = call.env("HONEYCOMB_API_ENDPOINT", sandbox.url()).args("doctor --target live --format json").fails_with(1);
    let checkup = checkup(&run);
    has(&text(&checkup, "vendors.honeycomb.authenticated"), &["no Honeycomb key to read with", "HONEYCOMB_CONFIGURATION_KEY"]);
    has(&text(&checkup, "vendors.xray.reachable"), &["no AWS region is set", "AWS_DEFAULT_REGION"]);
    has(&text(&checkup, "variables.ROLLBAR_READ_TOKEN"), &["not set: live checks read with it", "Project Access Tokens"]);
}

#[test]
fn without_a_workspace_and_with_a_broken_one() {
    let call = fenced(Bootcamp::new());
    let checkup_of = |call: &Bootcamp, code: i32| {
        let run = call.again().args("doctor --format json").run();
        assert!(run.code == Some(code) || run.code == Some(1), "{}{}", run.stdout, run.stderr);
        checkup(&run)
    };
    let none = checkup_of(&call, 0);
    assert_eq!(state(&none, "workspace.manifest"), "warning");
    has(&text(&none, "workspace.manifest"), &["`bootcamp init cruddur`"]);
    assert!(none["workspace"].is_null());
    for id in ["toolchain.cargo", "docker.engine", "ports.4318", "disk.workspace", "clock.time"] {
        finding(&none, id);
    }
    let broken = checkup_of(&call.write("bootcamp.toml", "course = \"tiny\"\ntarget = \"moon\"\n"), 1);
    assert_eq!(state(&broken, "workspace.manifest"), "bad");
    has(&text(&broken, "workspace.manifest"), &["bootcamp.toml:2"]);
}

#[test]
fn keys_that_git_would_take_along() {
    let call = fenced(tiny::workspace());
    let git = |args: &[&str]| {
        let run = |folder: &Path| std::process::Command::new("git").args(args).current_dir(folder).output();
        run(&call.workspace()).is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "--quiet"]) {
        eprintln!("skipped: there is no git");
        return;
    }
    let found = || checkup(&call.again().args("doctor --format json").run());
    has(&text(&found(), "variables.git"), &["git does not ignore it", ".gitignore"]);
    assert!(git(&["add", ".env"]));
    has(&text(&found(), "variables.git"), &["git keeps it", "git rm --cached .env"]);
    assert!(git(&["rm", "--quiet", "--cached", ".env"]));
    std::fs::write(call.workspace().join(".gitignore"), "/.env\n").unwrap();
    has(&text(&found(), "variables.file"), &["git ignores it"]);
}
