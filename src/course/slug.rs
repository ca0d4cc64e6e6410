/// A heading's anchor, by the rule of code hosts: lower case, spaces become `-`, and other punctuation goes.
///
/// So the id of a step is also the fragment that leads to it on the page.
pub(crate) fn slug(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ if character.is_alphanumeric() => Some(character),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn as_code_hosts_make_it() {
        assert_eq!(slug("Captures for three routes"), "captures-for-three-routes");
        assert_eq!(slug("The daemon, in a container"), "the-daemon-in-a-container");
        assert_eq!(slug("aws/json/xray.json"), "awsjsonxrayjson");
        assert_eq!(slug("!?"), "");
    }
}
