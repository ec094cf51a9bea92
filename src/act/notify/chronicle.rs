//! From the entries of the journal to messages: what is news, what goes on, what is over. Pure.

use std::collections::BTreeMap;

use super::message::{Kind, Message, NOTHING, Phase};
use super::words::{Names, line, title, todo, todo_about};
use crate::config::Level;
use crate::decide::saga::{Fencing, Outcome, Step};
use crate::decide::{AlertLevel, Comparison, Decision, Health, Plan, Reason, Strength, Verdict, Veto};
use crate::store::{Body, Entry, OperatorAction};
use crate::types::{ServiceName, SiteName};

/// Reasons that one message repeats.
const WHY_MAX: usize = 12;
/// Conditions of one service that last at the same time.
const CONDITIONS_MAX: usize = 64;

/// What is remembered of one service between its messages.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Chronicle {
    incident: Option<String>,
    active: Option<SiteName>,
    why: Vec<String>,
    plan: Option<Box<Plan>>,
    /// Why the switch was begun.
    plan_why: Vec<String>,
    steps: Vec<String>,
    /// What lasts, by key: the last message about it.
    conditions: BTreeMap<String, Message>,
}

impl Chronicle {
    /// What lasts: the last message about each condition.
    pub fn lasting(&self) -> impl Iterator<Item = &Message> {
        self.conditions.values().filter(|message| message.phase == Phase::Lasts)
    }

    /// Tells one more entry about the service; returns what people must hear of it.
    pub fn tell(&mut self, entry: &Entry) -> Vec<Message> {
        let pen = Pen { service: &entry.service, at_unix_ms: entry.at_unix_ms };
        match &entry.body {
            Body::Decided { decision, .. } => self.decided(pen, decision),
            Body::Ticketed { plan } => self.ticketed(pen, plan),
            Body::Stepped { step, .. } => {
                self.steps.push(step_words(step));
                Vec::new()
            }
            Body::Ended { outcome, .. } => self.ended(pen, outcome),
            Body::Held { site, error } => self.held(pen, site, error.as_deref()),
            Body::Ordered { action, by } => self.ordered(pen, action, by),
            Body::Adopted { epoch, active, .. } => {
                let names = Names { service: pen.service, from: None, to: Some(active) };
                let mut message = pen.write(Kind::Adopted, Level::Info, names);
                message.happened = format!("The fence was written with epoch {epoch}; {active} is active.");
                message.done = vec!["redrover watches, and acts as its mode allows.".to_owned()];
                vec![message]
            }
            Body::Compared { comparison } => vec![compared(pen, comparison)],
            Body::Closed { closing } => self.closed(pen, &closing.incident, closing.confirmed),
            // The decision that froze the service has told why, and another agent's switch is its own to tell.
            Body::Halted { .. } | Body::Observed { .. } | Body::Notified { .. } => Vec::new(),
            // Nothing that anybody must hear of: it stands in the journal.
            Body::Configured { .. }
            | Body::Denied { .. }
            | Body::Dropped { .. }
            | Body::Remembered { .. } => Vec::new(),
        }
    }

