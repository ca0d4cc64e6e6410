//! A datagram: a header line, a newline, a document.

use serde::Deserialize;

/// The longest datagram that IP can carry.
pub(super) const LONGEST: usize = 65_535;

/// A datagram that the daemon drops.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadDatagram {
    /// There is no header line.
    #[error("the datagram has no header line; it must begin with `{{\"format\": \"json\", \"version\": 1}}` and a newline")]
    NoHeader,
    /// The first line is not the header.
    #[error("the datagram's first line is not `{{\"format\": \"json\", \"version\": 1}}`")]
    BadHeader,
    /// Nothing follows the header.
    #[error("the datagram has a header, but no segment document after it")]
    NoDocument,
    /// The document is not text.
    #[error("the datagram's segment document is not UTF-8")]
    NotText,
}

#[derive(Deserialize)]
struct Header {
    format: String,
    version: f64,
}

/// Takes a datagram apart. The document itself is not looked at.
pub(super) fn parse(datagram: &[u8]) -> Result<String, BadDatagram> {
    let newline = memchr::memchr(b'\n', datagram).ok_or(BadDatagram::NoHeader)?;
    let (line, document) = datagram.split_at(newline);
    let header: Header = serde_json::from_slice(line).map_err(|_| BadDatagram::BadHeader)?;
    if !line.trim_ascii_start().starts_with(b"{") || header.format != "json" || header.version.total_cmp(&1.0).is_ne() {
        return Err(BadDatagram::BadHeader);
    }
    let document = document[1..].trim_ascii();
    if document.is_empty() {
        return Err(BadDatagram::NoDocument);
    }
    String::from_utf8(document.to_vec()).map_err(|_| BadDatagram::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_sdks_send_is_taken() {
        // Python's SDK, and the Rust exporter.
        for header in [
            r#"{"format":"json","version":1}"#,
            r#"{"format": "json", "version": 1}"#,
            " { \"version\" : 1, \"format\":\"json\" }\r",
        ] {
            assert_eq!(parse(format!("{header}\n{{\"a\":1}}").as_bytes()).as_deref(), Ok("{\"a\":1}"), "{header}");
        }
        assert_eq!(parse(b"{\"format\":\"json\",\"version\":1}\n{\n}\n").as_deref(), Ok("{\n}"));
    }

    #[test]
    fn anything_else_is_dropped() {
        for (datagram, error) in [
            (&b""[..], BadDatagram::NoHeader),
            (b"{\"format\":\"json\",\"version\":1}", BadDatagram::NoHeader),
            (b"\n{}", BadDatagram::BadHeader),
            (b"[\"json\",1]\n{}", BadDatagram::BadHeader),
            (b"{\"format\":\"xml\",\"version\":1}\n{}", BadDatagram::BadHeader),
            (b"{\"format\":\"json\",\"version\":2}\n{}", BadDatagram::BadHeader),
            (b"{\"format\":\"json\",\"version\":1}\n \n", BadDatagram::NoDocument),
            (b"{\"format\":\"json\",\"version\":1}\n\xff", BadDatagram::NotText),
        ] {
            assert_eq!(parse(datagram), Err(error), "{}", String::from_utf8_lossy(datagram));
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(datagram in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&datagram);
        }

        #[test]
        fn a_document_comes_out_as_it_went_in(document in "[^\\s]\\PC{0,100}[^\\s]") {
            let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{document}");
            prop_assert_eq!(parse(datagram.as_bytes()), Ok(document.trim_matches(|c: char| c.is_ascii_whitespace()).to_owned()));
        }
    }
}
