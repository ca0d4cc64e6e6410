use std::io::{self, Read};

use bytes::Bytes;

/// How large a body may become when it is decompressed: 64 MiB.
pub const MAX_DECODED: usize = 64 << 20;

/// A body that cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum EncodingError {
    /// The `Content-Encoding` is none of ours.
    #[error("the content encoding is not supported; send none, `gzip` or `zstd`")]
    Unsupported,
    /// It grows past [`MAX_DECODED`].
    #[error("the body is larger than {} MiB when decompressed", MAX_DECODED >> 20)]
    TooLarge,
    /// The compressed bytes are broken.
    #[error("the body cannot be decompressed: {0}")]
    Broken(#[from] io::Error),
}

/// Undoes a `Content-Encoding` (or `grpc-encoding`): none, `identity`, `gzip`, `zstd`.
///
/// # Errors
/// When the encoding is another, the bytes are broken, or too many come out.
pub fn decode(encoding: Option<&str>, body: &Bytes) -> Result<Bytes, EncodingError> {
    match encoding.map(|name| name.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => Ok(body.clone()),
        Some("gzip" | "x-gzip") => bounded(flate2::bufread::MultiGzDecoder::new(&body[..]), body.len()),
        Some("zstd") => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(&body[..])?;
            // A window of 8 MiB is what a decoder must support; a hostile frame may ask for gigabytes.
            decoder.window_log_max(23)?;
            bounded(decoder, body.len())
        }
        Some(_) => Err(EncodingError::Unsupported),
    }
}

fn bounded(decoder: impl Read, compressed: usize) -> Result<Bytes, EncodingError> {
    let mut out = Vec::with_capacity((compressed * 4).min(1 << 20));
    let limit = u64::try_from(MAX_DECODED).unwrap_or(u64::MAX) + 1;
    decoder.take(limit).read_to_end(&mut out)?;
    if out.len() > MAX_DECODED { Err(EncodingError::TooLarge) } else { Ok(Bytes::from(out)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        Bytes::from(encoder.finish().unwrap())
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let text = b"a span, a span, a span".repeat(100);
        assert_eq!(decode(Some("gzip"), &gzip(&text)).unwrap(), text);
        let zstd = Bytes::from(zstd::encode_all(&text[..], 1).unwrap());
        assert_eq!(decode(Some("ZSTD"), &zstd).unwrap(), text);
        assert_eq!(decode(None, &zstd).unwrap(), zstd);
        assert!(matches!(decode(Some("br"), &zstd), Err(EncodingError::Unsupported)));
        assert!(matches!(decode(Some("gzip"), &zstd), Err(EncodingError::Broken(_))));
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = vec![0; MAX_DECODED + 1];
        assert!(matches!(decode(Some("gzip"), &gzip(&zeros)), Err(EncodingError::TooLarge)));
        let zstd = Bytes::from(zstd::encode_all(&zeros[..], 1).unwrap());
        assert!(zstd.len() < 100_000);
        assert!(matches!(decode(Some("zstd"), &zstd), Err(EncodingError::TooLarge)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let body = Bytes::from(bytes);
            for encoding in [None, Some("gzip"), Some("zstd"), Some("snappy")] {
                let _ = decode(encoding, &body);
            }
        }
    }
}
