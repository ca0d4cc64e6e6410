//! A vendor for tests: answers canned bodies on loopback, and can break off or never answer.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    /// The path with its query.
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// `GET /1/auth`, without the query.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// A whole answer.
    Whole { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// An answer whose body ends before its announced length.
    Truncated,
    /// No answer, while the connection stays open.
    Hang,
}

impl Answer {
    pub(super) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole { status, headers: vec![(String::from("content-type"), String::from("application/json"))], body: body.into() }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Whole { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

type Handler = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;
type Log = Arc<Mutex<Vec<Asked>>>;

/// The server; it stops when it is dropped.
pub(super) struct Fake {
    url: String,
    log: Log,
    task: AbortHandle,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    /// Serves on a free loopback port.
    pub(super) async fn serve(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (handler, log): (Handler, Log) = (Arc::new(handler), Log::default());
        let kept = Arc::clone(&log);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&handler), Arc::clone(&kept)));
            }
        });
        Self { url, log, task: task.abort_handle() }
    }

    /// Serves on a Unix socket.
    #[cfg(unix)]
    pub(super) fn serve_unix(path: &std::path::Path, handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = tokio::net::UnixListener::bind(path).unwrap();
        let (handler, log): (Handler, Log) = (Arc::new(handler), Log::default());
        let kept = Arc::clone(&log);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&handler), Arc::clone(&kept)));
            }
        });
        Self { url: format!("unix://{}", path.display()), log, task: task.abort_handle() }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn requests(&self) -> Vec<Asked> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests as `GET /path`, in order.
    pub(super) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Asked::line).collect()
    }
}

/// An address where nothing listens.
pub(super) fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, handler: Handler, log: Log) {
    let Some(asked) = receive(&mut stream).await else { return };
    let answer = handler(&asked);
    log.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    let bytes = match answer {
        Answer::Hang => return std::future::pending().await,
        Answer::Truncated => b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"half".to_vec(),
        Answer::Whole { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Canned\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
            for (name, value) in headers {
                head.extend([&name, ": ", &value, "\r\n"]);
            }
            [head.as_bytes(), b"\r\n", &body].concat()
        }
    };
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

async fn receive(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        // A TLS handshake: a plain server does not understand it and says so plainly.
        if bytes.first() == Some(&0x16) {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok()?;
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(':')).map(|(key, value)| (key.to_lowercase(), value.trim().to_owned())).collect();
    let length = headers.iter().find(|(key, _)| key == "content-length").and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Asked { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
