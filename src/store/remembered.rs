//! What the entries of a service said up to a place, so that the oldest of them may be dropped. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Story;
use super::story::{Asked, Attempts, Track};
use crate::types::SiteName;

/// A story without its alerts, which have a chain of their own, and without a switch under way: there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Remembered {
    epoch: Option<u64>,
    is_paused: bool,
    halted: Option<String>,
    switches: Vec<i64>,
    active: Option<SiteName>,
    left: BTreeSet<SiteName>,
    abandoned: Option<Attempts>,
    acknowledged: Option<i64>,
    asked: Option<Asked>,
    /// As pairs: a key of JSON is a text, and this one may be absent.
    maintenance: Vec<(Option<SiteName>, i64)>,
    tracks: BTreeMap<String, Track>,
}

impl Remembered {
    /// What a story says; `None` while a switch is under way.
    #[must_use]
    pub fn of(story: &Story) -> Option<Self> {
        let Story {
            seq: _,
            epoch,
            is_paused,
            halted,
            firing: _,
            dropped: _,
            switches,
            unfinished: None,
            active,
            left,
            abandoned,
            incident: _,
            acknowledged,
            asked,
            maintenance,
            tracks,
            ..
        } = story.clone()
        else {
            return None;
        };
        Some(Self {
            epoch,
            is_paused,
            halted,
            switches,
            active,
            left,
            abandoned,
            acknowledged,
            asked,
            maintenance: maintenance.into_iter().collect(),
            tracks,
        })
    }

    /// Makes a story say this, whatever it said before.
    pub(super) fn recall(&self, story: &mut Story) {
        let known = self.clone();
        story.epoch = known.epoch;
        story.is_paused = known.is_paused;
        story.halted = known.halted;
        story.switches = known.switches;
        story.unfinished = None;
        story.active = known.active;
        story.left = known.left;
        story.abandoned = known.abandoned;
        story.acknowledged = known.acknowledged;
        story.asked = known.asked;
        story.maintenance = known.maintenance.into_iter().collect();
        story.tracks = known.tracks;
    }
}
