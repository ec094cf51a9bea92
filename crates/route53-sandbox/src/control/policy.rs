//! A policy of the account's identity service: the document itself, and what it says of a request.
//!
//! Only what the documents for Route 53 need is understood; a document that holds more is refused, never half obeyed.

use std::collections::BTreeMap;

use crate::service::Operation;
use crate::zone::{Change, Refusal};

const VERSION: &str = "2012-10-17";

/// What is allowed; without a document, everything.
#[derive(Debug, Clone, Default)]
pub struct Policy(Option<Vec<Statement>>);

#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: String,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[serde(default)]
    #[expect(dead_code, reason = "a name for people")]
    sid: Option<String>,
    effect: Effect,
    action: OneOrMore,
    resource: OneOrMore,
    #[serde(default)]
    condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    #[serde(rename = "ForAllValues:StringEquals", default)]
    for_all: BTreeMap<Key, OneOrMore>,
    #[serde(rename = "ForAnyValue:StringEquals", default)]
    for_any: BTreeMap<Key, OneOrMore>,
    #[serde(rename = "Null", default)]
    null: BTreeMap<Key, Flag>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
enum Key {
    #[serde(rename = "route53:ChangeResourceRecordSetsNormalizedRecordNames")]
    Names,
    #[serde(rename = "route53:ChangeResourceRecordSetsRecordTypes")]
    Types,
    #[serde(rename = "route53:ChangeResourceRecordSetsActions")]
    Actions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Flag {
    True,
    False,
}

/// A request as a policy sees it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The operation.
    pub operation: Operation,
    /// `hostedzone/ID` or `change/ID`.
    pub resource: &'a str,
    /// The changes of a batch.
    pub changes: &'a [Change],
}

impl OneOrMore {
    fn any(&self, is_it: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(text) => is_it(text),
            Self::More(texts) => texts.iter().any(|text| is_it(text)),
        }
    }
}

impl Condition {
    fn holds(&self, asked: &Asked<'_>) -> bool {
        let values = |key: Key| -> Vec<String> {
            let value = |change: &Change| match key {
                Key::Names => change.set.key.name.without_final_dot(),
                Key::Types => change.set.key.kind.to_string(),
                Key::Actions => change.action.as_str().to_owned(),
            };
            asked.changes.iter().map(value).collect()
        };
        let is_in = |list: &OneOrMore, value: &String| list.any(|allowed| allowed == value);
        self.for_all.iter().all(|(key, list)| values(*key).iter().all(|value| is_in(list, value)))
            && self.for_any.iter().all(|(key, list)| values(*key).iter().any(|value| is_in(list, value)))
            && self.null.iter().all(|(key, flag)| values(*key).is_empty() == (*flag == Flag::True))
    }
}

impl Statement {
    fn is_about(&self, asked: &Asked<'_>) -> bool {
        let action = format!("route53:{}", asked.operation.as_str());
        let resource = format!("arn:aws:route53:::{}", asked.resource);
        let fits = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(front) => text.starts_with(front),
            None => pattern == text,
        };
        self.action.any(|pattern| fits(pattern, &action))
            && self.resource.any(|pattern| fits(pattern, &resource))
            && self.condition.holds(asked)
    }
}

impl Policy {
    /// Reads a document.
    pub fn parse(json: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if document.version != VERSION {
            return Err(format!("the version is not {VERSION}"));
        }
        Ok(Self(Some(document.statement)))
    }

