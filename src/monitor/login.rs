//! The password of a target, as its file has it at the moment of connecting: it may be changed without a restart.

use tokio::time::timeout_at;

use super::socket::Ends;
use crate::config::{Secret, Target, secret_of_file};

/// The password to log in with; a file that cannot be read in time leaves the one that was read at the start.
pub(super) async fn password(target: &Target, ends: Ends) -> Option<Secret> {
    let known = target.password.clone()?;
    let Some(file) = target.password_file.clone() else { return Some(known) };
    // On a thread of its own: a file on a broken disk must not hold up the rest.
    let read = tokio::task::spawn_blocking(move || secret_of_file(&file));
    Some(timeout_at(ends.end, read).await.ok().and_then(Result::ok).flatten().unwrap_or(known))
}
