//! The least that the credentials must allow, as a policy of AWS's identity service.
//!
//! `UPSERT` is not among it, so that the compare-and-swap is the only change that these credentials can make.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::config::{Provider, Record, Route53};
use crate::types::NameError;

/// The policy for all records that are held at Route 53; `None` when there is none.
///
/// # Errors
/// A fence would have no valid name.
pub fn policy<'a>(records: impl Iterator<Item = &'a Record>) -> Result<Option<Value>, NameError> {
    let mut zones = BTreeSet::new();
    let mut statements = Vec::new();
    for record in records {
        let Provider::Route53(place) = &record.provider else { continue };
        zones.extend(resources(place));
        statements.push(change(record, place)?);
    }
    if statements.is_empty() {
        return Ok(None);
    }
    statements.push(json!({
        "Effect": "Allow",
        "Action": ["route53:GetHostedZone", "route53:ListResourceRecordSets"],
        "Resource": zones,
    }));
    statements.push(json!({
        "Effect": "Allow",
        "Action": "route53:GetChange",
        "Resource": "arn:aws:route53:::change/*",
    }));
    Ok(Some(json!({ "Version": "2012-10-17", "Statement": statements })))
}

fn resources(place: &Route53) -> BTreeSet<String> {
    let ids = std::iter::once(&place.zone_id).chain(&place.private_zone_id);
    ids.map(|id| format!("arn:aws:route53:::hostedzone/{id}")).collect()
}

/// One service's names and types. Each list stands for itself: a type is allowed at every name of the service.
fn change(record: &Record, place: &Route53) -> Result<Value, NameError> {
    let further = || place.more_records.iter();
    let names = [&record.name].into_iter().chain(further().map(|more| &more.name));
    // A RecordName is as the condition keys want it: lower case, without the final dot, nothing to be escaped.
    let mut names: BTreeSet<String> = names.map(ToString::to_string).collect();
    names.insert(record.name.fence()?.to_string());
    let kinds = [record.kind].into_iter().chain(further().map(|more| more.kind));
    let mut kinds: BTreeSet<&str> = kinds.map(|kind| kind.as_str()).collect();
    kinds.insert("TXT");
    Ok(json!({
        "Effect": "Allow",
        "Action": "route53:ChangeResourceRecordSets",
        "Resource": resources(place),
        "Condition": {
            "ForAllValues:StringEquals": {
                "route53:ChangeResourceRecordSetsNormalizedRecordNames": names,
                "route53:ChangeResourceRecordSetsRecordTypes": kinds,
                "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
            },
            // Where a request has no names at all, the condition above would hold.
            "Null": { "route53:ChangeResourceRecordSetsNormalizedRecordNames": "false" },
        },
    }))
}
