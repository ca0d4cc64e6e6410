use super::PATH;
use crate::facts::TraceId;
use crate::sandbox::wire;

/// Which page is asked for, and how.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The segments of the path beneath the console's own, decoded; empty ones are left out.
    pub parts: Vec<String>,
    /// The parameters, decoded, without `live`.
    parameters: Vec<(String, String)>,
    /// Whether pages that list may ask for themselves again and again.
    pub live: bool,
}

/// More parameters than any page has are not looked at.
const PARAMETERS: usize = 16;

impl Asked {
    pub fn of(request: &wire::Request) -> Self {
        let path = request.path.strip_prefix(PATH).unwrap_or_default();
        let parts = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let all = url::form_urlencoded::parse(request.query.as_bytes()).into_owned().take(PARAMETERS);
        let (switches, parameters): (Vec<_>, Vec<_>) = all.partition(|(name, _)| name == "live");
        let live = !switches.iter().any(|(_, value)| value == "off");
        Self { parts, parameters, live }
    }

    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The address of this very page, live or not.
    pub fn again(&self, live: bool) -> String {
        let mut path = String::from(PATH);
        for part in &self.parts {
            path.push('/');
            path.push_str(&encode(part));
        }
        let parameters = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let switch = (!live).then_some(("live", "off"));
        link(&path, &parameters.chain(switch).collect::<Vec<_>>())
    }
}

/// A path with parameters.
pub(super) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    if parameters.is_empty() {
        return path.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{path}?{query}")
}

/// The address of a trace's page. An id that is none of W3C's goes into the query, where no browser takes `..` for a way up.
pub(super) fn trace_link(id: &str) -> String {
    match id.parse::<TraceId>() {
        Ok(parsed) if parsed.w3c() == id || parsed.xray() == id => super::trace_path(&parsed),
        _ => link(&format!("{PATH}/trace"), &[("id", id)]),
    }
}

fn decode(segment: &str) -> String {
    // What has a meaning in a form has none in a path.
    let kept = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(kept.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn encode(segment: &str) -> String {
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(path: &str, query: &str) -> Asked {
        let peer = "127.0.0.1:9".parse().unwrap();
        Asked::of(&wire::Request {
            method: http::Method::GET,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            peer,
        })
    }

    #[test]
    fn a_trace_has_one_address_whatever_its_id_looks_like() {
        let w3c = "4efaaf4d1e8720b39541901950019ee5";
        let path = format!("{PATH}/trace/{w3c}");
        assert_eq!(trace_link(w3c), path);
        assert_eq!(trace_link("1-4efaaf4d-1e8720b39541901950019ee5"), path);
        assert_eq!(trace_link(".."), format!("{PATH}/trace?id=.."));
        assert_eq!(trace_link("a&b=\"<"), format!("{PATH}/trace?id=a%26b%3D%22%3C"));
        // Another id than its lower-case form, to a vendor that goes by text.
        assert!(trace_link(&w3c.to_uppercase()).contains("?id="));
    }

    #[test]
    fn the_switch_is_carried_and_taken_back() {
        let off = asked(&format!("{PATH}/logs/events"), "group=%2Fa+b&live=off");
        assert!(!off.live && off.parameter("group") == Some("/a b"));
        assert_eq!(off.again(true), format!("{PATH}/logs/events?group=%2Fa+b"));
        assert_eq!(off.again(false), format!("{PATH}/logs/events?group=%2Fa+b&live=off"));
    }

    proptest! {
        #[test]
        fn any_path_leads_back_to_itself(parts in prop::collection::vec("\\PC{1,12}", 0..4), value in "\\PC{0,12}") {
            let path: String = parts.iter().map(|part| format!("/{}", encode(part))).collect();
            let first = asked(&format!("{PATH}{path}"), &link("", &[("q", &value)])[1..]);
            prop_assert_eq!(&first.parts, &parts);
            prop_assert_eq!(first.parameter("q"), Some(value.as_str()));
            let again = first.again(true);
            let (path, query) = again.split_once('?').unwrap();
            prop_assert_eq!(&asked(path, query).parts, &parts);
        }

        #[test]
        fn any_request_is_read(path in "\\PC{0,40}", query in "\\PC{0,40}") {
            let _ = asked(&format!("{PATH}/{path}"), &query).again(false);
        }
    }
}
