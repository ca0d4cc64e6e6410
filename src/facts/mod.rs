//! What was observed: plain, serialisable, vendor-neutral. Facts know nobody; everybody knows facts.

mod container;
mod error_item;
mod evidence;
mod exchange;
mod log_event;
mod rejection;
mod resource;
mod secret;
mod segment;
mod span;
mod trace_id;
mod variable;

pub use container::{Container, PublishedPort};
pub use error_item::{ErrorItem, Frame};
pub use evidence::{Evidence, FoundLine, Level, ProbeRecord, Sighting, Source, SourceRecord, Trouble};
pub use exchange::{Exchange, ExchangeError};
pub use log_event::LogEvent;
pub use rejection::Rejection;
pub use resource::{Dataset, LogGroup, SamplingRule, ServiceNode, TraceGroup};
pub use secret::Secret;
pub use segment::{Segment, SegmentError};
pub use span::Span;
pub use trace_id::{TraceId, TraceIdError};
pub use variable::Variable;

use std::collections::BTreeMap;

/// Attributes, annotations, fields: names with JSON values, in order.
pub type Attributes = BTreeMap<String, serde_json::Value>;
