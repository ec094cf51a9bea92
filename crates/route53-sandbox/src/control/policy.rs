//! The IAM condition keys of ChangeResourceRecordSets.

use crate::zone::{Change, Refusal};

/// What changes are allowed; an absent list allows everything.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `route53:ChangeResourceRecordSetsActions`, upper case.
    #[serde(default)]
    actions: Option<Vec<String>>,
    /// `route53:ChangeResourceRecordSetsNormalizedRecordNames`: lower case, no final dot, `\052` for `*`.
    #[serde(default)]
    record_names: Option<Vec<String>>,
    /// `route53:ChangeResourceRecordSetsRecordTypes`, upper case.
    #[serde(default)]
    record_types: Option<Vec<String>>,
}

impl Policy {
    /// Refuses a batch of which any change is not allowed, as `ForAllValues:StringEquals` does.
    pub fn check(&self, zone_id: &str, changes: &[Change]) -> Result<(), Refusal> {
        let allows = |list: &Option<Vec<String>>, value: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|allowed| allowed == value))
        };
        let allowed = changes.iter().all(|change| {
            allows(&self.actions, change.action.as_str())
                && allows(&self.record_names, &change.set.key.name.without_final_dot())
                && allows(&self.record_types, change.set.key.kind.as_str())
        });
        if allowed {
            return Ok(());
        }
        Err(Refusal::AccessDenied(format!(
            "User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: \
             route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/{zone_id} because no \
             identity-based policy allows the route53:ChangeResourceRecordSets action"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::RecordSpec;
    use crate::zone::Action;

    #[test]
    fn every_change_must_fit_every_list() {
        let policy: Policy = serde_json::from_str(
            r#"{"actions":["CREATE","DELETE"],"record_names":["db.a","\\052.a"],"record_types":["CNAME"]}"#,
        )
        .unwrap();
        let table: &[(&[(Action, &str)], bool)] = &[
            (&[(Action::Create, "DB.a. CNAME 5 x")], true),
            (&[(Action::Create, "*.a CNAME 5 x")], true),
            (&[(Action::Upsert, "db.a CNAME 5 x")], false),
            (&[(Action::Create, "db.a TXT 5 \"x\"")], false),
            (&[(Action::Create, "other.a CNAME 5 x")], false),
            (&[(Action::Delete, "db.a CNAME 5 x"), (Action::Upsert, "db.a CNAME 5 x")], false),
        ];
        for (changes, allowed) in table {
            let changes: Vec<_> = changes
                .iter()
                .map(|(action, text)| {
                    let set = text.parse::<RecordSpec>().unwrap().to_set().unwrap();
                    Change { action: *action, set }
                })
                .collect();
            assert_eq!(policy.check("Z0", &changes).is_ok(), *allowed, "{changes:?}");
            assert!(Policy::default().check("Z0", &changes).is_ok(), "{changes:?}");
        }
    }
}
