//! A reason in words.

use std::fmt;

use super::Reason;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ActiveServes => f.write_str("the active site serves"),
            Self::AlertContradicted { alerts } => {
                write!(
                    f,
                    "{alerts} alert(s) fire, but the active site serves: an alert is a reason to look, no more"
                )
            }
            Self::Confirming { seconds, seconds_needed, rounds, rounds_needed } => write!(
                f,
                "the active site fails for {seconds} s of {seconds_needed} s and {rounds} of {rounds_needed} rounds"
            ),
            Self::BelowThreshold { confidence, threshold } => {
                write!(f, "confidence {confidence:.3} is below {threshold:.2}")
            }
            Self::Confirmed => {
                f.write_str("the active site is down for the whole confirm window, and the target is fit")
            }
            Self::NotAdopted => f.write_str("no fence stands in DNS; run `redrover adopt` for this service"),
            Self::UnfamiliarFence { epoch } => write!(
                f,
                "the journal knows nothing of the fence in DNS (epoch {epoch}); observing until `redrover ack`"
            ),
            Self::ForeignFence { known, found } => {
                write!(
                    f,
                    "the fence is not as this agent left it (epoch {known}); found {found:?}; `redrover adopt` accepts the record as it stands"
                )
            }
            Self::ForeignRecord { found, active } => {
                write!(
                    f,
                    "the record holds {found:?}, which is not the target of the active site {active}; put it back, or `redrover adopt` it"
                )
            }
            Self::ZonesApart { public, private } => write!(
                f,
                "the public zone holds {public:?}, the private one {private:?}: a change was made half, or somebody made \
                 one; make the records of both the same, then `redrover adopt`"
            ),
            Self::Adopting { epoch } => {
                write!(f, "a person is adopting the service (epoch {epoch}); the journal does not say so yet")
            }
            Self::DamagedFence { detail } => write!(f, "the fence cannot be read: {detail}"),
            Self::RecordUnread { detail } => write!(f, "the record could not be read: {detail}"),
            Self::Halted { why } => {
                write!(f, "halted until a person has looked and runs `redrover ack`: {why}")
            }
            Self::NotDurable => f.write_str("the journal takes no entries: no durable record, no action"),
            Self::Disturbed => f.write_str("the clock jumped or the agent stood still; observing first"),
            Self::WarmingUp { seen, needed } => write!(f, "warming up: {seen} of {needed} rounds seen"),
            Self::NoMajority { down, configured } => {
                write!(f, "{down} of {configured} configured vantages see it down, which is no majority")
            }
            Self::Switching => f.write_str("a switch is under way"),
            Self::NoTarget { site: Some(site), detail } => {
                write!(f, "no standby is fit to take over; {site}: {detail}")
            }
            Self::NoTarget { site: None, detail } => write!(f, "no standby is fit to take over: {detail}"),
            Self::LagAbove { seconds, limit_seconds } => write!(
                f,
                "the target was {seconds:.1} s behind before the outage; the limit is {limit_seconds:.1} s"
            ),
            Self::LagUnknown => f.write_str("no lag was measured recently enough before the outage"),
            Self::NoCapacity => f.write_str("the target cannot hold the load, or its memory is unknown"),
            Self::NoPromotion => f.write_str("the topology needs a promotion, and none is configured"),
            Self::Unfenceable { site } => {
                write!(f, "the old primary at {site} can be neither paused nor proven gone")
            }
            Self::SilentSite { site } => write!(
                f,
                "all of {site} is silent and there are fewer than three vantages: a cut line would look the same"
            ),
            Self::FewVantages { configured } => write!(
                f,
                "automatic needs three vantages in different failure domains, there are {configured}"
            ),
            Self::Flapping { penalty } => write!(f, "too many switches lately (penalty {penalty:.0})"),
            Self::TooSoon { remaining_seconds } => {
                write!(f, "the last switch is too recent; {remaining_seconds} s remain, or `redrover ack`")
            }
            Self::AttemptFailed { why } => write!(f, "the last attempt was given up: {why}"),
            Self::Paused => f.write_str("paused by a person; `redrover resume` ends it"),
            Self::NotLeading => f.write_str("this agent does not lead"),
            Self::Mode { mode } => write!(f, "the mode is {}", mode.as_str()),
            Self::StandbyDown { site } => write!(f, "the standby {site} does not serve: redundancy is lost"),
            Self::ConfigFault { site, gap } => {
                write!(f, "{site} refuses this agent ({gap}): credentials, permissions or TLS need a person")
            }
            Self::SelfCheckFailed { checks } => {
                write!(f, "this agent does not reach {checks}: its own eyes may be the problem")
            }
            Self::ClockOff { seconds } => {
                write!(f, "this agent's clock differs by {seconds} s or more from those of most vantages")
            }
            Self::Late { seconds } => {
                write!(
                    f,
                    "a look took {seconds:.1} s, far beyond its deadline: this agent does not get to run"
                )
            }
            Self::MassFailure { down, total } => write!(
                f,
                "{down} of {total} services look down at once from here: the place may be the problem"
            ),
            Self::Maintenance { site: Some(site) } => write!(f, "{site} is in maintenance"),
            Self::Maintenance { site: None } => f.write_str("the service is in maintenance"),
            Self::Silenced { id, by, comment } => {
                write!(f, "{by} has silenced its incidents in Alertmanager (silence {id}): {comment}")
            }
            Self::DryRun => f.write_str("dry run: nothing is changed"),
            Self::NoLeader => f.write_str("nobody leads: without a leader nothing moves by itself"),
            Self::RecordRefused { detail } => write!(f, "the provider refuses the record: {detail}"),
            Self::FellowActed { owner, epoch, active } => {
                write!(f, "{owner} has written the fence (epoch {epoch}); {active} is active")
            }
            Self::FellowClaims { owner, to } => write!(f, "{owner} has claimed the fence to move to {to}"),
            Self::Requested { by, to } => write!(f, "{by} asked to move to {to}"),
            Self::AlreadyThere { site } => write!(f, "the name points to {site} already"),
            Self::NotInStep { site, seconds: Some(seconds) } => {
                write!(f, "{site} is {seconds:.1} s behind; a planned switch waits until it is in step")
            }
            Self::NotInStep { site, seconds: None } => {
                write!(f, "how far {site} is behind is not known; a planned switch needs to know")
            }
            Self::NotLeft { site } => {
                write!(
                    f,
                    "{site} is not the site that was left last: there is no way back to it; order a failover"
                )
            }
            Self::NotStable { site, seconds, needed_seconds } => write!(
                f,
                "{site} is fit for {seconds} s of {needed_seconds} s; `redrover failback --early` does not wait for that"
            ),
            Self::FailbackReady { site, healthy_seconds, lag_seconds } => write!(
                f,
                "{site} was active before, is healthy for {healthy_seconds} s and {lag_seconds:.1} s behind: \
                 a person may move back"
            ),
            Self::Slow { milliseconds, usual_milliseconds } => write!(
                f,
                "the active site answers in {milliseconds:.1} ms, usually in {usual_milliseconds:.1} ms"
            ),
            Self::StandbyBehind { site, seconds } => {
                write!(f, "the standby {site} is {seconds:.1} s behind: it could not take over")
            }
            Self::LinkDown { site } => {
                write!(f, "the standby {site} does not hear from the active site, which serves")
            }
            Self::ControlUnavailable { site, code } => {
                write!(f, "the cluster at {site} calls its database unavailable ({code})")
            }
            Self::SourceSilent { source, site: Some(site), gap } => {
                write!(f, "{} at {site} says nothing ({gap})", source.as_str())
            }
            Self::SourceSilent { source, site: None, gap } => {
                write!(f, "{} says nothing ({gap})", source.as_str())
            }
            Self::Anomalous { score } => {
                write!(f, "the anomaly score is {score:.2}, and the active site serves")
            }
            Self::TtlDrift { found_seconds, configured_seconds } => write!(
                f,
                "the record lives {found_seconds} s in caches instead of {configured_seconds} s: \
                 clients would follow a switch that late"
            ),
        }
    }
}
