//! What a switch is news of: its begin, its end with all its steps, how the new site does after it, and the old primary.

use super::Chronicle;
use super::pen::{Pen, sentence};
use crate::act::notify::message::{Kind, Message};
use crate::act::notify::words::{Names, line, stopped_todo};
use crate::config::Level;
use crate::decide::saga::{Fencing, Outcome, Step};
use crate::decide::{Comparison, Plan};
use crate::types::SiteName;

impl Chronicle {
    pub(super) fn ticketed(&mut self, pen: Pen<'_>, plan: &Plan) -> Vec<Message> {
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

    pub(super) fn ended(&mut self, pen: Pen<'_>, outcome: &Outcome) -> Vec<Message> {
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

    pub(super) fn held(
        &mut self,
        pen: Pen<'_>,
        site: &SiteName,
        how: &[Fencing],
        error: Option<&str>,
    ) -> Vec<Message> {
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
            None if how.contains(&Fencing::Stopped) => {
                message
                    .done
                    .push("Its cluster has stopped its traffic, and that is looked after.".to_owned());
                message.todo = vec![stopped_todo(pen.service, site)];
            }
            None => message.done.push("Its writes are paused, and the pause is renewed.".to_owned()),
            Some(error) => {
                message.why.push(line(error));
                let tried = "To keep it from taking writes was tried, and is tried in every round.";
                message.done.push(tried.to_owned());
            }
        }
        self.lasts(message).into_iter().collect()
    }
}

/// How the new site does, some time after a switch.
pub(super) fn compared(pen: Pen<'_>, comparison: &Comparison) -> Message {
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

pub(super) fn step_words(step: &Step) -> String {
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
