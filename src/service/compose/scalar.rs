/// The author's words in `${NAME?words}` or `${NAME:?words}`.
pub(super) fn wish<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let rest = value.split_once(&format!("${{{name}"))?.1;
    let rest = rest.strip_prefix(":?").or_else(|| rest.strip_prefix('?'))?;
    Some(rest.split('}').next().unwrap_or(rest)).filter(|words| !words.is_empty())
}

/// A plain number as compose hands it on: read as a number, then written again (`1.10` becomes `1.1`).
pub(super) fn number(written: &str) -> String {
    let digits = written.replace('_', "");
    let (sign, magnitude) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0b", 2)] {
        if let Some(value) = magnitude.strip_prefix(prefix).and_then(|rest| u64::from_str_radix(rest, radix).ok()) {
            return format!("{sign}{value}");
        }
    }
    if let Ok(value) = digits.parse::<i64>() {
        let octal = magnitude.len() > 1 && magnitude.starts_with('0');
        let value = if octal { i64::from_str_radix(&digits, 8).unwrap_or(value) } else { value };
        return value.to_string();
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() && value.abs() < 1e15 => value.to_string(),
        _ => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_again() {
        for (written, read) in [
            ("4567", "4567"),
            ("1.10", "1.1"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("010", "8"),
            ("-3", "-3"),
            ("1e3", "1000"),
            (".inf", ".inf"),
        ] {
            assert_eq!(number(written), read);
        }
    }

    #[test]
    fn the_authors_words_are_found() {
        assert_eq!(wish("a${KEY:?set it}b", "KEY"), Some("set it"));
        assert_eq!(wish("${KEY?}", "KEY"), None);
        assert_eq!(wish("${KEY", "KEY"), None);
    }
}