    fn decided(&mut self, pen: Pen<'_>, decision: &Decision) -> Vec<Message> {
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

    fn ticketed(&mut self, pen: Pen<'_>, plan: &Plan) -> Vec<Message> {
        self.plan = Some(Box::new(plan.clone()));
        self.plan_why.clone_from(&self.why);
        self.steps.clear();
        if plan.is_clearing() {
            return Vec::new();
        }
        let names = Names { service: pen.service, from: Some(&plan.from), to: Some(&plan.to) };
        let mut message = pen.write(Kind::SwitchBegun, Level::Critical, names);
        message.happened =
            format!("redrover begins to move {} from {} to {}.", pen.service, plan.from, plan.to);
        message.why = self.why.clone();
        message.done =
            vec!["The intent is written down; the target is looked at once more first.".to_owned()];
        self.about_incident(message).into_iter().collect()
    }

    fn ended(&mut self, pen: Pen<'_>, outcome: &Outcome) -> Vec<Message> {
        let plan = self.plan.take();
        let (from, to) = plan.as_ref().map(|p| (p.from.clone(), p.to.clone())).unzip();
        let names = Names { service: pen.service, from: from.as_ref(), to: to.as_ref() };
        let (kind, level, happened) = match outcome {
            Outcome::Switched => {
                (Kind::Switched, Level::Critical, "The name points to the new site.".to_owned())
            }
            Outcome::Cleared => (
                Kind::ClaimCleared,
                Level::Info,
                "A claim that nobody followed up was taken back.".to_owned(),
            ),
            Outcome::Abandoned { why } if plan.as_ref().is_some_and(|p| p.is_clearing()) => (
                Kind::ClaimCleared,
                Level::Info,
                sentence(&line(&format!("a dead claim still stands: {why}"))),
            ),
            Outcome::Abandoned { why } => (Kind::SwitchGivenUp, Level::Critical, sentence(&line(why))),
            Outcome::PromotedNotSwitched { why } => {
                (Kind::PromotedNotSwitched, Level::Critical, sentence(&line(why)))
            }
            Outcome::Foreign { why } => (Kind::ForeignChange, Level::Critical, sentence(&line(why))),
        };
        let mut message = pen.write(kind, level, names);
        message.happened = happened;
        message.why = std::mem::take(&mut self.plan_why);
        message.done = std::mem::take(&mut self.steps);
        if message.done.is_empty() {
            message.done.push("Nothing was changed.".to_owned());
        }
        if kind == Kind::ClaimCleared {
            return vec![message];
        }
        self.about_incident(message).into_iter().collect()
    }

    fn held(&mut self, pen: Pen<'_>, site: &SiteName, error: Option<&str>) -> Vec<Message> {
        let (kind, level) = match error {
            None => (Kind::OldPrimaryHeld, Level::Error),
            Some(_) => (Kind::TwoPrimaries, Level::Critical),
        };
        let names = Names { service: pen.service, from: Some(site), to: None };
        let mut message = pen.write(kind, level, names);
        message.condition = "old_primary".to_owned();
        message.key = format!("{}/old_primary/{site}", pen.service);
        message.datacenter = Some(site.clone());
        message.happened = format!("The old primary at {site} answers again, and claims to be one.");
        match error {
            None => message.done.push("Its writes are paused, and the pause is renewed.".to_owned()),
            Some(error) => {
                message.why.push(line(error));
                message.done.push("Pausing its writes was tried, and is tried in every round.".to_owned());
            }
        }
        self.lasts(message).into_iter().collect()
    }

    fn ordered(&mut self, pen: Pen<'_>, action: &OperatorAction, by: &str) -> Vec<Message> {
        let names = Names { service: pen.service, from: None, to: None };
        let acknowledged = matches!(action, OperatorAction::Acknowledge { .. });
        let kind = if acknowledged { Kind::Acknowledged } else { Kind::Ordered };
        let mut message = pen.write(kind, Level::Info, names);
        message.title = format!("{}: {} ordered {}", pen.service, line(by), line(&action.to_string()));
        message.happened = format!("A person, {}, ordered: {}.", line(by), line(&action.to_string()));
        message.done = vec![
            match action {
                OperatorAction::Demote { .. } => {
                    "It was written down before it was done, by the command itself."
                }
                OperatorAction::Pause
                | OperatorAction::Resume
                | OperatorAction::Acknowledge { .. }
                | OperatorAction::Failover { .. }
                | OperatorAction::Failback { .. }
                | OperatorAction::Maintain { .. } => "It was written down; the next round follows it.",
            }
            .to_owned(),
        ];
        if acknowledged
            && let Some(incident) = &self.incident
            && let Some(condition) = self.conditions.get(&incident_key(incident))
        {
            message.phase = Phase::Acknowledged;
            message.key.clone_from(&condition.key);
            message.condition.clone_from(&condition.condition);
            message.incident.clone_from(&condition.incident);
        }
        vec![message]
    }

    fn closed(&mut self, pen: Pen<'_>, incident: &str, confirmed: bool) -> Vec<Message> {
        let Some(condition) = self.conditions.remove(&incident_key(incident)) else { return Vec::new() };
        let mut message = pen.over(&condition);
        if !confirmed {
            message.why.push("No majority ever saw the active site down for the whole window.".to_owned());
        }
        vec![message]
    }

    /// A message about the present incident: only what is new about it.
    fn about_incident(&mut self, mut message: Message) -> Option<Message> {
        message.datacenter = self.active.clone();
        let Some(incident) = &self.incident else { return Some(message) };
        message.key = incident_key(incident);
        message.incident = Some(incident.clone());
        message.condition = "incident".to_owned();
        self.lasts(message)
    }

    fn lasts(&mut self, mut message: Message) -> Option<Message> {
        message.phase = Phase::Lasts;
        if let Some(former) = self.conditions.get(&message.key) {
            let urgent = former.level.max(message.level);
            // The halt that follows such an end says nothing that the end has not said.
            let is_halted_by = matches!(former.kind, Kind::PromotedNotSwitched | Kind::ForeignChange);
            let says_the_same = former.kind == message.kind && !message.kind.is_failover();
            if (says_the_same && former.level >= message.level)
                || (message.kind == Kind::Halted && is_halted_by)
            {
                return None;
            }
            message.since_unix_ms = former.since_unix_ms;
            // The site that it began at, also after the name has moved: what keeps incidents knows them by it.
            message.datacenter.clone_from(&former.datacenter);
            message.level_before = Some(former.level).filter(|level| *level != urgent);
            message.level = urgent;
        } else if self.conditions.len() >= CONDITIONS_MAX {
            return Some(message);
        }
        self.conditions.insert(message.key.clone(), message.clone());
        Some(message)
    }
}

/// What every message of one entry has in common.
#[derive(Clone, Copy)]
struct Pen<'a> {
    service: &'a ServiceName,
    at_unix_ms: i64,
}

