//! A record at Google Cloud DNS, and who asks there.

use super::Secret;
use super::read::{Section, http_url, secret, word};

/// Longest name of a project or a zone.
const NAME_BYTES_MAX: usize = 63;

/// Where the record lives at Google Cloud DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudDns {
    /// The project.
    pub project: String,
    /// The managed zone's name, which is not its DNS name.
    pub managed_zone: String,
    /// The key file of a service account, as JSON; without one the instance's metadata server is asked for a token.
    pub key: Option<Secret>,
    /// Another endpoint than Google's.
    pub endpoint: Option<url::Url>,
}

/// Reads what belongs to this provider in a `record` block.
pub(super) fn read(record: &Section<'_>) -> Option<CloudDns> {
    let project = record.required("project", "project: my-project", word(NAME_BYTES_MAX, "-.:"));
    let zone = record.required("managed_zone", "managed_zone: example-com", word(NAME_BYTES_MAX, "-"));
    let key = secret(record, "key");
    let endpoint = record.optional("endpoint", http_url);
    Some(CloudDns { project: project?, managed_zone: zone?, key, endpoint })
}
