//! One instrumentation, four vendors. The code says what happens with `tracing` spans and events;
//! the layers and exporters put together here decide who hears of it.
//!
//! ```text
//! spans  ─► tracing-opentelemetry ─► SdkTracerProvider ─┬► console    at once
//!                                                       ├► honeycomb  in batches
//!                                                       └► xray       in batches
//! events ─► console
//!        └► cloudwatch, in batches
//! panics, messages ─► rollbar, through a queue
//! ```
//!
//! A vendor whose variables are missing is left out with a warning. A vendor that does not answer
//! costs a thread or a task of its own some time, and no request any.

pub mod client_span;
pub mod cloudwatch;
pub mod console;
pub mod honeycomb;
pub mod rollbar;
pub mod server_span;
pub mod xray;

use std::{error::Error, iter, time::Duration};

use opentelemetry::{global, propagation::TextMapCompositePropagator, trace::TracerProvider};
use opentelemetry_aws::trace::{MissingSampledBehavior, XrayIdGenerator, XrayPropagator};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tokio::time::timeout;
use tracing::{Metadata, warn};
use tracing_subscriber::{
    Layer, Registry, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::{Config, var};
use rollbar::Rollbar;

/// How long the end of the process may wait for vendors to take what is left.
pub const FLUSH_WITHIN: Duration = Duration::from_millis(1400);

/// A layer of the subscriber, of whatever type.
type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Keeps the exporters going. To be shut down, or the last spans and lines are lost.
pub struct Telemetry {
    provider: SdkTracerProvider,
    cloudwatch: Option<cloudwatch::Guard>,
    rollbar: Rollbar,
    rollbar_guard: Option<rollbar::Guard>,
}

impl Telemetry {
    /// Installs everything that the environment asks for.
    pub async fn start(config: &Config) -> Self {
        let mut warnings = Warnings::default();
        if var("OTEL_SERVICE_NAME").is_none() {
            warnings.add(
                "OTEL_SERVICE_NAME",
                "every vendor files us under `unknown_service`",
            );
        }

        set_propagator();
        let provider = tracer_provider(&mut warnings);
        let traces = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_target(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_our_span));
        let mut layers: Vec<BoxedLayer> = vec![traces.boxed(), console::layer()];

        let cloudwatch = cloudwatch::start(config.cloudwatch_logs, &mut warnings).await;
        let cloudwatch = cloudwatch.map(|(layer, guard)| {
            layers.push(layer);
            guard
        });
        let (rollbar, rollbar_guard) = rollbar::start(&mut warnings);

        // A second subscriber in one process is refused; then the first goes on as it was.
        let _ = tracing_subscriber::registry().with(layers).try_init();
        warnings.print();

        Self {
            provider,
            cloudwatch,
            rollbar,
            rollbar_guard,
        }
    }

    /// The reporter that handlers and layers share.
    #[must_use]
    pub fn rollbar(&self) -> Rollbar {
        self.rollbar.clone()
    }

    /// Sends what is left, to all vendors at the same time, and gives up after [`FLUSH_WITHIN`].
    pub async fn shutdown(self) {
        let Self {
            provider,
            cloudwatch,
            rollbar_guard,
            ..
        } = self;
        // The provider shuts its two batch processors down one after the other, and blocks.
        let spans = tokio::task::spawn_blocking(move || {
            let _ = provider.shutdown_with_timeout(FLUSH_WITHIN / 2);
        });
        let lines = async {
            if let Some(guard) = cloudwatch {
                guard.shutdown().await;
            }
        };
        let items = async {
            if let Some(guard) = rollbar_guard {
                guard.shutdown().await;
            }
        };
        let _ = timeout(FLUSH_WITHIN, async { tokio::join!(spans, lines, items) }).await;
    }
}

/// One provider for all traces: an X-Ray trace id is a valid W3C trace id, though not the other
/// way round, so X-Ray's generator serves everybody.
fn tracer_provider(warnings: &mut Warnings) -> SdkTracerProvider {
    let mut provider = SdkTracerProvider::builder()
        .with_id_generator(XrayIdGenerator::default())
        .with_simple_exporter(console::SpanPrinter);
    if let Some(exporter) = honeycomb::exporter(warnings) {
        provider = provider.with_batch_exporter(exporter);
    }
    if let Some(exporter) = xray::exporter(warnings) {
        provider = provider.with_batch_exporter(exporter);
    }
    provider.build()
}

/// Continues the trace of whoever asks: of AWS (`X-Amzn-Trace-Id`) or of anybody (`traceparent`).
/// With both present the later in the list wins.
fn set_propagator() {
    let xray = XrayPropagator::new().with_missing_sampled_behavior(MissingSampledBehavior::Sampled);
    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(xray),
        Box::new(TraceContextPropagator::new()),
    ]));
}

/// Which spans go to the vendors: ours and the server span, not those inside of libraries. Events
/// are the log's business.
fn is_our_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && (metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
            || metadata.target() == "otel::tracing")
}

/// What to tell the learner once there is a log to tell it in.
#[derive(Debug, Default)]
pub struct Warnings(Vec<String>);

impl Warnings {
    /// The variable is missing, and this is what that means.
    pub fn add(&mut self, variable: &str, meaning: &str) {
        self.0.push(format!("{variable} is not set: {meaning}"));
    }

    /// Anything else that leaves a vendor out.
    pub fn add_error(&mut self, vendor: &str, error: &dyn Error) {
        self.0
            .push(format!("{vendor} is left out: {}", causes(error)));
    }

    fn print(self) {
        for warning in self.0 {
            warn!("{warning}");
        }
    }
}

/// An error and what caused it, in one line. Most HTTP errors say little without their causes.
fn causes(error: &dyn Error) -> String {
    iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
