//! What a hook is told: as JSON, and as variables of the environment. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Service;
use crate::decide::Plan;
use crate::decide::saga::Outcome;
use crate::types::AgentName;

/// When a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookPoint<'a> {
    /// The fence is claimed, and the old primary not fenced yet.
    Before,
    /// The target is to be promoted.
    Promote,
    /// The switch is over.
    After(&'a Outcome),
}

impl HookPoint<'_> {
    /// The point as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Promote => "promote",
            Self::After(_) => "after",
        }
    }
}

/// What a hook is told.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// When.
    pub point: HookPoint<'a>,
    /// Who calls.
    pub agent: &'a AgentName,
    /// The service.
    pub service: &'a Service,
    /// The switch.
    pub plan: &'a Plan,
    /// How long it may take.
    pub limit: Duration,
}

impl Call<'_> {
    /// Names and texts, in the order of the documentation.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let plan = self.plan;
        let joined =
            |values: &BTreeSet<String>| values.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let from_value = self.service.site(&plan.from).map(|site| joined(&self.service.values_of(site)));
        let mut facts = vec![
            ("hook", self.point.as_str().to_owned()),
            ("agent", self.agent.to_string()),
            ("service", plan.service.to_string()),
            ("topology", self.service.topology.as_str().to_owned()),
            ("decision", plan.decision.clone()),
            ("trigger", plan.trigger.as_str().to_owned()),
            ("from", plan.from.to_string()),
            ("to", plan.to.to_string()),
            ("record", self.service.record.name.to_string()),
            ("from_value", from_value.unwrap_or_default()),
            ("to_value", joined(&plan.to_values)),
            ("timeout_seconds", self.limit.as_secs_f64().to_string()),
        ];
        if let HookPoint::After(outcome) = self.point {
            facts.push(("outcome", outcome.as_str().to_owned()));
        }
        facts
    }

    /// The variables of the environment.
    pub(super) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let name = |name: &str| format!("REDROVER_{}", name.to_ascii_uppercase());
        self.facts().into_iter().map(move |(key, value)| (name(key), value))
    }

    /// The JSON document.
    pub(super) fn json(&self) -> Value {
        let mut document = serde_json::Map::from_iter([("version".to_owned(), json!(1))]);
        document.extend(self.facts().into_iter().map(|(key, value)| (key.to_owned(), json!(value))));
        Value::Object(document)
    }
}
