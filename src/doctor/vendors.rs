//! Each vendor rung by rung: reachable, authenticated, allowed, able to read back. The sandbox is climbed in the same way.

use std::time::Duration;

use super::clock::Clock;
use super::{Area, DEADLINE, Finding, Setting, State};
use crate::facts::{Secret, Source, Trouble};
use crate::lab::Lab;
use crate::sandbox::{Discovery, Ports, Sandbox, Settings};
use crate::service::{Target, Variables};
use crate::vendor::honeycomb::Access;
use crate::vendor::{Answered, Rung, Stop, docker, honeycomb, http_client, reach};

/// How long the questions to one vendor may take together: they are a handful.
const CLIMB: Duration = DEADLINE.saturating_mul(2);

/// The vendors, with their stable names, the names that people call them, and what is asked for an answer of any kind.
const VENDORS: [(Source, &str, &str, &str); 4] = [
    (Source::Honeycomb, "honeycomb", "Honeycomb", "/1/auth"),
    (Source::Xray, "xray", "AWS X-Ray", "/"),
    (Source::CloudWatch, "cloudwatch", "CloudWatch Logs", "/"),
    (Source::Rollbar, "rollbar", "Rollbar", "/api/1/status/ping"),
];

/// How far one got with a vendor.
#[derive(Debug, Clone)]
struct Climb {
    /// Where it is.
    address: String,
    reached: Result<Answered, Trouble>,
    /// What came back, or where it stopped; nothing, where it was not reached.
    tried: Option<Result<String, Stop>>,
}

/// What the service's own key for Honeycomb may do, beside the one that the checks read with.
#[derive(Debug, Clone)]
enum SendingKey {
    /// There is none, or it is the reading one, or nothing could be asked.
    NotAsked,
    /// What Honeycomb says of it.
    Known(Result<Access, Trouble>),
}

pub(super) async fn look(setting: &Setting, variables: &Variables) -> (Vec<Finding>, Vec<Clock>) {
    let (lab, sending) = match (setting.target, setting.workspace.manifest()) {
        (Target::Live, _) => {
            let set = |name: &str| variables.value(name).filter(|value| !value.trim().is_empty());
            // Without a reading key the checks read with the service's own.
            let sending = set("HONEYCOMB_CONFIGURATION_KEY").and(set("HONEYCOMB_API_KEY")).map(Secret::new);
            (Lab::live(variables, engine(setting)), sending)
        }
        (Target::Sandbox, None) => return (Vec::new(), Vec::new()),
        (Target::Sandbox, Some(manifest)) => match sandbox(setting, &manifest.workspace).await {
            Ok(found) => found,
            Err(why) => {
                let finding = Finding::new(Area::Vendors, "sandbox", "sandbox", State::Bad, format!("it does not start: {why}"));
                return (vec![finding.fix("see whether this machine lets a program listen on 127.0.0.1 at all")], Vec::new());
            }
        },
    };
    let found = climb_all(&lab, sending).await;
    lab.stop().await;
    found
}

fn engine(setting: &Setting) -> docker::Client {
    docker::Client::new(setting.engine.clone())
}

/// The workspace's sandbox while it runs, else one in memory; with the key that it would have a service send with.
async fn sandbox(setting: &Setting, workspace: &std::path::Path) -> Result<(Lab, Option<Secret>), String> {
    if let Some(found) = Discovery::find(workspace).await {
        let key = Secret::new(found.keys.honeycomb_ingest.clone());
        return Ok((Lab::running(found, engine(setting)), Some(key)));
    }
    let sandbox =
        Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.map_err(|error| error.to_string())?;
    let key = Secret::new(sandbox.shared().keys.honeycomb_ingest.clone());
    Ok((Lab::own(sandbox, engine(setting)), Some(key)))
}

/// Climbs to all vendors at the same time.
async fn climb_all(lab: &Lab, sending: Option<Secret>) -> (Vec<Finding>, Vec<Clock>) {
    let http = match http_client() {
        Ok(http) => http,
        Err(trouble) => {
            let finding = Finding::new(Area::Vendors, "http", "HTTPS", State::Bad, trouble.cause).fix(trouble.remedy);
            return (vec![finding], Vec::new());
        }
    };
    let climbs = VENDORS.map(|(source, _, _, path)| climb(lab, &http, source, path));
    let climbs = futures_util::future::join_all(climbs).await;
    let reading = match lab.honeycomb() {
        // Asked while climbing, and kept.
        Ok(client) if matches!(climbs[0].tried, Some(Ok(_))) => client.access().await.ok().cloned(),
        _ => None,
    };
    let sending = match sending {
        Some(key) if climbs[0].reached.is_ok() => {
            let client = honeycomb::Client::new(http, &climbs[0].address, key).with_deadline(DEADLINE);
            SendingKey::Known(client.access().await.cloned())
        }
        _ => SendingKey::NotAsked,
    };
    let mut findings = Vec::new();
    let mut clocks = Vec::new();
    for ((source, id, name, _), climb) in VENDORS.into_iter().zip(&climbs) {
        findings.extend(ladder(id, name, climb));
        if source == Source::Honeycomb {
            if let Some(reading) = &reading {
                tell_queries(&mut findings, reading);
            }
            findings.extend(sending_key(&sending, reading.as_ref()));
        }
        if let (Ok(answered), Target::Live) = (&climb.reached, lab.target()) {
            clocks.push((name, *answered));
        }
    }
    (findings, clocks)
}

