//@ file since honeycomb/spans-on-the-console
//! The console: what happens, on stdout, so that there is something to see before any vendor is set
//! up.

use std::{
    fmt,
    io::{self, Write},
    time::Duration,
};

use opentelemetry::{SpanId, trace::Status};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
//@ since cloudwatch-logs/a-group-and-a-stream
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

//@ since cloudwatch-logs/the-access-line
//~ use crate::telemetry::BoxedLayer;
use crate::telemetry::{BoxedLayer, cloudwatch::ACCESS};
//@ end
//@ end

/// Prints each span when it ends:
///
/// ```text
/// span internal home-activities-mock-data 0.08 ms trace=6a5f… id=07e0… parent=93b1… app.now=…
/// ```
#[derive(Debug)]
pub struct SpanPrinter;

impl SpanExporter for SpanPrinter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut stdout = io::stdout().lock();
        for span in batch {
            // Whoever read our output may be gone, which is no reason to stop serving.
            let _ = writeln!(stdout, "{}", Line(&span));
        }
        Ok(())
    }
}

struct Line<'a>(&'a SpanData);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.0;
        let took = span
            .end_time
            .duration_since(span.start_time)
            .unwrap_or(Duration::ZERO);
        write!(
            f,
            "span {} {} {:.2} ms trace={} id={}",
            format!("{:?}", span.span_kind).to_lowercase(),
            span.name,
            took.as_secs_f64() * 1000.0,
            span.span_context.trace_id(),
            span.span_context.span_id(),
        )?;
        if span.parent_span_id != SpanId::INVALID {
            write!(f, " parent={}", span.parent_span_id)?;
        }
        if let Status::Error { .. } = span.status {
            f.write_str(" error")?;
        }
        for attribute in &span.attributes {
            write!(f, " {}={}", attribute.key, attribute.value)?;
        }
        Ok(())
    }
}
//@ since cloudwatch-logs/a-group-and-a-stream

/// The layer that prints log lines: ours, and what libraries warn of. An exporter that is refused
/// by its vendor says so here.
pub fn layer() -> BoxedLayer {
    tracing_subscriber::fmt::layer()
        .event_format(LineFormat::Console)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_filter(our_targets(Level::INFO).with_default(Level::WARN))
        .boxed()
}

/// The targets, or logger names, of this service.
pub fn our_targets(level: Level) -> Targets {
    //@ since cloudwatch-logs/the-access-line
    //~ Targets::new().with_target(env!("CARGO_CRATE_NAME"), level)
    Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_target("HomeActivities", level) //@ since cloudwatch-logs/a-line-from-home
        .with_target(ACCESS, level)
    //@ end
}

/// `LEVEL target: message`. The spans around an event are left out: they have their own way to the
/// vendors.
/// An access line stands alone. //@ since cloudwatch-logs/the-access-line
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFormat {
    /// A line of a stream.
    Console,
    /// An event of a log, which needs no line break.
    LogEvent,
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        //@ since cloudwatch-logs/the-access-line
        //~ write!(writer, "{} {}: ", metadata.level(), metadata.target())?;
        if metadata.target() != ACCESS {
            write!(writer, "{} {}: ", metadata.level(), metadata.target())?;
        }
        //@ end
        context
            .field_format()
            .format_fields(writer.by_ref(), event)?;
        match self {
            Self::Console => writeln!(writer),
            Self::LogEvent => Ok(()),
        }
    }
}
//@ end
