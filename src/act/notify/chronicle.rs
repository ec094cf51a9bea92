//! From the entries of the journal to messages: what is news, what goes on, what is over. Pure.

mod decided;
mod pen;
mod switches;

use std::collections::BTreeMap;

use self::pen::Pen;
use self::switches::{compared, step_words};
use super::message::{Kind, Message, Phase};
use super::words::{Names, line};
use crate::config::Level;
use crate::decide::Plan;
use crate::store::{Body, Entry, OperatorAction};
use crate::types::SiteName;

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
            Body::Held { site, error, how } => self.held(pen, site, how, error.as_deref()),
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

fn incident_key(incident: &str) -> String {
    format!("incident/{incident}")
}
