//! Who asks. The signature itself is not verified; that there is one, for this service, is.

use http::StatusCode;

use super::failure::Failure;

/// What the sandbox takes from a request's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The region of the credential's scope: it appears in ARNs.
    pub region: String,
}

impl Default for Caller {
    fn default() -> Self {
        Self { region: String::from("us-east-1") }
    }
}

impl Caller {
    /// Reads `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/xray/aws4_request, SignedHeaders=…, Signature=…`.
    ///
    /// Follows the errors that AWS's front ends give for the same mistakes. No part of a key gets into a message.
    pub fn parse(authorization: Option<&str>) -> Result<Self, Failure> {
        let forbidden = |code, message: &str| Err(Failure::new(StatusCode::FORBIDDEN, code, message));
        let Some(header) = authorization.map(str::trim).filter(|header| !header.is_empty()) else {
            return forbidden("MissingAuthenticationTokenException", "Missing Authentication Token");
        };
        let Some(parameters) = header.strip_prefix("AWS4-HMAC-SHA256") else {
            return forbidden("MissingAuthenticationTokenException", "Missing Authentication Token");
        };
        let credential = parameters.split(',').find_map(|part| part.trim().strip_prefix("Credential="));
        let Some(credential) = credential else {
            return forbidden("IncompleteSignatureException", "Authorization header requires 'Credential' parameter.");
        };
        // An access key may itself hold no slash, so the scope is the last four parts.
        let parts: Vec<&str> = credential.split('/').collect();
        let [key, _date, region, service, "aws4_request"] = parts[..] else {
            return forbidden(
                "IncompleteSignatureException",
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term",
            );
        };
        if key.trim().is_empty() {
            return forbidden("UnrecognizedClientException", "The security token included in the request is invalid.");
        }
        if service != "xray" {
            return forbidden("InvalidSignatureException", "Credential should be scoped to correct service: 'xray'.");
        }
        let plain = region.len() <= 32 && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if region.is_empty() || !plain {
            return forbidden("InvalidSignatureException", "Credential should be scoped to a valid region.");
        }
        Ok(Self { region: region.to_owned() })
    }

    /// The ARN of one of this account's X-Ray resources: `group/…` or `sampling-rule/…`.
    pub fn arn(&self, resource: &str) -> String {
        format!("arn:aws:xray:{}:{ACCOUNT}:{resource}", self.region)
    }
}

/// The account that everything in the sandbox belongs to.
pub(super) const ACCOUNT: &str = "000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_has_its_own_error() {
        fn code(header: Option<&str>) -> Result<String, &'static str> {
            Caller::parse(header).map(|caller| caller.region).map_err(|failure| failure.code)
        }
        let good = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/xray/aws4_request, SignedHeaders=host, Signature=00";
        assert_eq!(code(Some(good)).as_deref(), Ok("eu-west-1"));
        assert_eq!(code(None), Err("MissingAuthenticationTokenException"));
        assert_eq!(code(Some("Bearer x")), Err("MissingAuthenticationTokenException"));
        assert_eq!(code(Some("AWS4-HMAC-SHA256 Signature=00")), Err("IncompleteSignatureException"));
        assert_eq!(code(Some(&good.replace("AKID", ""))), Err("UnrecognizedClientException"));
        assert_eq!(code(Some(&good.replace("/xray/", "/logs/"))), Err("InvalidSignatureException"));
        assert_eq!(code(Some(&good.replace("eu-west-1", "\u{7f}"))), Err("InvalidSignatureException"));
    }
}
