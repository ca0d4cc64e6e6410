use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};

use super::otlp::grpc::Trailers;
use super::wire;

/// How much of a body that is too large is read and dropped, so that its sender gets to hear the answer.
const DRAINED: u64 = 128 << 20;

/// How much room is made for a body before any of it has come.
const AT_ONCE: usize = 1 << 20;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than its path allows.
    TooLarge,
    /// It took too long.
    TooSlow,
    /// The connection broke.
    Broken,
}

/// Reads a body of at most `limit` bytes within the given time.
pub async fn read(headers: &HeaderMap, mut body: Incoming, limit: usize, within: Duration) -> Result<Bytes, BodyError> {
    let too_large = body.size_hint().lower() > limit as u64;
    if too_large && headers.contains_key(header::EXPECT) {
        // The sender waits for leave to send; it gets the refusal instead.
        return Err(BodyError::TooLarge);
    }
    let reading = async {
        // As long as it says it is; a header alone buys no more than this.
        let said = usize::try_from(body.size_hint().lower()).unwrap_or(limit);
        let mut whole = BytesMut::with_capacity(if too_large { 0 } else { said.min(limit).min(AT_ONCE) });
        let mut dropped = if too_large { Some(0_u64) } else { None };
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            if let Some(count) = &mut dropped {
                *count += data.len() as u64;
                if *count > DRAINED {
                    break;
                }
            } else if whole.len() + data.len() > limit {
                dropped = Some((whole.len() + data.len()) as u64);
                whole = BytesMut::new();
            } else {
                whole.extend_from_slice(&data);
            }
        }
        if dropped.is_some() { Err(BodyError::TooLarge) } else { Ok(whole.freeze()) }
    };
    tokio::time::timeout(within, reading).await.unwrap_or(Err(if too_large { BodyError::TooLarge } else { BodyError::TooSlow }))
}

/// A body as the server sends it: bytes of a known length, or frames with trailers.
pub type Outgoing =
    Either<Full<Bytes>, StreamBody<futures_util::stream::Iter<std::array::IntoIter<Result<Frame<Bytes>, Infallible>, 2>>>>;

/// The answer for the wire.
pub fn outgoing(mut response: wire::Response) -> http::Response<Outgoing> {
    let trailers = response.extensions_mut().remove::<Trailers>();
    response.map(|body| match trailers {
        None => Either::Left(Full::new(body)),
        Some(Trailers(trailers)) => {
            let frames = [Ok(Frame::data(body)), Ok(Frame::trailers(trailers))];
            Either::Right(StreamBody::new(futures_util::stream::iter(frames)))
        }
    })
}
