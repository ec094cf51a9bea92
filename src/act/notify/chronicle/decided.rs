//! What a decision is news of: the service as a whole, and reasons by themselves.

use super::pen::{Pen, sentence};
use super::{CONDITIONS_MAX, Chronicle};
use crate::act::notify::message::{Kind, Message, Phase};
use crate::act::notify::words::{Names, line, todo_about};
use crate::config::Level;
use crate::decide::{AlertLevel, Decision, Health, Reason, Strength, Verdict, Veto};
use crate::types::{ServiceName, SiteName};

/// Reasons that one message repeats.
const WHY_MAX: usize = 12;

impl Chronicle {
    pub(super) fn decided(&mut self, pen: Pen<'_>, decision: &Decision) -> Vec<Message> {
        let mut messages = Vec::new();
        self.active = decision.active.clone().or(self.active.take());
        if let Some(former) = self.incident.take()
            && decision.incident.as_ref() != Some(&former)
        {
            // Usually its closing has told that; after a restart it may be missing.
            let is_closing = decision.closing.as_ref().is_some_and(|closing| closing.incident == former);
            if !is_closing {
                messages.extend(self.closed(pen, &former, true));
            }
        }
        self.incident = decision.incident.clone();
        self.why = decision.reasons.iter().take(WHY_MAX).map(|r| line(&r.to_string())).collect();
        match headline(decision) {
            Some((kind, level)) => {
                let names = Names {
                    service: pen.service,
                    from: decision.active.as_ref(),
                    to: decision.target.as_ref(),
                };
                let mut message = pen.write(kind, level, names);
                message.happened = happened(kind, decision);
                message.why = self.why.clone();
                message.done = vec!["Nothing was moved.".to_owned()];
                messages.extend(self.about_incident(message));
                // A halt lasts; what else happens meanwhile is news all the same.
                if decision.verdict == Verdict::Halt {
                    messages.extend(self.new_notices(pen, decision));
                }
            }
            None => messages.extend(self.new_notices(pen, decision)),
        }
        messages.extend(self.ended_notices(pen, decision));
        messages
    }

    /// Reasons that are news by themselves.
    fn new_notices(&mut self, pen: Pen<'_>, decision: &Decision) -> Vec<Message> {
        let mut messages = Vec::new();
        for reason in &decision.reasons {
            let level = match reason.level() {
                AlertLevel::None => continue,
                AlertLevel::Info => Level::Info,
                AlertLevel::Warn => Level::Warning,
                AlertLevel::Page => Level::Error,
            };
            let key = notice_key(pen.service, reason);
            // A person's order is told when it is read, and why the service is halted with the halt.
            let halts = |veto: &Veto| veto.strength == Strength::Halt && veto.reason == *reason;
            let is_told = matches!(reason, Reason::Requested { .. })
                || decision.vetoes.iter().any(halts)
                || self.conditions.contains_key(&key);
            if is_told || self.conditions.len() >= CONDITIONS_MAX {
                continue;
            }
            let site = reason.site();
            let names = Names { service: pen.service, from: site, to: None };
            let mut message = pen.write(Kind::Notice, level, names);
            message.condition = reason.label().to_owned();
            message.datacenter = site.cloned();
            message.key.clone_from(&key);
            message.title = format!("{}: {}", pen.service, line(&reason.to_string()));
            message.happened = sentence(&line(&reason.to_string()));
            message.done = vec!["Nothing.".to_owned()];
            message.todo = todo_about(reason.label(), pen.service, site);
            message.phase = if level == Level::Info { Phase::Alone } else { Phase::Lasts };
            self.conditions.insert(key, message.clone());
            messages.push(message);
        }
        messages
    }