async fn climb(lab: &Lab, http: &reqwest::Client, source: Source, path: &str) -> Climb {
    let address = match lab.address(source).await {
        Ok(address) => address.unwrap_or_default(),
        // Without a region there is no address.
        Err(trouble) => return Climb { address: String::new(), reached: Err(trouble), tried: None },
    };
    let reached = reach(http, source, &format!("{address}{path}"), DEADLINE).await;
    let tried = if reached.is_ok() { Some(try_out(lab, source).await) } else { None };
    Climb { address, reached, tried }
}

async fn try_out(lab: &Lab, source: Source) -> Result<String, Stop> {
    let no_key = |trouble| Stop { at: Rung::Authenticated, trouble };
    let trying = async {
        match source {
            Source::Honeycomb => lab.honeycomb().map_err(no_key)?.try_out().await,
            Source::Xray => Box::pin(lab.xray().map_err(no_key)?.try_out()).await,
            Source::CloudWatch => Box::pin(lab.cloudwatch().map_err(no_key)?.try_out()).await,
            _ => lab.rollbar().map_err(no_key)?.try_out().await,
        }
    };
    match tokio::time::timeout(CLIMB, trying).await {
        Ok(tried) => tried,
        Err(_) => Err(no_key(Trouble {
            cause: format!("the answers did not come within {} s", CLIMB.as_secs()),
            remedy: String::from("check the network connection, and try again in a minute"),
            passing: true,
            retry_after_ms: None,
        })),
    }
}

/// A finding for each rung: those above one that was not reached were not tried.
fn ladder(id: &str, name: &str, climb: &Climb) -> Vec<Finding> {
    let finding = |rung: Rung, state, told: String| {
        Finding::new(Area::Vendors, &format!("{id}.{}", stable(rung)), format!("{name} {}", spoken(rung)), state, told)
    };
    let stop = match (&climb.reached, &climb.tried) {
        (Err(trouble), _) => Some((Rung::Reachable, trouble)),
        (Ok(_), Some(Err(stop))) => Some((stop.at, &stop.trouble)),
        (Ok(_), _) => None,
    };
    let good = |rung: Rung| match rung {
        Rung::Reachable => format!("{} answers", climb.address),
        Rung::Authenticated => String::from("the key is taken"),
        Rung::Allowed => String::from("it may read what the checks read"),
        Rung::ReadBack => climb.tried.clone().and_then(Result::ok).unwrap_or_default(),
    };
    let judge = |rung: Rung| match stop {
        Some((at, trouble)) if at == rung => finding(rung, State::Bad, trouble.cause.clone()).fix(trouble.remedy.clone()),
        Some((at, _)) if at < rung => finding(rung, State::Unknown, format!("not tried: {}", before(at))),
        _ => finding(rung, State::Good, good(rung)),
    };
    Rung::ALL.map(judge).into()
}

const fn stable(rung: Rung) -> &'static str {
    match rung {
        Rung::Reachable => "reachable",
        Rung::Authenticated => "authenticated",
        Rung::Allowed => "allowed",
        Rung::ReadBack => "read-back",
    }
}

const fn spoken(rung: Rung) -> &'static str {
    match rung {
        Rung::ReadBack => "read back",
        _ => stable(rung),
    }
}

/// Why the rungs above were not tried.
const fn before(rung: Rung) -> &'static str {
    match rung {
        Rung::Reachable => "it was not reached",
        Rung::Authenticated => "no key was taken",
        Rung::Allowed | Rung::ReadBack => "the key may not",
    }
}

/// Without queries the checks still pass, by weaker evidence.
fn tell_queries(findings: &mut [Finding], reading: &Access) {
    let allowed = findings.iter_mut().find(|finding| finding.id == "vendors.honeycomb.allowed");
    if let (Some(allowed), false) = (allowed, reading.may_query()) {
        allowed.state = State::Warning;
        allowed.told = String::from("it may not run queries: checks are proved by when data arrived, not by the very span");
        allowed.fix = Some(String::from(
            "give the configuration key `Run Queries`, if the team's plan has the Query Data API; the checks pass without it, too",
        ));
    }
}

