//! Access tokens and what they allow.

use http::StatusCode;

use super::fault::Fault;
use crate::sandbox::Shared;
use crate::sandbox::wire::Request;

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Post,
    Read,
    Write,
}

impl Scope {
    const fn name(self) -> &'static str {
        match self {
            Self::Post => "post_server_item",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Lets a caller in. The token is taken from the header, else from the body, else from the query.
///
/// The two published tokens have their scope and no other; any other token of 32 hex digits is taken for the learner's own,
/// with the scope that the call needs.
pub(super) fn check(shared: &Shared, request: &Request, in_body: Option<&str>, needed: Scope) -> Result<(), Fault> {
    let in_query = request.parameter("access_token");
    let header = match request.headers.get("x-rollbar-access-token") {
        // A header that is not text is no token, but there is one.
        Some(value) => Some(value.to_str().unwrap_or("?")),
        None => None,
    };
    let Some(token) = header.or(in_body).or(in_query.as_deref()) else {
        return Err(Fault::new(StatusCode::UNAUTHORIZED, "access token required: send it in the header X-Rollbar-Access-Token")
            .keep("missing-key")
            .detail("the request carries no access token"));
    };
    let token = token.trim();
    if token.is_empty() {
        return Err(Fault::new(StatusCode::UNAUTHORIZED, "access token required: the one that was sent is blank")
            .keep("blank-key")
            .detail("the access token is blank: the variable it comes from is empty"));
    }
    let has = if token == shared.keys.rollbar_post {
        Scope::Post
    } else if token == shared.keys.rollbar_read {
        Scope::Read
    } else if token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    } else {
        // Rollbar repeats the token here. The sandbox says no more of it than how long it is.
        let length = token.chars().count();
        return Err(Fault::new(StatusCode::FORBIDDEN, "access token not found")
            .keep("unknown-key")
            .detail(format!("the access token has {length} characters and is not 32 hex digits: it is no Rollbar token")));
    };
    if has == needed {
        return Ok(());
    }
    let (needs, has) = (needed.name(), has.name());
    Err(Fault::new(
        StatusCode::FORBIDDEN,
        format!("insufficient privileges: {needs} scope is required but the access token only has {has}."),
    )
    .keep("wrong-kind-of-key"))
}
