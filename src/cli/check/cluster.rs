//! The clusters that must promote: whether the user who may change databases is let in, and the database is there.

use std::sync::Arc;

use super::report::{Fault, Report};
use crate::act::cluster::{ClusterError, ClusterOrders, RefusedLogins};
use crate::act::dns::wire::chain;
use crate::config::{Config, Promote, Service};
use crate::monitor::TlsProfiles;
use crate::types::SystemClock;

/// Asks each cluster of a service once, with the login that would promote there; nothing is changed.
pub(super) async fn promotions(config: &Config, service: &Service, report: &mut Report) {
    if !service.promote.as_ref().is_some_and(Promote::is_by_cluster) {
        return;
    }
    let (profiles, refused) = (TlsProfiles::new(), RefusedLogins::default());
    for site in &service.sites {
        let place = config.datacenters.iter().find(|place| place.name == site.name);
        let cluster = place.and_then(|place| place.enterprise.as_ref());
        let Some((cluster, database)) = cluster.zip(site.database) else { continue };
        let what = format!("{} promotion", site.name);
        let clock = Arc::new(SystemClock::new());
        let orders = ClusterOrders::new((&site.name, database), cluster, &profiles, refused.clone(), clock);
        let checked = match orders {
            Ok(orders) => orders.check().await,
            Err(error) => Err(error),
        };
        match checked {
            Ok(()) => report
                .good(&what, "the login is accepted; whether it may change the database cannot be tried"),
            Err(error @ ClusterError::ReadOnly { .. }) => report.bad(&what, &Fault::Missing(chain(&error))),
            Err(error) => report.bad(&what, &Fault::Failed(chain(&error))),
        }
    }
}