    /// Refuses what no statement allows, or one denies.
    pub fn check(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let Some(statements) = &self.0 else { return Ok(()) };
        let says = |effect: Effect| statements.iter().any(|s| s.effect == effect && s.is_about(asked));
        if says(Effect::Allow) && !says(Effect::Deny) {
            return Ok(());
        }
        let action = asked.operation.as_str();
        Err(Refusal::AccessDenied(format!(
            "User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: route53:{action} on resource: \
             arn:aws:route53:::{} because no identity-based policy allows the route53:{action} action",
            asked.resource
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::RecordSpec;
    use crate::zone::Action;

    const NAMES: &str = "route53:ChangeResourceRecordSetsNormalizedRecordNames";
    const TYPES: &str = "route53:ChangeResourceRecordSetsRecordTypes";
    const ACTIONS: &str = "route53:ChangeResourceRecordSetsActions";

    fn document() -> String {
        serde_json::json!({
            "Version": VERSION,
            "Statement": [
                {
                    "Sid": "Change",
                    "Effect": "Allow",
                    "Action": "route53:ChangeResourceRecordSets",
                    "Resource": ["arn:aws:route53:::hostedzone/Z1"],
                    "Condition": {
                        "ForAllValues:StringEquals": {
                            NAMES: ["db.a", "\\052.a"],
                            TYPES: ["CNAME"],
                            ACTIONS: ["CREATE", "DELETE"],
                        },
                        "Null": {NAMES: "false"},
                    },
                },
                {"Effect": "Allow", "Action": ["route53:GetChange"], "Resource": "arn:aws:route53:::change/*"},
                {"Effect": "Deny", "Action": "route53:*", "Resource": "arn:aws:route53:::change/C9"},
            ],
        })
        .to_string()
    }

    #[test]
    fn every_change_must_fit_every_list() {
        let policy = Policy::parse(&document()).unwrap();
        let table: &[(&[(Action, &str)], bool)] = &[
            (&[(Action::Create, "DB.a. CNAME 5 x")], true),
            (&[(Action::Create, "*.a CNAME 5 x")], true),
            (&[(Action::Upsert, "db.a CNAME 5 x")], false),
            (&[(Action::Create, "db.a TXT 5 \"x\"")], false),
            (&[(Action::Create, "other.a CNAME 5 x")], false),
            (&[(Action::Delete, "db.a CNAME 5 x"), (Action::Upsert, "db.a CNAME 5 x")], false),
            (&[], false),
        ];
        for (changes, allowed) in table {
            let changes: Vec<_> = changes
                .iter()
                .map(|(action, text)| {
                    let set = text.parse::<RecordSpec>().unwrap().to_set().unwrap();
                    Change { action: *action, set }
                })
                .collect();
            let operation = Operation::ChangeResourceRecordSets;
            let asked = |resource| Asked { operation, resource, changes: &changes };
            assert_eq!(policy.check(&asked("hostedzone/Z1")).is_ok(), *allowed, "{changes:?}");
            assert!(policy.check(&asked("hostedzone/Z2")).is_err(), "{changes:?}");
            assert!(Policy::default().check(&asked("hostedzone/Z2")).is_ok(), "{changes:?}");
        }
    }

    #[test]
    fn other_operations_need_their_own_statement() {
        let policy = Policy::parse(&document()).unwrap();
        for (operation, resource, allowed) in [
            (Operation::GetChange, "change/C1", true),
            (Operation::GetChange, "change/C9", false),
            (Operation::ListResourceRecordSets, "hostedzone/Z1", false),
            (Operation::GetHostedZone, "hostedzone/Z1", false),
        ] {
            let asked = Asked { operation, resource, changes: &[] };
            assert_eq!(policy.check(&asked).is_ok(), allowed, "{operation:?} {resource}");
        }
    }

    #[test]
    fn a_document_that_is_not_understood_is_refused() {
        for (from, to) in [
            (VERSION, "2008-10-17"),
            ("ForAllValues:StringEquals", "ForAllValues:StringLike"),
            ("route53:ChangeResourceRecordSetsActions", "aws:SourceIp"),
            ("\"Resource\"", "\"NotResource\""),
            ("Allow", "Perhaps"),
        ] {
            let text = document().replace(from, to);
            assert!(Policy::parse(&text).is_err(), "{to}");
        }
    }
}
