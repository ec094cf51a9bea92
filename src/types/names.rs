//! Checked identifiers: a value of one of these types is fit to be a label, a key and a log field.

use std::fmt;
use std::sync::Arc;

/// Longest accepted name in bytes; label values and journal keys stay bounded by it.
pub const NAME_BYTES_MAX: usize = 63;
/// Longest accepted DNS name in bytes (RFC 1035, section 2.3.4).
pub const RECORD_NAME_BYTES_MAX: usize = 253;
/// Longest accepted target address in bytes.
pub const TARGET_NAME_BYTES_MAX: usize = 300;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// The text is longer than the type allows.
    #[error("is longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// The text holds a character that the type does not allow.
    #[error("holds {found:?}; allowed are letters, digits and {allowed}")]
    Character {
        /// The first offending character.
        found: char,
        /// The allowed characters beside letters and digits.
        allowed: &'static str,
    },
    /// A DNS name with an empty or over-long label.
    #[error("has a DNS label that is empty or longer than 63 bytes")]
    Label,
}

fn check(text: &str, max: usize, allowed: &'static str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > max {
        return Err(NameError::TooLong { max });
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || allowed.contains(*c))) {
        Some(found) => Err(NameError::Character { found, allowed }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        // A name is copied into every snapshot, vote and decision.
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks and takes a text.
            ///
            /// # Errors
            /// The text is empty, too long, or holds a character that is not allowed.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let check: fn(&str) -> Result<String, NameError> = $check;
                check(&text).map(|text| Self(text.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.as_str().to_owned()
            }
        }
    };
}

name!(
    /// The name of a service: one DNS name that clients use, with its sites.
    ServiceName,
    |t| check(t, NAME_BYTES_MAX, "-_.").map(|()| t.to_owned())
);
name!(
    /// The name of a datacenter, and of a service's site in it.
    SiteName,
    |t| check(t, NAME_BYTES_MAX, "-_.").map(|()| t.to_owned())
);
name!(
    /// The name of a running redrover; it is the owner in a fence.
    AgentName,
    |t| check(t, NAME_BYTES_MAX, "-_.").map(|()| t.to_owned())
);
name!(
    /// The address of one Redis as shown to people: scheme, host and port, never a credential.
    TargetName,
    |t| check(t, TARGET_NAME_BYTES_MAX, "-_.:/[]@").map(|()| t.to_owned())
);
name!(
    /// A DNS name, lower case, without the final dot.
    RecordName,
    |t| {
        let text = t.strip_suffix('.').unwrap_or(t).to_ascii_lowercase();
        check(&text, RECORD_NAME_BYTES_MAX, "-_.")?;
        let good = |label: &str| (1..=63).contains(&label.len());
        text.split('.').all(good).then_some(text).ok_or(NameError::Label)
    }
);

impl ServiceName {
    /// What stands in the place of a service where the agent as a whole is meant. No service can be called so.
    #[must_use]
    pub fn agent() -> Self {
        Self("*".into())
    }

    /// Whether the agent as a whole is meant.
    #[must_use]
    pub fn is_agent(&self) -> bool {
        &*self.0 == "*"
    }
}

impl RecordName {
    /// The name of the fence beside this record: `_redrover.` before the name.
    ///
    /// # Errors
    /// The name is so long that the fence's name no longer fits into DNS.
    pub fn fence(&self) -> Result<Self, NameError> {
        Self::new(format!("_redrover.{}", self.0))
    }

    /// Whether this name is that of a zone, or lies below it.
    #[must_use]
    pub fn is_within(&self, zone: &Self) -> bool {
        let rest = self.0.strip_suffix(&*zone.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_service_is_called_like_the_agent() {
        assert!(ServiceName::agent().is_agent());
        assert!(ServiceName::new(ServiceName::agent().as_str()).is_err());
    }

    #[test]
    fn names_are_checked() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for (text, good) in [
            ("sessions", true),
            ("dc-a.eu_1", true),
            ("", false),
            ("two words", false),
            ("quote\"", false),
            ("line\nbreak", false),
            (long.as_str(), false),
            (&long[1..], true),
        ] {
            assert_eq!(ServiceName::new(text).is_ok(), good, "{text:?}");
        }
    }

    #[test]
    fn record_names_are_normal_form() {
        for (text, want) in [
            ("Redis.Example.COM.", Some("redis.example.com")),
            ("_redrover.a.b", Some("_redrover.a.b")),
            ("a..b", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(RecordName::new(text).ok().as_ref().map(RecordName::as_str), want, "{text:?}");
        }
        let name = RecordName::new("db.example").unwrap();
        assert_eq!(name.fence().unwrap().as_str(), "_redrover.db.example");
        assert!(RecordName::new(format!("{}.b", "a".repeat(64))).is_err());
    }
}
