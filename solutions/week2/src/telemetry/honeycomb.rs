//@ file since honeycomb/a-span-for-every-request
//! Honeycomb: spans over OTLP, HTTP with protobuf.
//!
//! Nothing here is Honeycomb's own. Where the spans go is in the standard variables:
//! `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` (the key) and `OTEL_SERVICE_NAME`
//! (the dataset). How soon they go is in `OTEL_BSP_SCHEDULE_DELAY`, in milliseconds.

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};

use crate::{config::var, telemetry::Warnings};

/// The exporter. It runs on the batch processor's thread, which is why it needs the *blocking* HTTP
/// client: an async one finds no runtime there, panics, and nothing is exported ever after.
pub fn exporter(warnings: &mut Warnings) -> Option<SpanExporter> {
    if var("OTEL_EXPORTER_OTLP_ENDPOINT").is_none()
        && var("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").is_none()
    {
        warnings.add(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "no spans are sent to Honeycomb",
        );
        return None;
    }
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .build()
        .inspect_err(|error| warnings.add_error("Honeycomb", error))
        .ok()
}
