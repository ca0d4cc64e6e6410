//@ file since honeycomb/a-span-for-every-request
//! One instrumentation, and as many vendors as you like. The code says what happens with `tracing`
//! spans and events; the layers and exporters put together here decide who hears of it.
//!
//! ```text
//! spans     ─► honeycomb, in batches
//!           ─► xray, in batches //@ since x-ray/a-segment-for-every-request
//!           ─► console, at once //@ since honeycomb/spans-on-the-console
//! events    ─► console
//!           ─► cloudwatch, in batches //@ since cloudwatch-logs/a-group-and-a-stream
//! messages  ─► rollbar, through a queue //@ since rollbar/a-message
//! panics    ─► rollbar, with their stacks //@ since rollbar/an-error
//! ```
//!
//! A vendor whose variables are missing is left out with a warning. A vendor that does not answer
//! costs a thread or a task of its own some time, and no request any.

pub mod client_span; //@ since honeycomb/requests-that-go-out
pub mod cloudwatch; //@ since cloudwatch-logs/a-group-and-a-stream
pub mod console; //@ since honeycomb/spans-on-the-console
pub mod honeycomb;
pub mod rollbar; //@ since rollbar/a-message
pub mod server_span;
pub mod xray; //@ since x-ray/a-segment-for-every-request

use std::{error::Error, iter, time::Duration};

//@ since x-ray/a-segment-for-every-request
//~ use opentelemetry::{global, trace::TracerProvider};
use opentelemetry::{global, propagation::TextMapCompositePropagator, trace::TracerProvider};
use opentelemetry_aws::trace::{MissingSampledBehavior, XrayIdGenerator, XrayPropagator};
//@ end
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tokio::time::timeout;
use tracing::{Metadata, warn};
use tracing_subscriber::{
    Layer, Registry, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt,
};

//@ since cloudwatch-logs/the-switch
//~ use crate::config::var;
use crate::config::{Config, var};
//@ end
use rollbar::Rollbar; //@ since rollbar/a-message

/// How long the end of the process may wait for vendors to take what is left.
pub const FLUSH_WITHIN: Duration = Duration::from_millis(1400);

/// A layer of the subscriber, of whatever type.
type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Keeps the exporters going. To be shut down, or the last spans and lines are lost.
pub struct Telemetry {
    provider: SdkTracerProvider,
    cloudwatch: Option<cloudwatch::Guard>, //@ since cloudwatch-logs/a-group-and-a-stream
    //@ since rollbar/a-message
    rollbar: Rollbar,
    rollbar_guard: Option<rollbar::Guard>,
    //@ end
}

impl Telemetry {
    /// Installs everything that the environment asks for.
    //@ since cloudwatch-logs/the-switch
    //~ //@ since cloudwatch-logs/a-group-and-a-stream
    //~ //~ pub fn start() -> Self {
    //~ pub async fn start() -> Self {
    //~ //@ end
    pub async fn start(config: &Config) -> Self {
        //@ end
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
        //@ since cloudwatch-logs/a-group-and-a-stream
        //~ let log = tracing_subscriber::fmt::layer()
        //~     .with_filter(tracing_subscriber::filter::LevelFilter::INFO);
        //~ let layers: Vec<BoxedLayer> = vec![traces.boxed(), log.boxed()];
        let mut layers: Vec<BoxedLayer> = vec![traces.boxed(), console::layer()];

        //@ since cloudwatch-logs/the-switch
        //~ let cloudwatch = cloudwatch::start(&mut warnings).await;
        let cloudwatch = cloudwatch::start(config.cloudwatch_logs, &mut warnings).await;
        //@ end
        let cloudwatch = cloudwatch.map(|(layer, guard)| {
            layers.push(layer);
            guard
        });
        //@ end
        let (rollbar, rollbar_guard) = rollbar::start(&mut warnings); //@ since rollbar/a-message

        // A second subscriber in one process is refused; then the first goes on as it was.
        let _ = tracing_subscriber::registry().with(layers).try_init();
        warnings.print();

        //@ since cloudwatch-logs/a-group-and-a-stream
        //~ Self { provider }
        Self {
            provider,
            cloudwatch,
            //@ since rollbar/a-message
            rollbar,
            rollbar_guard,
            //@ end
        }
        //@ end
    }
    //@ since rollbar/a-message

    /// The reporter that handlers and layers share.
    #[must_use]
    pub fn rollbar(&self) -> Rollbar {
        self.rollbar.clone()
    }
    //@ end

    /// Sends what is left, to all vendors at the same time, and gives up after [`FLUSH_WITHIN`].
    pub async fn shutdown(self) {
        // The provider shuts its exporters down one after the other, and blocks.
        let spans = tokio::task::spawn_blocking(move || {
            let _ = self.provider.shutdown_with_timeout(FLUSH_WITHIN / 2);
        });
        //@ since cloudwatch-logs/a-group-and-a-stream
        let lines = async {
            if let Some(guard) = self.cloudwatch {
                guard.shutdown().await;
            }
        };
        //@ end
        //@ since rollbar/a-message
        let items = async {
            if let Some(guard) = self.rollbar_guard {
                guard.shutdown().await;
            }
        };
        //@ end
        //@ since rollbar/a-message
        //~ //@ since cloudwatch-logs/a-group-and-a-stream
        //~ //~ let _ = timeout(FLUSH_WITHIN, spans).await;
        //~ let _ = timeout(FLUSH_WITHIN, async { tokio::join!(spans, lines) }).await;
        //~ //@ end
        let _ = timeout(FLUSH_WITHIN, async { tokio::join!(spans, lines, items) }).await;
        //@ end
    }
}

/// One provider for all traces, with an exporter for each vendor.
fn tracer_provider(warnings: &mut Warnings) -> SdkTracerProvider {
    let mut provider = SdkTracerProvider::builder();
    //@ since honeycomb/spans-on-the-console
    provider = provider.with_simple_exporter(console::SpanPrinter);
    //@ end
    if let Some(exporter) = honeycomb::exporter(warnings) {
        provider = provider.with_batch_exporter(exporter);
    }
    //@ since x-ray/a-segment-for-every-request
    // An X-Ray trace id is a valid W3C trace id, though not the other way round: this generator
    // serves everybody.
    provider = provider.with_id_generator(XrayIdGenerator::default());
    if let Some(exporter) = xray::exporter(warnings) {
        provider = provider.with_batch_exporter(exporter);
    }
    //@ end
    provider.build()
}

//@ since x-ray/a-segment-for-every-request
//~ /// Continues the trace of whoever asks.
//~ fn set_propagator() {
//~     global::set_text_map_propagator(TraceContextPropagator::new());
//~ }
/// Continues the trace of whoever asks: of AWS (`X-Amzn-Trace-Id`) or of anybody (`traceparent`).
/// With both present the later in the list wins.
fn set_propagator() {
    let xray = XrayPropagator::new().with_missing_sampled_behavior(MissingSampledBehavior::Sampled);
    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(xray),
        Box::new(TraceContextPropagator::new()),
    ]));
}
//@ end

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
