//! Which occurrences are one item.

use std::fmt::Write as _;

use serde_json::Value;

/// The longest fingerprint that is taken as it is; longer ones are hashed.
const LONGEST: usize = 40;

/// The fingerprint of a payload's `data`: its own, else made of what does not change between occurrences.
pub(super) fn of(data: &Value) -> String {
    if let Some(own) = data["fingerprint"].as_str().filter(|own| !own.is_empty()) {
        return if own.chars().count() <= LONGEST { own.to_owned() } else { hash(own) };
    }
    let body = &data["body"];
    let mut text = String::new();
    if let Some(message) = body["message"]["body"].as_str() {
        text.push_str("message\n");
        text.push_str(&without_numbers(message));
    } else if let Some(raw) = body["crash_report"]["raw"].as_str() {
        text.push_str("crash\n");
        text.push_str(&without_numbers(raw));
    } else {
        let chain = body["trace_chain"].as_array();
        for trace in chain.into_iter().flatten().chain(body.get("trace")) {
            let _ = writeln!(text, "trace {}", trace["exception"]["class"].as_str().unwrap_or_default());
            for frame in trace["frames"].as_array().into_iter().flatten() {
                let (file, method) =
                    (frame["filename"].as_str().unwrap_or_default(), frame["method"].as_str().unwrap_or_default());
                let _ = writeln!(text, "{file} {method}");
            }
        }
    }
    hash(&text)
}

/// Numbers of two digits and more are left out: ids, times and addresses differ between occurrences of one message.
fn without_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - start);
        kept.push_str(&rest[..start + usize::from(digits == 1)]);
        rest = &rest[start + digits..];
    }
    kept.push_str(rest);
    kept
}

/// FNV-1a over 128 bits: stable between versions, which the standard library's hasher is not.
fn hash(text: &str) -> String {
    let mut state: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in text.bytes() {
        state = (state ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    format!("{state:032x}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_one_item_whatever_its_numbers() {
        let of = |text: &str| of(&json!({"body": {"message": {"body": text}}}));
        assert_eq!(of("user 4711 at 10.0.0.1 failed"), of("user 23 at 255.0.0.1 failed"));
        assert_ne!(of("try 1"), of("try 2"));
        assert_ne!(of("one"), of("two"));
    }

    #[test]
    fn a_trace_is_one_item_by_class_and_frames_but_not_by_message_or_line() {
        let of = |class: &str, message: &str, method: &str, line: i64| {
            of(&json!({"body": {"trace": {"exception": {"class": class, "message": message},
                "frames": [{"filename": "a.rs", "method": method, "lineno": line}]}}}))
        };
        assert_eq!(of("E", "one", "f", 1), of("E", "two", "f", 2));
        assert_ne!(of("E", "one", "f", 1), of("F", "one", "f", 1));
        assert_ne!(of("E", "one", "f", 1), of("E", "one", "g", 1));
    }

    #[test]
    fn its_own_fingerprint_goes_first() {
        assert_eq!(of(&json!({"fingerprint": "mine", "body": {}})), "mine");
        assert_eq!(of(&json!({"fingerprint": "x".repeat(41), "body": {}})).len(), 32);
    }
}
