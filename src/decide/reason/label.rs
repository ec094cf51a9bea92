//! A reason as a label value, and what kind of news it is.

use super::Reason;
use crate::types::SiteName;

impl Reason {
    /// Whether it leaves the active site above suspicion, and the record as it was.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        matches!(
            self,
            Self::ActiveServes
                | Self::AlertContradicted { .. }
                | Self::StandbyDown { .. }
                | Self::StandbyBehind { .. }
                | Self::LinkDown { .. }
                | Self::FailbackReady { .. }
                | Self::Slow { .. }
                | Self::ControlUnavailable { .. }
                | Self::SourceSilent { .. }
                | Self::Anomalous { .. }
                | Self::TtlDrift { .. }
                | Self::NoLeader
        )
    }

    /// Whether it says that somebody else changed the record or the fence.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(
            self,
            Self::ForeignFence { .. }
                | Self::ForeignRecord { .. }
                | Self::ZonesApart { .. }
                | Self::DamagedFence { .. }
        )
    }

    /// The site that a lasting reason is about, where it is about one: the same reason about another site is another.
    #[must_use]
    pub fn site(&self) -> Option<&SiteName> {
        if let Self::StandbyDown { site }
        | Self::ConfigFault { site, .. }
        | Self::FailbackReady { site, .. }
        | Self::StandbyBehind { site, .. }
        | Self::LinkDown { site }
        | Self::ControlUnavailable { site, .. }
        | Self::SourceSilent { site: Some(site), .. } = self
        {
            Some(site)
        } else {
            None
        }
    }

    /// The reason as a label value.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::ActiveServes => "active_serves",
            Self::AlertContradicted { .. } => "alert_contradicted",
            Self::Confirming { .. } => "confirming",
            Self::BelowThreshold { .. } => "below_threshold",
            Self::Confirmed => "confirmed",
            Self::NotAdopted => "not_adopted",
            Self::UnfamiliarFence { .. } => "unfamiliar_fence",
            Self::ForeignFence { .. } => "foreign_fence",
            Self::ForeignRecord { .. } => "foreign_record",
            Self::ZonesApart { .. } => "zones_apart",
            Self::Adopting { .. } => "adopting",
            Self::DamagedFence { .. } => "damaged_fence",
            Self::RecordUnread { .. } => "record_unread",
            Self::Halted { .. } => "halted",
            Self::NotDurable => "not_durable",
            Self::Disturbed => "disturbed",
            Self::WarmingUp { .. } => "warming_up",
            Self::NoMajority { .. } => "no_majority",
            Self::Switching => "switching",
            Self::NoTarget { .. } => "no_target",
            Self::LagAbove { .. } => "lag_above",
            Self::LagUnknown => "lag_unknown",
            Self::NoCapacity => "no_capacity",
            Self::NoPromotion => "no_promotion",
            Self::Unfenceable { .. } => "unfenceable",
            Self::SilentSite { .. } => "silent_site",
            Self::FewVantages { .. } => "few_vantages",
            Self::Flapping { .. } => "flapping",
            Self::TooSoon { .. } => "too_soon",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::Paused => "paused",
            Self::NotLeading => "not_leading",
            Self::Mode { .. } => "mode",
            Self::StandbyDown { .. } => "standby_down",
            Self::ConfigFault { .. } => "config_fault",
            Self::SelfCheckFailed { .. } => "self_check_failed",
            Self::ClockOff { .. } => "clock_off",
            Self::Late { .. } => "late",
            Self::MassFailure { .. } => "mass_failure",
            Self::Maintenance { .. } => "maintenance",
            Self::Silenced { .. } => "silenced",
            Self::DryRun => "dry_run",
            Self::NoLeader => "no_leader",
            Self::RecordRefused { .. } => "record_refused",
            Self::FellowActed { .. } => "fellow_acted",
            Self::FellowClaims { .. } => "fellow_claims",
            Self::Requested { .. } => "requested",
            Self::AlreadyThere { .. } => "already_there",
            Self::NotInStep { .. } => "not_in_step",
            Self::NotLeft { .. } => "not_left",
            Self::NotStable { .. } => "not_stable",
            Self::FailbackReady { .. } => "failback_ready",
            Self::Slow { .. } => "slow",
            Self::StandbyBehind { .. } => "standby_behind",
            Self::LinkDown { .. } => "link_down",
            Self::ControlUnavailable { .. } => "control_unavailable",
            Self::SourceSilent { .. } => "source_silent",
            Self::Anomalous { .. } => "anomalous",
            Self::TtlDrift { .. } => "ttl_drift",
        }
    }
}
