//! What is asked: who calls, which operation, and members that keep the API model's constraints.

use std::fmt::Display;

use bytes::Bytes;
use serde::Deserialize;

use super::ACCOUNT;
use super::fault::Fault;
use crate::sandbox::Shared;
use crate::sandbox::wire::Request;

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

const TARGET: &str = "Logs_20140328.";

/// One operation's surroundings.
pub(super) struct Ask<'a> {
    pub shared: &'a Shared,
    /// From the credential's scope: it shows in every ARN.
    pub region: String,
    pub body: &'a Bytes,
}

impl<'a> Ask<'a> {
    /// The operation's input. An empty body is an empty object, as the SDKs send it.
    pub fn input<T: Deserialize<'a>>(&self) -> Result<T, Fault> {
        let body: &'a [u8] = if self.body.is_empty() { b"{}" } else { self.body };
        serde_json::from_slice(body).map_err(|error| Fault::new("SerializationException", error.to_string()).keep("unparsable"))
    }

    /// A group's ARN, without the `:*` that some members carry.
    pub fn group_arn(&self, group: &str) -> String {
        format!("arn:aws:logs:{}:{ACCOUNT}:log-group:{group}", self.region)
    }
}

/// The operation that the target header names.
pub(super) fn operation(request: &Request) -> Option<&str> {
    request.header("x-amz-target")?.strip_prefix(TARGET).filter(|name| !name.is_empty())
}

/// The region of a caller who brings credentials. The signature itself is not verified: the sandbox has no secrets.
pub(super) fn region(request: &Request) -> Result<String, Fault> {
    let absent = || {
        Fault::new("MissingAuthenticationTokenException", "Missing Authentication Token")
            .keep("no-credentials")
            .detail("the request is not signed: the service has no AWS credentials")
    };
    let Some(header) = request.header("authorization") else { return Err(absent()) };
    let Some(rest) = header.trim().strip_prefix("AWS4-HMAC-SHA256") else { return Err(absent()) };
    // Up to the comma: a blank within it belongs to the key.
    let scope = rest.split(',').find_map(|part| part.trim_start().strip_prefix("Credential=")).unwrap_or_default();
    let mut parts = scope.split('/');
    let key = parts.next().unwrap_or_default();
    let unrecognized = |reason, detail: String| {
        Fault::new("UnrecognizedClientException", "The security token included in the request is invalid.")
            .keep(reason)
            .detail(detail)
    };
    if key.trim().is_empty() {
        let detail = "the request is signed with an empty access key id; `AWS_ACCESS_KEY_ID` is blank";
        return Err(unrecognized("no-credentials", detail.to_owned()));
    }
    // AWS's own are of capitals and digits. A secret, which has both cases and slashes, is none.
    if !key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        let what = if key.trim() == key { "is no access key id" } else { "has whitespace around it" };
        let length = key.chars().count();
        return Err(unrecognized("unknown-key", format!("the access key id has {length} characters and {what}")));
    }
    let region = parts.nth(1).unwrap_or_default();
    let known = !region.is_empty() && region.len() <= 32 && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    Ok(if known { region.to_owned() } else { String::from("us-east-1") })
}

/// Collects what breaks the API model, and words it as AWS does.
#[derive(Debug, Default)]
pub(super) struct Constraints {
    broken: Vec<String>,
}

impl Constraints {
    fn fail(&mut self, member: &str, value: &dyn Display, constraint: &str) {
        self.broken.push(format!("Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// The member must be there.
    pub fn required(&mut self, member: &str, there: bool) {
        if !there {
            self.broken.push(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"));
        }
    }

    /// The number, where there is one, lies within the bounds.
    pub fn range(&mut self, member: &str, value: Option<i64>, min: i64, max: i64) {
        match value {
            Some(value) if value < min => {
                self.fail(member, &value, &format!("Member must have value greater than or equal to {min}"));
            }
            Some(value) if value > max => {
                self.fail(member, &value, &format!("Member must have value less than or equal to {max}"));
            }
            _ => {}
        }
    }

    /// A text's or list's length. `shown` is how AWS prints the value.
    pub fn length(&mut self, member: &str, shown: &str, length: usize, min: usize, max: usize) {
        let shown = clip(shown);
        if length < min {
            self.fail(member, &shown, &format!("Member must have length greater than or equal to {min}"));
        } else if length > max {
            self.fail(member, &shown, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// One of a closed set.
    pub fn one_of(&mut self, member: &str, value: Option<&str>, set: &[&str]) {
        if let Some(value) = value.filter(|value| !set.contains(value)) {
            self.fail(member, &clip(value), &format!("Member must satisfy enum value set: [{}]", set.join(", ")));
        }
    }

    /// A log group's name: 1 to 512 of `.-_/#A-Za-z0-9`.
    pub fn group_name(&mut self, member: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.length(member, value, value.chars().count(), 1, 512);
        if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte)) {
            self.fail(member, &clip(value), r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+");
        }
    }

    /// A log stream's name: 1 to 512 of anything but `:` and `*`.
    pub fn stream_name(&mut self, member: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.length(member, value, value.chars().count(), 1, 512);
        if value.contains([':', '*']) {
            self.fail(member, &clip(value), "Member must satisfy regular expression pattern: [^:*]*");
        }
    }

    /// The verdict over all of it.
    pub fn check(self) -> Result<(), Fault> {
        match self.broken.len() {
            0 => Ok(()),
            1 => Err(Fault::invalid(format!("1 validation error detected: {}", self.broken[0]))),
            n => Err(Fault::invalid(format!("{n} validation errors detected: {}", self.broken.join("; ")))),
        }
    }
}

/// Long values are cut: an error is not the place for a megabyte.
fn clip(value: &str) -> String {
    if value.chars().count() <= 600 { value.to_owned() } else { value.chars().take(600).chain(['…']).collect() }
}

/// The group that a name or an identifier (a name or an ARN) means; just one of the two may be given.
pub(super) fn one_group(name: Option<&str>, identifier: Option<&str>) -> Result<String, Fault> {
    let mut constraints = Constraints::default();
    constraints.group_name("logGroupName", name);
    if let Some(identifier) = identifier {
        constraints.length("logGroupIdentifier", identifier, identifier.chars().count(), 1, 2048);
    }
    constraints.check()?;
    match (name, identifier) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => Ok(group_of(identifier).to_owned()),
        (Some(_), Some(_)) => Err(Fault::invalid("LogGroupName and LogGroupIdentifier cannot be provided together.")),
        (None, None) => Err(Fault::invalid("Either LogGroupName or LogGroupIdentifier must be provided.")),
    }
}

/// The group's name within an ARN; a plain name is itself.
pub(super) fn group_of(identifier: &str) -> &str {
    identifier.split_once(":log-group:").map_or(identifier, |(_, rest)| rest.split(':').next().unwrap_or(rest))
}

/// A page's token for listings: the name after which it goes on, in hex.
pub(super) fn token_of(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// What [`token_of`] made.
pub(super) fn text_of(token: &str) -> Result<String, Fault> {
    if !token.is_ascii() || token.is_empty() || !token.len().is_multiple_of(2) || token.len() > 16_384 {
        return Err(Fault::bad_token());
    }
    let bytes: Option<Vec<u8>> = (0..token.len()).step_by(2).map(|at| u8::from_str_radix(&token[at..at + 2], 16).ok()).collect();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(Fault::bad_token)
}
