use std::fmt;

/// A key or token: usable, never printable.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value as it is, stray whitespace included: that it is there may be the finding.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the wire alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it but whitespace.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// What may be said of it: its length, never a character of it.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.0.chars().count() {
            0 => String::from("empty"),
            count if self.is_blank() => format!("{count} characters, all of them blank"),
            count if self.0.trim() != self.0 => format!("{count} characters, with whitespace around them"),
            count => format!("{count} characters"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({})", self.describe())
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn it_never_prints_itself() {
        let secret = Secret::new("abc123\n");
        assert_eq!(format!("{secret:?}"), "Secret(7 characters, with whitespace around them)");
        assert!(Secret::new(" \n").is_blank());
    }
}
