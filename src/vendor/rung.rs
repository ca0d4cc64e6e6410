use std::time::Duration;

use jiff::Timestamp;

use super::transport::Failure;
use super::{CLOUDWATCH, HONEYCOMB, ROLLBAR, Vendor, XRAY, trouble};
use crate::facts::{Source, Trouble};

/// How far one gets with a vendor, each rung resting on the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// It answers at all.
    Reachable,
    /// It knows the key.
    Authenticated,
    /// The key may do what the checks need.
    Allowed,
    /// What was asked for came back.
    ReadBack,
}

impl Rung {
    /// All of them, from the bottom.
    pub const ALL: [Self; 4] = [Self::Reachable, Self::Authenticated, Self::Allowed, Self::ReadBack];
}

/// The rung that was not reached, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The rung.
    pub at: Rung,
    /// Why, and what to do.
    pub trouble: Trouble,
}

impl Rung {
    /// For `map_err`: whatever comes in the way stops at this rung.
    pub(super) fn stops(self) -> impl Fn(Trouble) -> Stop {
        move |trouble| Stop { at: self, trouble }
    }
}

/// That an address answers, and what its clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The answer's `Date`, to the second.
    pub date: Option<Timestamp>,
    /// This machine's clock, halfway between the request and its answer.
    pub here: Timestamp,
}

/// Asks an endpoint whether it answers in HTTP, by a path that costs it little; what it answers does not matter, and no credential
/// is sent.
///
/// # Errors
/// When nothing answers there, or no HTTP.
pub async fn reach(
    http: &reqwest::Client,
    source: Source,
    endpoint: &str,
    path: &str,
    deadline: Duration,
) -> Result<Answered, Trouble> {
    let vendor = vendor(source);
    let asked = Timestamp::now();
    match http.get(format!("{endpoint}{path}")).timeout(deadline).send().await {
        Ok(answer) => {
            let waited = Timestamp::now().as_millisecond().saturating_sub(asked.as_millisecond());
            let here = Timestamp::from_millisecond(asked.as_millisecond() + waited / 2).unwrap_or(asked);
            let date = answer.headers().get(http::header::DATE).and_then(|value| value.to_str().ok());
            let date = date.and_then(|value| jiff::fmt::rfc2822::parse(value).ok()).map(|date| date.timestamp());
            Ok(Answered { date, here })
        }
        Err(error) if error.is_builder() => Err(trouble::lasting(
            format!("the endpoint `{endpoint}` of {} is not a URL", vendor.name),
            "write it with its scheme, as in `https://api.honeycomb.io`",
        )),
        Err(error) => {
            let failure = if error.is_timeout() { Failure::Late } else { Failure::of(&error) };
            Err(failure.trouble(vendor, endpoint, deadline))
        }
    }
}

/// Of what is no vendor, nothing is asked.
fn vendor(source: Source) -> Vendor {
    match source {
        Source::Honeycomb => HONEYCOMB,
        Source::Xray => XRAY,
        Source::CloudWatch => CLOUDWATCH,
        Source::Rollbar => ROLLBAR,
        _ => Vendor { name: "the service", status_page: "its output" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::fake::{Answer, Fake, nowhere};
    use crate::vendor::http_client;

    const DEADLINE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn any_answer_will_do_and_its_date_is_read() {
        let fake = Fake::serve(|_| Answer::json(403, "{}").header("date", "Sun, 01 Mar 2026 12:00:30 GMT")).await;
        let answered = reach(&http_client().unwrap(), Source::Honeycomb, fake.url(), "/ping", DEADLINE).await.unwrap();
        assert_eq!(answered.date, Some("2026-03-01T12:00:30Z".parse().unwrap()));
        assert!(answered.here <= Timestamp::now());
        let asked = &fake.requests()[0];
        assert_eq!(asked.line(), "GET /ping");
        assert!(asked.header("x-honeycomb-team").is_none() && asked.header("authorization").is_none());

        let undated = Fake::serve(|_| Answer::json(200, "{}").header("date", "yesterday")).await;
        let answered = reach(&http_client().unwrap(), Source::Rollbar, undated.url(), "", DEADLINE).await.unwrap();
        assert_eq!(answered.date, None);
    }

    #[tokio::test]
    async fn what_keeps_it_from_answering_is_told() {
        let http = http_client().unwrap();
        let closed = reach(&http, Source::Rollbar, &nowhere(), "/", DEADLINE).await.unwrap_err();
        assert!(closed.cause.contains("nothing listens") && closed.cause.contains("Rollbar"), "{closed:?}");
        let hangs = Fake::serve(|_| Answer::Hang).await;
        let late = reach(&http, Source::Xray, hangs.url(), "", Duration::from_millis(50)).await.unwrap_err();
        assert!(late.cause.contains("did not answer within"), "{late:?}");
        let nonsense = reach(&http, Source::Honeycomb, "api.honeycomb.io", "/1/auth", DEADLINE).await.unwrap_err();
        assert!(nonsense.cause.contains("is not a URL"), "{nonsense:?}");
    }
}
