//! Reads what the services' configuration says: the configuration's own reader checks it here, and its text goes into
//! a generated configuration.

use crate::config::read::{Item, Key, Value, boolean, choice};
use crate::config::{Mode, POLICY_KEYS, policy_of, promote_of};
use crate::sim::language::PolicyText;

/// Reads the policy.
pub fn read(item: &Item<'_>) -> Option<PolicyText> {
    let section = item.section(&[&["mode", "dry_run", "canary", "promote"], POLICY_KEYS].concat())?;
    let modes = Mode::ALL.map(|mode| (mode.as_str(), mode));
    let text = |value: &Value| Ok(line(value));
    policy_of(&section);
    if let Some(promote) = section.item("promote") {
        promote_of(&promote);
    }
    let entries = POLICY_KEYS.iter().filter_map(|key| {
        let value = section.optional(key, text)?;
        Some(format!("{}: {value}", quoted(key)))
    });
    Some(PolicyText {
        mode: section.or("mode", Mode::Automatic, choice(&modes)),
        dry_run: section.or("dry_run", false, boolean),
        canary: section.or("canary", true, boolean),
        promote: section.optional("promote", text),
        policy: format!("{{{}}}", entries.collect::<Vec<_>>().join(", ")),
    })
}

/// The value as YAML in one line.
fn line(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => {
            if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
        }
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => quoted(text),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| line(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entry = |key: &Key, value: &Value| format!("{}: {}", quoted(&key.0), line(value));
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| entry(&key.value, &value.value)).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A text in double quotes; YAML reads the escapes of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
