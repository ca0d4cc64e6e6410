use http::{Method, StatusCode};
use serde_json::json;

use super::{Addresses, Shared, console, honeycomb, now_ms, rejection, wire};

/// The path of the status in JSON.
pub const PATH: &str = "/_bootcamp/status";
/// The path of the refused traffic in JSON.
pub const REJECTIONS: &str = "/_bootcamp/rejections";

/// What the sandbox tells of itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Where it listens.
    pub addresses: Addresses,
    /// Since when, in Unix milliseconds.
    pub started_ms: i64,
}

/// Answers the sandbox's own paths, which no vendor has.
pub async fn handle(shared: &Shared, identity: &Identity, request: &wire::Request) -> wire::Response {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return wire::answer(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "this page is for reading\n");
    }
    match request.path.as_str() {
        PATH => status(shared, identity).await,
        REJECTIONS => {
            let since = request.parameter("since").and_then(|since| since.parse().ok()).unwrap_or(0);
            match rejection::since(shared, since).await {
                Ok(rejections) => wire::json(StatusCode::OK, &rejections),
                Err(error) => wire::answer(StatusCode::SERVICE_UNAVAILABLE, "text/plain", error.to_string()),
            }
        }
        "/" => page(shared, identity).await,
        path if console::is_own(path) => console::handle(shared, identity, request).await,
        _ => wire::answer(StatusCode::NOT_FOUND, "text/plain", "there is no such page\n"),
    }
}

async fn status(shared: &Shared, identity: &Identity) -> wire::Response {
    let (events, bytes, refused) = counts(shared).await;
    let body = json!({
        "name": "bootcamp sandbox",
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "started_ms": identity.started_ms,
        "uptime_ms": now_ms() - identity.started_ms,
        "addresses": identity.addresses,
        "counts": { "honeycomb_events": events, "rejections": refused, "store_bytes": bytes },
    });
    wire::json(StatusCode::OK, &body)
}

async fn counts(shared: &Shared) -> (i64, u64, i64) {
    let refused = shared.store.read(|connection| connection.query_row("SELECT count(*) FROM rejection", [], |row| row.get(0)));
    let (events, bytes, refused) = tokio::join!(honeycomb::count(shared), shared.store.bytes(), refused);
    (events.unwrap_or(0), bytes.unwrap_or(0), refused.unwrap_or(0))
}

async fn page(shared: &Shared, identity: &Identity) -> wire::Response {
    let (events, bytes, refused) = counts(shared).await;
    let addresses = &identity.addresses;
    let page = format!(
        "bootcamp sandbox {version}\n\n\
         It stands in for Honeycomb, AWS X-Ray, CloudWatch Logs and Rollbar.\n\n\
         {http:<28} all of them over HTTP\n\
         {grpc:<28} OTLP over gRPC\n\
         {daemon:<28} the X-Ray daemon, UDP and TCP\n\n\
         {events} Honeycomb events, {refused} refused requests, {bytes} bytes kept\n\n\
         {console}  to look at what came in\n\n\
         {PATH}\n{REJECTIONS}?since=<Unix milliseconds>\n",
        version = env!("CARGO_PKG_VERSION"),
        console = console::PATH,
        http = addresses.http_url(),
        grpc = addresses.grpc_url(),
        daemon = addresses.daemon_address().to_string(),
    );
    wire::answer(StatusCode::OK, "text/plain; charset=utf-8", page)
}
