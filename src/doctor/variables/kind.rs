use crate::sandbox::Keys;
use crate::vendor::aws;

/// What a variable of the course is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    HoneycombSend,
    HoneycombRead,
    AwsKeyId,
    AwsSecret,
    AwsSession,
    Region,
    RollbarSend,
    RollbarRead,
    /// An address other than the vendor's own.
    Endpoint,
    /// Anything else.
    Plain,
}

/// The variables that the service of the course and live checks read, in the order in which they are told.
pub(super) const KNOWN: [(&str, Kind); 13] = [
    ("HONEYCOMB_API_KEY", Kind::HoneycombSend),
    ("HONEYCOMB_CONFIGURATION_KEY", Kind::HoneycombRead),
    ("HONEYCOMB_API_ENDPOINT", Kind::Endpoint),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", Kind::Endpoint),
    ("AWS_ACCESS_KEY_ID", Kind::AwsKeyId),
    ("AWS_SECRET_ACCESS_KEY", Kind::AwsSecret),
    ("AWS_SESSION_TOKEN", Kind::AwsSession),
    ("AWS_DEFAULT_REGION", Kind::Region),
    ("AWS_REGION", Kind::Region),
    ("AWS_ENDPOINT_URL", Kind::Endpoint),
    ("ROLLBAR_ACCESS_TOKEN", Kind::RollbarSend),
    ("ROLLBAR_READ_TOKEN", Kind::RollbarRead),
    ("ROLLBAR_ENDPOINT", Kind::Endpoint),
];

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        KNOWN.iter().find(|(known, _)| *known == name).map_or(Self::Plain, |(_, kind)| *kind)
    }

    /// What it should hold: `an ingest key of Honeycomb's`.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::HoneycombSend => "an ingest key of Honeycomb's",
            Self::HoneycombRead => "a configuration key of Honeycomb's",
            Self::AwsKeyId => "the id of an AWS access key",
            Self::AwsSecret => "the secret of an AWS access key",
            Self::AwsSession => "the session token of a temporary AWS key",
            Self::Region => "the code of an AWS region",
            Self::RollbarSend => "a Rollbar token with the scope `post_server_item`",
            Self::RollbarRead => "a Rollbar token with the scope `read`",
            Self::Endpoint => "an address",
            Self::Plain => "a value",
        }
    }

    /// Where one gets it.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::HoneycombSend => "in Honeycomb under Environment settings, API Keys, Ingest",
            Self::HoneycombRead => "in Honeycomb under Environment settings, API Keys, Configuration",
            Self::AwsKeyId | Self::AwsSecret => "in AWS under IAM, Users, Security credentials",
            Self::AwsSession => "where the temporary key came from",
            Self::Region => "`ca-central-1`, say; the AWS console shows it at the top right",
            Self::RollbarSend | Self::RollbarRead => "in Rollbar under the project's Settings, Project Access Tokens",
            Self::Endpoint | Self::Plain => "the lesson says what it is for",
        }
    }

    /// Whose it is, for values that two variables share.
    pub(super) const fn vendor(self) -> Option<&'static str> {
        match self {
            Self::HoneycombSend | Self::HoneycombRead => Some("Honeycomb"),
            Self::AwsKeyId | Self::AwsSecret | Self::AwsSession => Some("AWS"),
            Self::RollbarSend | Self::RollbarRead => Some("Rollbar"),
            Self::Region | Self::Endpoint | Self::Plain => None,
        }
    }
}

/// What a value is by its form alone: only forms that belong to one kind and to no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `hc?ik_…`, and `hc?ic_…` of Classic teams.
    HoneycombIngest,
    /// `hc?lk_…`: how Honeycomb names a configuration key.
    HoneycombConfigurationId,
    /// `hc?mk_…`: for Honeycomb's management alone.
    HoneycombManagement,
    /// `AKIA…` or, of a temporary key, `ASIA…`.
    AwsKeyId { temporary: bool },
    /// One of the sandbox's published keys.
    Sandbox(Kind),
}

impl Form {
    /// The form of a value without whitespace around it, as far as it has one.
    pub(super) fn of(value: &str) -> Option<Self> {
        let keys = Keys::default();
        let published = [
            (&keys.honeycomb_ingest, Kind::HoneycombSend),
            (&keys.honeycomb_configuration, Kind::HoneycombRead),
            (&keys.rollbar_post, Kind::RollbarSend),
            (&keys.rollbar_read, Kind::RollbarRead),
        ];
        if let Some((_, kind)) = published.into_iter().find(|(key, _)| *key == value) {
            return Some(Self::Sandbox(kind));
        }
        match value.as_bytes() {
            [b'h', b'c', region, kind, form, b'_', ..] if region.is_ascii_lowercase() => match (kind, form) {
                (b'i', b'k' | b'c') => Some(Self::HoneycombIngest),
                (b'l', b'k') => Some(Self::HoneycombConfigurationId),
                (b'm', b'k') => Some(Self::HoneycombManagement),
                _ => None,
            },
            [b'A', kind @ (b'K' | b'S'), b'I', b'A', rest @ ..]
                if rest.len() == 16 && rest.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) =>
            {
                Some(Self::AwsKeyId { temporary: *kind == b'S' })
            }
            _ => None,
        }
    }

    /// The kind that such a value is, where it is one of ours.
    pub(super) const fn kind(self) -> Option<Kind> {
        match self {
            Self::HoneycombIngest => Some(Kind::HoneycombSend),
            Self::HoneycombConfigurationId => Some(Kind::HoneycombRead),
            Self::HoneycombManagement => None,
            Self::AwsKeyId { .. } => Some(Kind::AwsKeyId),
            Self::Sandbox(kind) => Some(kind),
        }
    }

    /// `an ingest key of Honeycomb's`.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::HoneycombManagement => "a management key of Honeycomb's, which neither sends nor reads spans",
            Self::HoneycombConfigurationId => "the id of a configuration key of Honeycomb's",
            Self::HoneycombIngest => Kind::HoneycombSend.noun(),
            Self::AwsKeyId { .. } => Kind::AwsKeyId.noun(),
            Self::Sandbox(kind) => kind.noun(),
        }
    }
}

/// Whether a value is one that AWS's documentation, and not AWS, gave, or the sandbox's own.
pub(super) fn is_public(value: &str) -> bool {
    matches!(Form::of(value), Some(Form::Sandbox(_))) || value == "AKIASANDBOX000000001" || value == "sandbox-secret-access-key"
}

/// Whether a text could name a region.
pub(super) fn is_region(value: &str) -> bool {
    aws::looks_like_region(value)
}

/// Whether a value is one that somebody meant to replace.
pub(super) fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 17] = [
        "your-",
        "your_",
        "yourkey",
        "yourtoken",
        "changeme",
        "change-me",
        "change_me",
        "replace-me",
        "replace_me",
        "replaceme",
        "placeholder",
        "example",
        "key-here",
        "key_here",
        "token-here",
        "token_here",
        "...",
    ];
    let lower = value.to_lowercase();
    let bracketed = (value.starts_with('<') && value.ends_with('>')) || (value.starts_with('[') && value.ends_with(']'));
    let crossed = value.len() >= 3 && lower.bytes().all(|byte| matches!(byte, b'x' | b'*' | b'-' | b'_' | b'.'));
    bracketed
        || crossed
        || lower == "todo"
        || value.contains('…')
        || lower.contains("xxxx")
        || WORDS.iter().any(|word| lower.contains(word))
}
