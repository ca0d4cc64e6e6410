//@ file since cloudwatch-logs/a-group-and-a-stream
//! CloudWatch Logs: the lines of this service, in batches.
//!
//! The group is `cruddur`; each start of the service writes to a stream of its own.
//@ since cloudwatch-logs/the-switch
//!
//! Lines cost money, so `CLOUDWATCH_LOGS` says how many go out: see [`CloudWatchLogs`].
//@ end

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_cloudwatchlogs::{
    Client, Error,
    config::{
        Builder,
        interceptors::InterceptorContext,
        retry::{ClassifyRetry, RetryAction},
    },
    operation::put_log_events::PutLogEventsError,
};
//@ since cloudwatch-logs/the-access-line
//@ since homework/only-what-went-wrong
//~ use axum::{extract::Request, http::uri::PathAndQuery, middleware::Next, response::Response};
use axum::{
    extract::Request,
    http::{StatusCode, uri::PathAndQuery},
    middleware::Next,
    response::Response,
};
//@ end
//@ end
use chrono::Utc;
//@ since cloudwatch-logs/the-access-line
//~ use tracing::{Level, warn};
use tracing::{Level, info, warn};
//@ end
use tracing_cloudwatch::{CloudWatchWorkerGuard, ExportConfig};
//@ since homework/only-what-went-wrong
//~ use tracing_subscriber::Layer;
use tracing_subscriber::{Layer, filter::Targets};
//@ end

//@ since cloudwatch-logs/the-switch
//~ use crate::config::var;
use crate::config::{CloudWatchLogs, var};
//@ end
//@ since homework/leave-the-health-checks-out
//~ use crate::telemetry::server_span::client_ip; //@ since cloudwatch-logs/the-access-line
use crate::telemetry::server_span::{client_ip, is_traced};
//@ end
use crate::telemetry::{
    BoxedLayer, Warnings, causes,
    console::{LineFormat, our_targets},
};
//@ since cloudwatch-logs/the-access-line

/// The target of access lines.
pub const ACCESS: &str = "access";
//@ end

const LOG_GROUP: &str = "cruddur";
const BATCH_INTERVAL: Duration = Duration::from_millis(400);
const BATCH_SIZE: usize = 500;

/// Sends the last lines when it is shut down.
pub type Guard = CloudWatchWorkerGuard;

//@ since cloudwatch-logs/the-switch
//~ /// The layer that sends lines, unless there is no region to send them to.
//~ pub async fn start(warnings: &mut Warnings) -> Option<(BoxedLayer, Guard)> {
//~     let lines = our_targets(Level::INFO);
/// The layer that sends lines, unless it is switched off or there is no region to send them to.
pub async fn start(switch: CloudWatchLogs, warnings: &mut Warnings) -> Option<(BoxedLayer, Guard)> {
    let lines = match switch {
        CloudWatchLogs::All => our_targets(Level::INFO),
        CloudWatchLogs::Errors => Targets::new().with_target(ACCESS, Level::WARN), //@ since homework/only-what-went-wrong
        CloudWatchLogs::Off => return None,
    };
    //@ end
    let Some(region) = var("AWS_REGION").or_else(|| var("AWS_DEFAULT_REGION")) else {
        warnings.add("AWS_DEFAULT_REGION", "no lines are sent to CloudWatch Logs");
        return None;
    };

    let client = client(region).await;
    let stream = stream_name();
    tokio::spawn(create_destination(client.clone(), stream.clone()));

    let export = ExportConfig::default()
        .with_log_group_name(LOG_GROUP)
        .with_log_stream_name(stream)
        .with_interval(BATCH_INTERVAL)
        .with_batch_size(BATCH_SIZE);
    let (layer, guard) = tracing_cloudwatch::layer()
        .with_fmt_layer(
            tracing_subscriber::fmt::layer()
                .event_format(LineFormat::LogEvent)
                .with_ansi(false),
        )
        .with_client(client, export);
    Some((layer.with_filter(lines).boxed(), guard))
}

