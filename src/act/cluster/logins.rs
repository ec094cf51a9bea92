//! Which logins were refused lately. Five wrong ones within a quarter of an hour lock a user for half an hour, so one that
//! was refused rests, whoever comes with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::ClusterUser;
use crate::types::{Clock, Moment};

/// So long a refused login is not tried again.
const REST: Duration = Duration::from_secs(600);
/// Refused logins that are remembered; of more clusters than that the oldest are forgotten.
const REMEMBERED_MAX: usize = 64;

/// The refused logins of one agent, shared by all that sends orders.
#[derive(Clone, Default)]
pub struct RefusedLogins(Arc<Mutex<Vec<(String, ClusterUser, Moment)>>>);

impl RefusedLogins {
    /// Whether a login at a cluster rests.
    pub(super) fn is_resting(&self, url: &str, user: &ClusterUser, clock: &dyn Clock) -> bool {
        let now = clock.now();
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().any(|(at, who, since)| at == url && who == user && now.since(*since) < REST)
    }

    /// A login was refused.
    pub(super) fn note(&self, url: &str, user: &ClusterUser, clock: &dyn Clock) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|(at, who, _)| at != url || who != user);
        if refused.len() == REMEMBERED_MAX {
            refused.remove(0);
        }
        refused.push((url.to_owned(), user.clone(), clock.now()));
    }
}
