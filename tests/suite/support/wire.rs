//! HTTP/1.1 by hand: what a service in any language could do, and no more.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, taken.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{self:?}");
        self
    }
}

/// Sends one request to an `http://` address and reads the whole answer.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> std::io::Result<Answer> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(std::io::ErrorKind::InvalidData)?;
    Ok(Answer { status, body: body.to_owned() })
}

/// Signs as an AWS SDK does, as far as the header's form goes.
pub fn signature(key_id: &str, region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key_id}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature={}",
        "0".repeat(64)
    )
}

/// Calls an operation of X-Ray.
pub fn xray(base: &str, operation: &str, input: &Value) -> std::io::Result<Answer> {
    let signature = signature("AKIDSUITE", "us-east-1", "xray");
    let headers = [("authorization", signature.as_str()), ("content-type", "application/json")];
    send("POST", &format!("{base}/{operation}"), &headers, &input.to_string())
}

/// Calls an operation of CloudWatch Logs.
pub fn logs(base: &str, operation: &str, input: &Value) -> std::io::Result<Answer> {
    let (signature, target) = (signature("AKIDSUITE", "us-east-1", "logs"), format!("Logs_20140328.{operation}"));
    let headers =
        [("authorization", signature.as_str()), ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)];
    send("POST", &format!("{base}/"), &headers, &input.to_string())
}