    /// Lasting reasons that the decision no longer gives.
    fn ended_notices(&mut self, pen: Pen<'_>, decision: &Decision) -> Vec<Message> {
        let stands = |message: &Message| match message.kind {
            Kind::Notice => decision.reasons.iter().any(|r| notice_key(pen.service, r) == message.key),
            Kind::OldPrimaryHeld | Kind::TwoPrimaries => {
                decision.orders.iter().any(|order| Some(&order.pause) == message.datacenter.as_ref())
            }
            // These last as long as their incident.
            Kind::Outage
            | Kind::Recommended
            | Kind::Halted
            | Kind::SwitchBegun
            | Kind::Switched
            | Kind::SwitchGivenUp
            | Kind::PromotedNotSwitched
            | Kind::ForeignChange
            | Kind::ClaimCleared
            | Kind::OrderWaits
            | Kind::Ordered
            | Kind::Acknowledged
            | Kind::Adopted
            | Kind::Over
            | Kind::JournalLost => true,
        };
        let over: Vec<String> =
            self.conditions.values().filter(|m| !stands(m)).map(|m| m.key.clone()).collect();
        let ended = over.iter().filter_map(|key| self.conditions.remove(key));
        ended.filter(|message| message.phase != Phase::Alone).map(|message| pen.over(&message)).collect()
    }
}

/// What a decision says of the service as a whole, where people must hear of that.
///
/// A first suspicion is none of it: until the window is full, a blip wakes nobody.
fn headline(decision: &Decision) -> Option<(Kind, Level)> {
    let has = |label: &str| decision.reasons.iter().any(|r| r.label() == label);
    match decision.verdict {
        Verdict::Failover => None,
        // That nothing will be moved makes an outage no smaller.
        Verdict::Halt if decision.is_outage && has_failed(decision) => Some((Kind::Outage, Level::Critical)),
        Verdict::Halt if decision.level == AlertLevel::Page => Some((Kind::Halted, Level::Critical)),
        Verdict::Halt => Some((Kind::Halted, Level::Warning)),
        Verdict::Recommend if has("failback_ready") => None,
        Verdict::Recommend => Some((Kind::Recommended, Level::Critical)),
        Verdict::Hold if has("switching") => None,
        Verdict::Hold if has("requested") => Some((Kind::OrderWaits, Level::Warning)),
        Verdict::Hold if decision.is_outage && decision.level == AlertLevel::Page => {
            Some((Kind::Outage, Level::Critical))
        }
        Verdict::Hold => None,
    }
}

/// Whether the active site has failed for the whole confirm window.
fn has_failed(decision: &Decision) -> bool {
    let is_active = |site: &SiteName| Some(site) == decision.active.as_ref();
    decision.health.iter().any(|(site, health)| is_active(site) && *health == Health::Failed)
}

fn happened(kind: Kind, decision: &Decision) -> String {
    let active = decision.active.as_ref().map_or("the active site", SiteName::as_str);
    let seen = format!(
        "{} of {} vantages see {active} down; confidence {:.2}.",
        decision.down_votes,
        decision.vantages,
        decision.confidence.confidence.get()
    );
    match kind {
        Kind::Halted => "Automation is halted.".to_owned(),
        Kind::OrderWaits => "A person ordered a move, and it cannot be followed yet.".to_owned(),
        Kind::Outage
        | Kind::Recommended
        | Kind::SwitchBegun
        | Kind::Switched
        | Kind::SwitchGivenUp
        | Kind::PromotedNotSwitched
        | Kind::ForeignChange
        | Kind::ClaimCleared
        | Kind::OldPrimaryHeld
        | Kind::TwoPrimaries
        | Kind::Ordered
        | Kind::Acknowledged
        | Kind::Adopted
        | Kind::Notice
        | Kind::Over
        | Kind::JournalLost => seen,
    }
}

fn notice_key(service: &ServiceName, reason: &Reason) -> String {
    // Two sources may be silent at once.
    let label = if let Reason::SourceSilent { source, .. } = reason {
        format!("{}/{}", reason.label(), source.label())
    } else {
        reason.label().to_owned()
    };
    match reason.site() {
        Some(site) => format!("{service}/{label}/{site}"),
        None => format!("{service}/{label}"),
    }
}