/// A client set up by the standard AWS variables. It gives up after a while, so that lines for an
/// endpoint that never answers do not pile up.
async fn client(region: String) -> Client {
    let shared = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(1))
                .operation_attempt_timeout(Duration::from_secs(3))
                .operation_timeout(Duration::from_secs(10))
                .build(),
        )
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(15)
                .with_initial_backoff(Duration::from_millis(100))
                .with_max_backoff(BATCH_INTERVAL),
        )
        .load()
        .await;
    // The SDK would take an empty variable for an address.
    let endpoint = var("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS")
        .or_else(|| shared.endpoint_url().map(str::to_owned));
    let mut config = Builder::from(&shared).retry_classifier(DestinationIsComing);
    config.set_endpoint_url(endpoint);
    Client::from_conf(config.build())
}

/// Group and stream are created while the service already runs. Lines that are sent before that is
/// done come back with `ResourceNotFoundException`: this makes the client try again.
#[derive(Debug)]
struct DestinationIsComing;

impl ClassifyRetry for DestinationIsComing {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context
            .output_or_error()
            .and_then(Result::err)
            .and_then(|error| error.as_operation_error())
            .and_then(|error| error.downcast_ref::<PutLogEventsError>());
        match error {
            Some(PutLogEventsError::ResourceNotFoundException(_)) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "destination is coming"
    }
}

/// Creates the group, if it is missing, and the stream.
async fn create_destination(client: Client, stream: String) {
    if let Err(error) = try_create_destination(&client, stream).await {
        let error = causes(&error);
        warn!("CloudWatch Logs: there is no stream to write to: {error}");
    }
}

async fn try_create_destination(client: &Client, stream: String) -> Result<(), Error> {
    let group = client.create_log_group().log_group_name(LOG_GROUP);
    match group.send().await.map_err(Error::from) {
        Ok(_) | Err(Error::ResourceAlreadyExistsException(_)) => {}
        Err(error) => return Err(error),
    }
    let stream = client
        .create_log_stream()
        .log_group_name(LOG_GROUP)
        .log_stream_name(stream);
    stream.send().await?;
    Ok(())
}

/// Host and start time, as `3f2c9a/2026-11-20T12-13-14.151Z`: a colon is not allowed in a name.
fn stream_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "localhost",
        host => host,
    };
    format!("{host}/{}", Utc::now().format("%Y-%m-%dT%H-%M-%S%.3fZ"))
}
//@ since cloudwatch-logs/the-access-line

/// Writes a line for each response:
/// `[2026-Nov-20 12:13] 127.0.0.1 GET http /api/activities/home?x=1 200`.
pub async fn access_log(request: Request, next: Next) -> Response {
    //@ since homework/leave-the-health-checks-out
    if !is_traced(request.uri().path()) {
        return next.run(request).await;
    }
    //@ end
    let ip = client_ip(request.extensions()).unwrap_or_else(|| "-".to_owned());
    let method = request.method().clone();
    let uri = request.uri().clone();

    let response = next.run(request).await;

    let time = Utc::now().format("%Y-%b-%d %H:%M");
    let scheme = uri.scheme_str().unwrap_or("http");
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let status = response.status().as_u16();
    let line = format!("[{time}] {ip} {method} {scheme} {path} {status}");
    //@ since homework/only-what-went-wrong
    //~ info!(target: ACCESS, "{line}");
    // The level is what `CLOUDWATCH_LOGS=errors` goes by.
    if response.status() == StatusCode::OK {
        info!(target: ACCESS, "{line}");
    } else {
        warn!(target: ACCESS, "{line}");
    }
    //@ end
    response
}
//@ end

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_has_no_character_that_cloudwatch_refuses() {
        let name = stream_name();
        assert!(!name.contains([':', '*']), "{name}");
        assert!(name.contains('/'), "{name}");
    }
}
