//! How loudly a reason must be heard by itself.

use super::Reason;
use crate::decide::AlertLevel;
use crate::types::GapReason;

impl Reason {
    /// How loudly people must hear of it by itself, whatever the verdict is.
    #[must_use]
    pub fn level(&self) -> AlertLevel {
        match self {
            Self::StandbyDown { .. }
            | Self::ConfigFault { .. }
            | Self::UnfamiliarFence { .. }
            | Self::MassFailure { .. }
            | Self::LinkDown { .. }
            | Self::ControlUnavailable { .. } => AlertLevel::Page,
            // Refused credentials stay refused until a person mends them.
            Self::SourceSilent { gap, .. } if gap == GapReason::Auth.as_str() => AlertLevel::Page,
            Self::SourceSilent { .. }
            | Self::RecordUnread { .. }
            | Self::NoMajority { .. }
            | Self::Disturbed
            | Self::SelfCheckFailed { .. }
            | Self::ClockOff { .. }
            | Self::Late { .. }
            | Self::NoLeader
            | Self::NotInStep { .. }
            | Self::NotLeft { .. }
            | Self::NotStable { .. }
            | Self::Slow { .. }
            | Self::StandbyBehind { .. }
            | Self::TtlDrift { .. } => AlertLevel::Warn,
            Self::AlertContradicted { .. }
            | Self::Anomalous { .. }
            | Self::FellowActed { .. }
            | Self::FellowClaims { .. }
            | Self::Requested { .. }
            | Self::AlreadyThere { .. }
            | Self::FailbackReady { .. } => AlertLevel::Info,
            // What the verdict itself says loudly enough, or what is no news.
            Self::ActiveServes
            | Self::Confirming { .. }
            | Self::BelowThreshold { .. }
            | Self::Confirmed
            | Self::NotAdopted
            | Self::Adopting { .. }
            | Self::ForeignFence { .. }
            | Self::ForeignRecord { .. }
            | Self::ZonesApart { .. }
            | Self::DamagedFence { .. }
            | Self::RecordRefused { .. }
            | Self::Halted { .. }
            | Self::NotDurable
            | Self::WarmingUp { .. }
            | Self::Switching
            | Self::NoTarget { .. }
            | Self::LagAbove { .. }
            | Self::LagUnknown
            | Self::NoCapacity
            | Self::NoPromotion
            | Self::Unfenceable { .. }
            | Self::SilentSite { .. }
            | Self::FewVantages { .. }
            | Self::Flapping { .. }
            | Self::TooSoon { .. }
            | Self::AttemptFailed { .. }
            | Self::Paused
            | Self::Maintenance { .. }
            | Self::Silenced { .. }
            | Self::DryRun
            | Self::NotLeading
            | Self::Mode { .. } => AlertLevel::None,
        }
    }
}
