//! The size limits of one batch.

use super::batch::{Action, Change};

const CHANGES_MAX: usize = 1000;
const VALUES_MAX: usize = 1000;
const CHARACTERS_MAX: usize = 32_000;

/// Says which limit the batch passes, if any. An UPSERT counts twice, as it does at the service.
pub fn passed(changes: &[Change]) -> Option<String> {
    let cost = |change: &Change| match change.action {
        Action::Create | Action::Delete => 1,
        Action::Upsert => 2,
    };
    let values: usize = changes.iter().map(|change| cost(change) * change.set.values.len()).sum();
    let characters: usize = changes
        .iter()
        .map(|change| {
            cost(change) * change.set.values.iter().map(|value| value.chars().count()).sum::<usize>()
        })
        .sum();
    if changes.len() > CHANGES_MAX {
        Some(format!("Number of changes limit of {CHANGES_MAX} exceeded"))
    } else if values > VALUES_MAX {
        Some(format!("Number of records limit of {VALUES_MAX} exceeded"))
    } else if characters > CHARACTERS_MAX {
        Some(format!("Number of characters limit of {CHARACTERS_MAX} exceeded"))
    } else {
        None
    }
}
