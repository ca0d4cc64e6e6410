use std::error::Error;

use aws_config::{Region, SdkConfig};
use aws_sdk_xray::config::http::HttpResponse;
use aws_sdk_xray::error::{ProvideErrorMetadata, SdkError};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Account;
use crate::facts::{Secret, Trouble};
use crate::vendor::transport::Failure;
use crate::vendor::{Rung, Stop, Vendor, trouble};

impl Account {
    /// The meaning of an error. `action` is the IAM action, as `xray:BatchGetTraces`.
    pub(in crate::vendor) fn trouble<E>(&self, vendor: Vendor, action: &str, error: &SdkError<E, HttpResponse>) -> Trouble
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let endpoint = &self.address(action);
        match error {
            SdkError::TimeoutError(_) => Failure::Late.trouble(vendor, endpoint, self.deadline),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Failure::Late.trouble(vendor, endpoint, self.deadline),
            SdkError::DispatchFailure(_) => match Failure::of(error) {
                Failure::Unresolved => self.unresolved(vendor),
                failure => failure.trouble(vendor, endpoint, self.deadline),
            },
            SdkError::ResponseError(answer) => match (Failure::of(error), answer.raw().status().as_u16()) {
                (failure @ (Failure::Broken | Failure::Late), _) => failure.trouble(vendor, endpoint, self.deadline),
                (_, status @ 500..) => trouble::down(vendor, status, waits(answer.raw())),
                _ => trouble::garbage(vendor, action, endpoint),
            },
            SdkError::ServiceError(refusal) => self.refusal(vendor, action, refusal.err(), refusal.raw()),
            _ => trouble::lasting(
                format!("{} could not be asked: {}", vendor.name, trouble::quote(&innermost(error), &self.secrets())),
                "check the AWS region and credentials",
            ),
        }
    }

    /// The same, with the rung at which it stops.
    pub(in crate::vendor) fn stop<E>(&self, vendor: Vendor, action: &str, error: &SdkError<E, HttpResponse>) -> Stop
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let at = match error {
            SdkError::ServiceError(refusal) => rung(refusal.err().code().unwrap_or_default()),
            SdkError::ResponseError(_) => Rung::ReadBack,
            // Nothing came back that tells what became of the key.
            _ => Rung::Authenticated,
        };
        Stop { at, trouble: self.trouble(vendor, action, error) }
    }

    fn refusal<E: ProvideErrorMetadata>(&self, vendor: Vendor, action: &str, error: &E, raw: &HttpResponse) -> Trouble {
        let name = vendor.name;
        let code = error.code().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        let said = error.message().unwrap_or_default();
        let status = raw.status().as_u16();
        match code {
            "ThrottledException" | "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "RequestLimitExceeded" => {
                trouble::throttled(vendor, waits(raw))
            }
            _ if status == 429 => trouble::throttled(vendor, waits(raw)),
            _ if status >= 500 => trouble::down(vendor, status, waits(raw)),
            _ if is_clock(code, said) => trouble::lasting(
                format!("{name} found this machine's clock to be wrong ({code})"),
                "set the clock by the network's time (`timedatectl set-ntp true`)",
            ),
            // Its message repeats the whole signed request, so it is not passed on.
            "InvalidSignatureException" | "SignatureDoesNotMatch" => trouble::lasting(
                format!("AWS refused the secret access key ({code})"),
                "copy `AWS_SECRET_ACCESS_KEY` again: it does not belong to the access key id",
            ),
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException" => trouble::lasting(
                format!("AWS does not know the access key ({code})"),
                "copy `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` again, with `AWS_SESSION_TOKEN` if the key is temporary",
            ),
            "ExpiredTokenException" | "ExpiredToken" => trouble::lasting(
                "the temporary AWS credentials have expired",
                "get new ones (`aws sso login`, or the page that you copied them from) and set all three variables",
            ),
            "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => trouble::lasting(
                format!("the AWS key may not call `{action}`"),
                format!("let the user that the checks run as do so: in AWS under IAM add the action `{action}` to its policy"),
            ),
            "OptInRequired" | "SubscriptionRequiredException" => trouble::lasting(
                format!("the AWS account is not ready for {name} ({code})"),
                "finish the account's registration in the AWS console; a fresh account can take some hours",
            ),
            _ if code.is_empty() && said.is_empty() => trouble::garbage(vendor, action, &self.address(action)),
            _ => trouble::lasting(
                format!("{name} refused `{action}` ({status}): {}", trouble::quote(&[code, said].join(" "), &self.secrets())),
                "check the AWS region, the key and what was asked for",
            ),
        }
    }

    /// Where an action's service is.
    fn address(&self, action: &str) -> String {
        let service = action.split(':').next().unwrap_or_default();
        let region = self.session.get().and_then(SdkConfig::region).map_or("", Region::as_ref);
        self.endpoint.clone().unwrap_or_else(|| format!("https://{service}.{region}.amazonaws.com"))
    }

    fn unresolved(&self, vendor: Vendor) -> Trouble {
        let region = self.session.get().and_then(SdkConfig::region).map_or("", Region::as_ref);
        trouble::passing(
            format!("no address is known for {} in the region `{region}`", vendor.name),
            format!("check the network connection, and that `{region}` is a region of AWS"),
        )
    }

    fn secrets(&self) -> Vec<&str> {
        let Some(keys) = &self.keys else { return Vec::new() };
        let always = [&keys.access_key_id, &keys.secret_access_key];
        always.into_iter().chain(&keys.session_token).map(Secret::expose).collect()
    }
}

/// There is nothing to sign with, and why.
pub(super) fn no_credentials(error: &(dyn Error + 'static)) -> Trouble {
    let remedy = "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (for a profile that signs in through SSO: \
                  `eval \"$(aws configure export-credentials --format env)\"`)";
    let said = trouble::quote(&innermost(error), &[]);
    // The chain tells of each of its links at length when none of them has anything.
    let cause = if said.starts_with("no credentials found in chain") {
        String::from("no AWS credentials were found")
    } else {
        format!("the AWS credentials cannot be had: {said}")
    };
    trouble::lasting(cause, remedy)
}

/// Where a refusal stops: AWS looks at the signature first, then at the policy, then at what is asked.
fn rung(code: &str) -> Rung {
    match code.rsplit('#').next().unwrap_or_default() {
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedOperation"
        | "OptInRequired"
        | "SubscriptionRequiredException" => Rung::Allowed,
        "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "RequestExpired"
        | "RequestTimeTooSkewed" => Rung::Authenticated,
        _ => Rung::ReadBack,
    }
}

/// Whether a signature was refused for the time in it.
fn is_clock(code: &str, said: &str) -> bool {
    code == "RequestExpired"
        || code == "RequestTimeTooSkewed"
        || said.contains("Signature expired")
        || said.contains("not yet current")
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// How long the answer asks us to wait.
fn waits(raw: &HttpResponse) -> Option<u64> {
    let value = HeaderValue::from_str(raw.headers().get("retry-after")?).ok()?;
    let headers = HeaderMap::from_iter([(HeaderName::from_static("retry-after"), value)]);
    trouble::retry_after_ms(&headers, jiff::Timestamp::now())
}
