//! The sentences of a message that no reason says by itself: its title, and what a person should do now.

use super::message::{Kind, NOTHING};
use crate::types::{ServiceName, SiteName};

/// Longest line of a message, in characters; a provider's words may be long.
const LINE_CHARS_MAX: usize = 500;

/// Names that a title and an advice need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) service: &'a ServiceName,
    /// The site in question: the active one, or the one to leave.
    pub(super) from: Option<&'a SiteName>,
    /// Where to.
    pub(super) to: Option<&'a SiteName>,
}

/// The title.
pub(super) fn title(kind: Kind, names: Names<'_>) -> String {
    let service = names.service;
    let (from, to) = (shown(names.from), shown(names.to));
    match kind {
        Kind::Outage => format!("{service}: {from} is down, and nothing is moved"),
        Kind::Recommended => format!("{service}: {from} is down; a person should move to {to}"),
        Kind::Halted => format!("{service}: halted until a person has looked"),
        Kind::SwitchBegun => format!("{service}: moving from {from} to {to}"),
        Kind::Switched => format!("{service}: moved from {from} to {to}"),
        Kind::SwitchGivenUp => format!("{service}: the move from {from} to {to} was given up"),
        Kind::PromotedNotSwitched => {
            format!("{service}: {to} is promoted, but the name still points to {from}")
        }
        Kind::ForeignChange => format!("{service}: somebody else changed the record"),
        Kind::ClaimCleared => format!("{service}: a dead claim was taken back"),
        Kind::OldPrimaryHeld => {
            format!("{service}: the old primary {from} is back, and is kept from taking writes")
        }
        Kind::TwoPrimaries => format!("{service}: two primaries take writes, {from} cannot be kept from it"),
        Kind::OrderWaits => format!("{service}: an ordered move waits"),
        Kind::Ordered => format!("{service}: a person's order was read"),
        Kind::Acknowledged => format!("{service}: acknowledged"),
        Kind::Adopted => format!("{service}: adopted, {to} is active"),
        Kind::Notice => format!("{service}: something needs a look"),
        Kind::Over => format!("{service}: over"),
        Kind::JournalLost => format!("{service}: the journal takes no entries"),
    }
}

/// What a person should do now.
pub(super) fn todo(kind: Kind, names: Names<'_>) -> Vec<String> {
    let service = names.service;
    let (from, to) = (shown(names.from), shown(names.to));
    let explain = format!("Ask why: redrover explain {service}");
    let lines = match kind {
        Kind::Outage => {
            vec![format!("Bring {from} back, or remove what stands against a move."), explain]
        }
        Kind::Recommended => {
            vec![explain, format!("If you agree: redrover failover {service} --to {to}")]
        }
        Kind::Halted => vec![
            explain,
            format!("When record and fence are right: redrover ack {service}, or redrover adopt {service}"),
        ],
        Kind::SwitchBegun => vec![format!("To stop it before the name moves: redrover pause {service}")],
        Kind::Switched => vec![
            format!("Check that clients work at {to}."),
            format!("Find out what happened at {from}; when it is back, make it a replica."),
            format!("When you have looked: redrover ack {service}"),
        ],
        Kind::SwitchGivenUp => vec![explain],
        Kind::PromotedNotSwitched => vec![
            format!("Decide which side stays primary. To go on, let the record point to {to} by hand."),
            format!("Then: redrover adopt {service}, and redrover ack {service}"),
        ],
        Kind::ForeignChange => vec![
            "Find out who changed it.".to_owned(),
            format!(
                "To accept the record as it stands: redrover adopt {service}, then redrover ack {service}"
            ),
        ],
        Kind::OldPrimaryHeld => {
            vec![format!(
                "Make {from} a replica of the new primary: redrover demote {service} --datacenter {from}; it is held \
                 until then."
            )]
        }
        Kind::TwoPrimaries => vec![format!("Stop {from}, or make it a replica, now: its writes get lost.")],
        Kind::OrderWaits => vec![explain],
        Kind::ClaimCleared
        | Kind::Ordered
        | Kind::Acknowledged
        | Kind::Adopted
        | Kind::Notice
        | Kind::Over
        | Kind::JournalLost => Vec::new(),
    };
    if lines.is_empty() { vec![NOTHING.to_owned()] } else { lines }
}

/// What a person should do about the source of a Replica Of that comes back.
pub(super) fn stopped_todo(service: &ServiceName, site: &SiteName) -> String {
    format!(
        "At its cluster, make {site} a copy (Replica Of) of the database that {service} points to; its traffic is stopped \
         until then."
    )
}

/// What a person should do about a lasting reason.
pub(super) fn todo_about(label: &str, service: &ServiceName, site: Option<&SiteName>) -> Vec<String> {
    let site = shown(site);
    vec![match label {
        "standby_down" => format!("Bring {site} back: until then nothing can take over."),
        "standby_behind" | "link_down" => format!("Look at the replication to {site}."),
        "config_fault" => {
            format!("Mend the credentials, permissions or certificates that redrover uses at {site}.")
        }
        "control_unavailable" => format!("Look at the cluster at {site}."),
        "source_silent" => "Mend the source, or remove it from the configuration.".to_owned(),
        "self_check_failed" | "clock_off" | "late" | "disturbed" => {
            "Look at the machine that redrover runs on.".to_owned()
        }
        "record_unread" => "Look at the DNS provider and redrover's rights there.".to_owned(),
        "failback_ready" => format!("When it suits you: redrover failback {service}"),
        "ttl_drift" => format!("Give the record its configured time to live, then redrover adopt {service}."),
        _ => format!("Ask why: redrover explain {service}"),
    }]
}

fn shown(site: Option<&SiteName>) -> &str {
    site.map_or("no site", SiteName::as_str)
}

/// A foreign text as one line of bounded length.
pub(super) fn line(text: &str) -> String {
    let clean: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LINE_CHARS_MAX).collect();
    if clean.len() < text.len() { format!("{clean}…") } else { clean }
}
