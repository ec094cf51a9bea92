//! Who may ask.

use std::collections::BTreeMap;

use super::rules::PasswordHash;
use crate::config::read::{Item, text};

/// From this cost on, a first request takes more than half a second.
const SLOW_COST: u32 = 14;

/// Reads `basic_auth_users`. A hash is never repeated in a problem: a password may stand where its hash belongs.
pub(super) fn read(item: &Item<'_>) -> Option<BTreeMap<String, PasswordHash>> {
    let entries = item.entries()?;
    if entries.is_empty() {
        item.sheet.problem(&item.key, "is empty", "name at least one user, or remove the key");
    }
    let mut users = BTreeMap::new();
    for (name, value) in entries {
        let Some(given) = value.read(text) else { continue };
        if name.is_empty() || name.contains(|c: char| c == ':' || c.is_control()) {
            value.sheet.problem(&value.key, "is not the name of a user", "write a name without a colon");
            continue;
        }
        match PasswordHash::new(given) {
            Ok(hash) => {
                if hash.cost() >= SLOW_COST {
                    let hint = "a cost of 10 to 12 is usual";
                    value.sheet.warning(&value.key, "has a hash that takes long to verify", hint);
                }
                users.insert(name.to_owned(), hash);
            }
            Err(reason) => {
                value.sheet.problem(&value.key, reason, "write what `htpasswd -nBC 10 \"\"` prints");
            }
        }
    }
    Some(users)
}
