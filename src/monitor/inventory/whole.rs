//! The cluster as a whole: its identity, licence, certificates, majority, and alerts.

use super::raw::{Alert, Cluster, Each, Health, License, MasterHealth};
use super::sheet::Sheet;
use crate::monitor::catalog::enterprise as to;

/// The cluster.
pub(super) fn cluster(sheet: &mut Sheet, cluster: &Cluster) {
    if let Some(name) = cluster.name.text() {
        sheet.number(&to::CLUSTER_INFO, &[("cluster", name)], Some(1.0), 1.0);
    }
    sheet.number(&to::LAG_TOLERANCE, &[], cluster.availability_lag_tolerance_ms.number(), 1e-3);
    sheet.flag(&to::UPGRADING, &[], cluster.upgrade_in_progress.flag());
}

/// Its licence.
pub(super) fn license(sheet: &mut Sheet, license: &License) {
    sheet.flag(&to::LICENSE_EXPIRED, &[], license.expired.flag());
    sheet.number(&to::LICENSE_EXPIRY, &[], license.expiration_date.moment(), 1.0);
    sheet.number(&to::LICENSE_SHARDS_LIMIT, &[], license.shards_limit.number(), 1.0);
    sheet.number(&to::LICENSE_SHARDS_USED, &[], license.ram_shards_in_use.number(), 1.0);
}

/// Whether the node that answers reaches the one that leads.
pub(super) fn master(sheet: &mut Sheet, health: &MasterHealth) {
    let is_active = match health.status.text() {
        Some("active") => Some(true),
        Some("inactive") => Some(false),
        Some(_) | None => None,
    };
    sheet.flag(&to::MASTER_REACHED, &[], is_active);
}

/// Its certificates.
pub(super) fn certificates(sheet: &mut Sheet, health: &Health) {
    for certificate in &health.certificates {
        if let Some(kind) = certificate.kind.text() {
            sheet.number(&to::CERTIFICATE_EXPIRY, &[("type", kind)], certificate.valid_until.moment(), 1.0);
        }
    }
}

/// Alerts that somebody has switched on; those of the cluster itself belong to no number.
pub(super) fn alerts(sheet: &mut Sheet, kind: &'static str, id: &str, alerts: &Each<Alert>) {
    for (name, alert) in alerts.iter().filter(|(_, alert)| alert.enabled.flag() == Some(true)) {
        let severity = alert.severity.text().unwrap_or("unknown").to_ascii_lowercase();
        let labels = [("kind", kind), ("id", id), ("alert", name.as_str()), ("severity", severity.as_str())];
        sheet.flag(&to::ALERT, &labels, alert.state.flag());
    }
}