/// The service's key: taken, allowed to send, and of the environment that the checks look into.
fn sending_key(sending: &SendingKey, reading: Option<&Access>) -> Option<Finding> {
    let SendingKey::Known(known) = sending else { return None };
    let finding = |state, told: String| Finding::new(Area::Vendors, "honeycomb.sending", "Honeycomb sending", state, told);
    let place = "in Honeycomb under Environment settings, API Keys";
    let access = match known {
        Ok(access) => access,
        Err(trouble) if trouble.passing => {
            return Some(finding(State::Warning, trouble.cause.clone()).fix(trouble.remedy.clone()));
        }
        Err(trouble) => {
            let told = format!("the service's key, `HONEYCOMB_API_KEY`: {}", trouble.cause);
            return Some(finding(State::Bad, told).fix(format!("copy the ingest key of the right environment again ({place})")));
        }
    };
    if access.events == Some(false) {
        let told = String::from("the service's key, `HONEYCOMB_API_KEY`, may not send events");
        return Some(finding(State::Bad, told).fix(format!("take an ingest key for the service ({place})")));
    }
    let of = |access: &Access| Some((access.team.clone()?, access.environment.clone()?));
    if let (Some(sends), Some(reads)) = (of(access), reading.and_then(of))
        && sends != reads
    {
        let told = format!(
            "the service sends to the environment `{}` of the team `{}`, and the checks look into `{}` of `{}`",
            sends.1, sends.0, reads.1, reads.0
        );
        return Some(finding(State::Bad, told).fix(format!("take both keys from one environment ({place})")));
    }
    Some(finding(State::Good, String::from("the service's key is taken, too, and of the same environment")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::setting::tests::in_workspace;

    fn trouble(cause: &str) -> Trouble {
        Trouble { cause: cause.to_owned(), remedy: String::from("do this"), passing: false, retry_after_ms: None }
    }

    fn climb(tried: Result<String, Stop>) -> Climb {
        let reached = Ok(Answered { date: None, here: jiff::Timestamp::UNIX_EPOCH });
        Climb { address: String::from("https://x"), reached, tried: Some(tried) }
    }

    fn states(findings: &[Finding]) -> Vec<State> {
        findings.iter().map(|finding| finding.state).collect()
    }

    #[test]
    fn the_rungs_above_a_stop_are_not_tried() {
        use State::{Bad, Good, Unknown};
        let whole = ladder("rollbar", "Rollbar", &climb(Ok(String::from("no occurrence yet"))));
        assert_eq!(states(&whole), [Good, Good, Good, Good]);
        assert_eq!((whole[3].id.as_str(), whole[3].told.as_str()), ("vendors.rollbar.read-back", "no occurrence yet"));
        for (at, expected) in [
            (Rung::Authenticated, [Good, Bad, Unknown, Unknown]),
            (Rung::Allowed, [Good, Good, Bad, Unknown]),
            (Rung::ReadBack, [Good, Good, Good, Bad]),
        ] {
            let findings = ladder("rollbar", "Rollbar", &climb(Err(Stop { at, trouble: trouble("no") })));
            assert_eq!(states(&findings), expected);
            let bad = findings.iter().find(|finding| finding.state == Bad).unwrap();
            assert_eq!((bad.told.as_str(), bad.fix.as_deref()), ("no", Some("do this")));
        }
        let unreached = Climb { reached: Err(trouble("nothing listens")), tried: None, ..climb(Ok(String::new())) };
        let findings = ladder("xray", "AWS X-Ray", &unreached);
        assert_eq!(states(&findings), [Bad, Unknown, Unknown, Unknown]);
        assert_eq!(findings[1].told, "not tried: it was not reached");
    }

    #[test]
    fn the_sending_key_is_of_the_environment_that_is_read() {
        let access = |environment: &str, events| Access {
            environment: Some(environment.to_owned()),
            team: Some(String::from("me")),
            events,
            ..Access::default()
        };
        let judge = |known, reading: &Access| sending_key(&SendingKey::Known(known), Some(reading)).unwrap();
        let reading = access("test", None);
        assert_eq!(judge(Ok(access("test", Some(true))), &reading).state, State::Good);
        let other = judge(Ok(access("prod", Some(true))), &reading);
        assert!(other.state == State::Bad && other.told.contains("`prod`") && other.told.contains("`test`"), "{other:?}");
        assert_eq!(judge(Ok(access("test", Some(false))), &reading).state, State::Bad);
        let refused = judge(Err(trouble("Honeycomb refused the key (401)")), &reading);
        assert!(refused.state == State::Bad && refused.fix.unwrap().contains("ingest key"));
        assert_eq!(sending_key(&SendingKey::NotAsked, None), None);
    }

    #[test]
    fn a_key_without_queries_is_enough_and_is_told() {
        let mut findings = ladder("honeycomb", "Honeycomb", &climb(Ok(String::new())));
        tell_queries(&mut findings, &Access { queries: Some(false), ..Access::default() });
        assert_eq!(states(&findings), [State::Good, State::Good, State::Warning, State::Good]);
    }

    #[tokio::test]
    async fn the_sandbox_is_climbed_to_the_top_and_no_clock_is_read_off_it() {
        let folder = tempfile::tempdir().unwrap();
        let (findings, clocks) = look(&in_workspace(folder.path()), &Variables::default()).await;
        assert_eq!(findings.len(), 17, "{findings:#?}");
        assert!(findings.iter().all(|finding| finding.state == State::Good), "{findings:#?}");
        assert!(clocks.is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