impl Pen<'_> {
    /// A message that stands alone, to be filled in.
    fn write(self, kind: Kind, level: Level, names: Names<'_>) -> Message {
        Message {
            key: format!("{}/{}", self.service, kind.as_str()),
            condition: kind.as_str().to_owned(),
            service: self.service.clone(),
            datacenter: None,
            incident: None,
            kind,
            phase: Phase::Alone,
            level,
            level_before: None,
            at_unix_ms: self.at_unix_ms,
            since_unix_ms: self.at_unix_ms,
            title: title(kind, names),
            happened: String::new(),
            why: Vec::new(),
            done: Vec::new(),
            todo: todo(kind, names),
            earlier: Vec::new(),
            held_back: 0,
        }
    }

    /// The end of what a message told.
    fn over(self, condition: &Message) -> Message {
        let told = condition.title.strip_prefix(&format!("{}: ", self.service)).unwrap_or(&condition.title);
        Message {
            kind: Kind::Over,
            phase: Phase::Over,
            level_before: None,
            at_unix_ms: self.at_unix_ms,
            title: format!("{}: over: {told}", self.service),
            happened: sentence(&format!("it is over: {told}")),
            why: Vec::new(),
            done: vec!["Nothing more.".to_owned()],
            todo: vec![NOTHING.to_owned()],
            ..condition.clone()
        }
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

/// How the new site does, some time after a switch.
fn compared(pen: Pen<'_>, comparison: &Comparison) -> Message {
    let is_conspicuous = comparison.is_conspicuous();
    let level = if is_conspicuous { Level::Warning } else { Level::Info };
    let (from, to) = (Some(&comparison.from), Some(&comparison.to));
    let mut message = pen.write(Kind::Notice, level, Names { service: pen.service, from, to });
    message.key = format!("{}/comparison", pen.service);
    message.condition = "comparison".to_owned();
    message.incident.clone_from(&comparison.incident);
    message.datacenter = to.cloned();
    let how = if is_conspicuous {
        "something has changed since the switch"
    } else {
        "all is well since the switch"
    };
    message.title = format!("{}: {}: {how}", pen.service, comparison.to);
    let (seconds, rounds, failed) = (comparison.seconds, comparison.rounds, comparison.failed_rounds);
    message.happened =
        format!("{} was watched for {seconds} s; {failed} of {rounds} looks failed.", comparison.to);
    message.why = comparison.lines();
    message.done =
        vec![format!("Its numbers were compared with those of {} before the outage.", comparison.from)];
    if is_conspicuous {
        message.todo = vec![format!("Look at what is marked, at {} and at the applications.", comparison.to)];
    }
    message
}

fn incident_key(incident: &str) -> String {
    format!("incident/{incident}")
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

fn step_words(step: &Step) -> String {
    match step {
        Step::Claimed => "The fence was claimed.".to_owned(),
        Step::Fenced { how } => {
            let how = how.iter().map(|how| match how {
                Fencing::Paused => "paused",
                Fencing::Gone => "gone",
                Fencing::Stopped => "cut off from its clients by its cluster",
                Fencing::Waived => "not fenced, as the configuration allows",
            });
            format!("The old primary takes no writes: {}.", how.collect::<Vec<_>>().join(", "))
        }
        Step::CaughtUp { .. }
        | Step::Prepared { .. }
        | Step::Reached { .. }
        | Step::Following
        | Step::Followed { .. } => sentence(&line(&step.to_string())),
        Step::Promoting => "The promotion was ordered.".to_owned(),
        Step::Promoted => "The new site says that it is a primary.".to_owned(),
        Step::Proven => "A write to the new site was read back.".to_owned(),
        Step::Switched => "Record and fence name the new site.".to_owned(),
        Step::Verified { answers } => line(&format!("The name servers answer: {answers}.")),
    }
}

/// A line as a sentence.
fn sentence(line: &str) -> String {
    let mut chars = line.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let rest = chars.as_str();
    if rest.ends_with(['.', '…', '!', '?']) { format!("{first}{rest}") } else { format!("{first}{rest}.") }
}
