//! The documents of the answers.

use serde::Serialize;

use crate::records::RecordSet;
use crate::zone::{ChangeInfo, ChangeStatus, Identity, Page, Refusal};

/// The namespace of every document.
pub const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// The answer of ChangeResourceRecordSets.
pub fn change(info: &ChangeInfo) -> String {
    document("ChangeResourceRecordSetsResponse", &ChangeReply { xmlns: NAMESPACE, change_info: info.into() })
}

/// The answer of GetChange.
pub fn get_change(info: &ChangeInfo) -> String {
    document("GetChangeResponse", &ChangeReply { xmlns: NAMESPACE, change_info: info.into() })
}

/// The answer of GetHostedZone.
pub fn zone(identity: &Identity, sets: usize) -> String {
    let reply = ZoneReply {
        xmlns: NAMESPACE,
        hosted_zone: HostedZone {
            id: format!("/hostedzone/{}", identity.id),
            name: identity.name.to_string(),
            caller_reference: "route53-sandbox",
            config: Config { private_zone: identity.is_private },
            resource_record_set_count: sets,
        },
        delegation_set: (!identity.is_private).then(|| DelegationSet {
            name_servers: NameServers {
                name_server: identity.name_servers.iter().map(|name| name.without_final_dot()).collect(),
            },
        }),
    };
    document("GetHostedZoneResponse", &reply)
}

/// The answer of ListResourceRecordSets.
pub fn page(page: &Page, sets_max: usize) -> String {
    let next = page.next.as_ref();
    let reply = PageReply {
        xmlns: NAMESPACE,
        resource_record_sets: Sets { resource_record_set: page.sets.iter().map(Set::from).collect() },
        is_truncated: next.is_some(),
        next_record_name: next.map(|key| key.name.to_string()),
        next_record_type: next.map(|key| key.kind.as_str()),
        next_record_identifier: next.and_then(|key| key.set_identifier.clone()),
        max_items: sets_max,
    };
    document("ListResourceRecordSetsResponse", &reply)
}

/// The answer of a refused request.
pub fn refusal(refusal: &Refusal, request_id: &str) -> String {
    let reply = ErrorReply {
        xmlns: NAMESPACE,
        error: Error {
            r#type: if refusal.status() < 500 { "Sender" } else { "Receiver" },
            code: refusal.code(),
            message: refusal.to_string(),
        },
        request_id,
    };
    document("ErrorResponse", &reply)
}

fn document(root: &str, content: &impl Serialize) -> String {
    match quick_xml::se::to_string_with_root(root, content) {
        Ok(text) => format!("<?xml version=\"1.0\"?>\n{text}"),
        Err(error) => panic!("the document {root} has no XML form: {error}"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeReply<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: &'a str,
    change_info: Info<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Info<'a> {
    id: String,
    status: &'a str,
    submitted_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

impl<'a> From<&'a ChangeInfo> for Info<'a> {
    fn from(info: &'a ChangeInfo) -> Self {
        Self {
            id: format!("/change/{}", info.id),
            status: match info.status {
                ChangeStatus::Pending => "PENDING",
                ChangeStatus::Insync => "INSYNC",
            },
            submitted_at: info.submitted_at.to_string(),
            comment: info.comment.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneReply<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: &'a str,
    hosted_zone: HostedZone<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation_set: Option<DelegationSet>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HostedZone<'a> {
    id: String,
    name: String,
    caller_reference: &'a str,
    config: Config,
    resource_record_set_count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    private_zone: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DelegationSet {
    name_servers: NameServers,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NameServers {
    name_server: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PageReply<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: &'a str,
    resource_record_sets: Sets<'a>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_identifier: Option<String>,
    max_items: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sets<'a> {
    resource_record_set: Vec<Set<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Set<'a> {
    name: String,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u8>,
    #[serde(rename = "TTL", skip_serializing_if = "Option::is_none")]
    ttl_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_records: Option<Values<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_target: Option<Target<'a>>,
}

impl<'a> From<&'a RecordSet> for Set<'a> {
    fn from(set: &'a RecordSet) -> Self {
        Self {
            name: set.key.name.to_string(),
            r#type: set.key.kind.as_str(),
            set_identifier: set.key.set_identifier.as_deref(),
            weight: set.weight,
            ttl_seconds: set.alias.is_none().then_some(set.ttl_seconds),
            resource_records: set.alias.is_none().then(|| Values {
                resource_record: set.values.iter().map(|value| Value { value }).collect(),
            }),
            alias_target: set.alias.as_ref().map(|alias| Target {
                hosted_zone_id: &alias.zone_id,
                dns_name: alias.target.to_string(),
                evaluate_target_health: alias.evaluates_health,
            }),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target<'a> {
    hosted_zone_id: &'a str,
    #[serde(rename = "DNSName")]
    dns_name: String,
    evaluate_target_health: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Values<'a> {
    resource_record: Vec<Value<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Value<'a> {
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorReply<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: &'a str,
    error: Error<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Error<'a> {
    r#type: &'a str,
    code: &'a str,
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_document_of_the_service() {
        let complaint = |text: &str| Refusal::InvalidChangeBatch(vec![text.to_owned(), "b".to_owned()]);
        let expected = format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type>\
             <Code>InvalidChangeBatch</Code><Message>[a &lt;b&gt;, b]</Message></Error><RequestId>r</RequestId>\
             </ErrorResponse>"
        );
        assert_eq!(refusal(&complaint("a <b>"), "r"), expected);
    }
}
