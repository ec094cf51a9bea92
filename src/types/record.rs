//! The service's record and the fence beside it, as values.

use std::collections::BTreeSet;
use std::fmt;

use super::{AgentName, Moment, NameError, SiteName};

/// The type of a service's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// An alias name.
    Cname,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

impl RecordType {
    /// The type as DNS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cname => "CNAME",
            Self::A => "A",
            Self::Aaaa => "AAAA",
        }
    }

    /// Reads a type as DNS writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Cname, Self::A, Self::Aaaa].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One resource record set: its TTL and its values in normal form
/// (addresses as printed by the standard library; names lower case without the final dot; TXT without quotes). Where more
/// than one plain set makes the record, its values are [`Line`](super::Line)s and its TTL is the longest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ResourceSet {
    /// Time to live, seconds.
    pub ttl_seconds: u32,
    /// The values.
    pub values: BTreeSet<String>,
}

impl ResourceSet {
    /// A set of one value.
    #[must_use]
    pub fn single(ttl_seconds: u32, value: impl Into<String>) -> Self {
        Self { ttl_seconds, values: BTreeSet::from([value.into()]) }
    }
}

/// What the provider holds: the record and the fence. `None` is "there is no such set", which is a fact.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordState {
    /// The service's record.
    pub record: Option<ResourceSet>,
    /// The TXT set of the fence.
    pub fence: Option<ResourceSet>,
}

/// A record state, and when it was read from the provider.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordView {
    /// What was read.
    pub state: RecordState,
    /// When.
    pub read: Moment,
}

/// Why a text is not a fence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FenceError {
    /// The set does not hold exactly one text.
    #[error("the fence holds {0} texts instead of one")]
    Count(usize),
    /// A required key is absent.
    #[error("the fence lacks {0}")]
    Missing(&'static str),
    /// A key occurs twice, or is unknown.
    #[error("the fence holds an unknown or repeated key {0:?}")]
    Key(String),
    /// The version is not 1.
    #[error("the fence has version {0:?}, which this program does not know")]
    Version(String),
    /// A number is not one.
    #[error("the fence's {key} is not a number")]
    Number {
        /// The key.
        key: &'static str,
    },
    /// A name is not one.
    #[error("the fence's {key} is no name")]
    Name {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        source: NameError,
    },
}

/// The fence: who acted, when and to where. It is the judge between agents.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fence {
    /// The agent that wrote it.
    pub owner: AgentName,
    /// Strictly rises with every change.
    pub epoch: u64,
    /// The site the record points to.
    pub active: SiteName,
    /// The site that was active before the last switch; the active one itself when there was none.
    pub from: SiteName,
    /// When it was written, Unix seconds.
    pub at: u64,
    /// The decision that wrote it.
    pub decision: String,
    /// The site a claimed switch is about to make active.
    pub intent: Option<SiteName>,
}

impl Fence {
    /// How the decision of an adoption begins: a person's, made by a command beside the agent.
    pub const ADOPTION: &'static str = "adopt-";

    /// Whether it was written by an adoption.
    #[must_use]
    pub fn is_of_adoption(&self) -> bool {
        self.decision.starts_with(Self::ADOPTION)
    }

    /// Reads a fence's text: `v=1;owner=…;epoch=…;active=…;from=…;at=…;decision=…[;intent=…]`.
    ///
    /// # Errors
    /// A key is missing, unknown or repeated, the version is not 1, or a value is not what its key asks for.
    pub fn parse(text: &str) -> Result<Self, FenceError> {
        const KEYS: [&str; 8] = ["v", "owner", "epoch", "active", "from", "at", "decision", "intent"];
        let mut found: [Option<&str>; 8] = [None; 8];
        for part in text.split(';') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let place = KEYS.iter().position(|k| *k == key).filter(|i| found[*i].is_none());
            let place = place.ok_or_else(|| FenceError::Key(key.chars().take(32).collect()))?;
            found[place] = Some(value);
        }
        let get = |i: usize| found[i].ok_or(FenceError::Missing(KEYS[i]));
        let number = |i: usize| get(i)?.parse().map_err(|_| FenceError::Number { key: KEYS[i] });
        let site = |i: usize, text: &str| {
            SiteName::new(text).map_err(|source| FenceError::Name { key: KEYS[i], source })
        };
        if get(0)? != "1" {
            return Err(FenceError::Version(get(0)?.chars().take(32).collect()));
        }
        Ok(Self {
            owner: AgentName::new(get(1)?).map_err(|source| FenceError::Name { key: "owner", source })?,
            epoch: number(2)?,
            active: site(3, get(3)?)?,
            from: site(4, get(4)?)?,
            at: number(5)?,
            decision: get(6)?.to_owned(),
            intent: found[7].map(|text| site(7, text)).transpose()?,
        })
    }

    /// Reads the fence out of its TXT set.
    ///
    /// # Errors
    /// As [`Fence::parse`], and when the set does not hold exactly one text.
    pub fn from_set(set: &ResourceSet) -> Result<Self, FenceError> {
        match set.values.first() {
            Some(text) if set.values.len() == 1 => Self::parse(text),
            _ => Err(FenceError::Count(set.values.len())),
        }
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "v=1;owner={};epoch={};active={};from={};at={};decision={}",
            self.owner, self.epoch, self.active, self.from, self.at, self.decision
        )?;
        match &self.intent {
            Some(site) => write!(f, ";intent={site}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v=1;owner=a1;epoch=7;active=dc-a;from=dc-b;at=1700000000;decision=d1";

    #[test]
    fn a_fence_survives_its_text() {
        for text in [GOOD.to_owned(), format!("{GOOD};intent=dc-b")] {
            assert_eq!(Fence::parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_damaged_fence_is_refused() {
        for bad in [
            "",
            "hello",
            "v=2;owner=a1;epoch=7;active=dc-a;from=dc-b;at=1;decision=d1",
            "v=1;owner=a1;epoch=-7;active=dc-a;from=dc-b;at=1;decision=d1",
            "v=1;owner=a1;epoch=7;active=dc a;from=dc-b;at=1;decision=d1",
            "v=1;owner=a1;epoch=7;active=dc-a;from=dc-b;at=1",
            "v=1;owner=a1;epoch=7;epoch=8;active=dc-a;from=dc-b;at=1;decision=d1",
            "v=1;owner=a1;epoch=7;active=dc-a;from=dc-b;at=1;decision=d1;more=1",
        ] {
            assert!(Fence::parse(bad).is_err(), "{bad:?}");
        }
        let two = ResourceSet { ttl_seconds: 5, values: [GOOD.to_owned(), "x".to_owned()].into() };
        assert_eq!(Fence::from_set(&two), Err(FenceError::Count(2)));
    }
}
