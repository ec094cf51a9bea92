//! What became of one service in one run: who served when, and whom the record named.

use std::time::Duration;

use crate::sim::language::Scenario;
use crate::sim::play::Record;
use crate::sim::world::{VISIBLE_AFTER, What, moves};

/// From a moment on, until just before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Duration,
    pub(super) until: Duration,
}

impl Span {
    pub(super) fn contains(self, at: Duration) -> bool {
        self.from <= at && at < self.until
    }

    pub(super) fn length(self) -> Duration {
        self.until.saturating_sub(self.from)
    }

    pub(super) fn overlap(self, other: Self) -> Duration {
        let both = Self { from: self.from.max(other.from), until: self.until.min(other.until) };
        both.length()
    }
}

/// A time in which the record names one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) member: usize,
    pub(super) span: Span,
}

/// What became of one service.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// When it ends; it begins with the world.
    pub(super) end: Duration,
    /// Who serves, by member, from each moment on; the first one is the beginning.
    pub(super) truth: Vec<(Duration, Vec<bool>)>,
    /// The member that the record names at first.
    pub(super) first: usize,
    /// When the record was moved, and to which member.
    pub(super) moves: Vec<(Duration, usize)>,
    /// Every application has followed a move after so long.
    pub(super) follow: Duration,
}

impl History {
    /// The history of the first service of a scenario that was played.
    pub(super) fn of(record: &Record, scenario: &Scenario) -> Self {
        let member = |state: &crate::types::RecordState| {
            let value = state.record.as_ref()?.values.first()?;
            record.layout.member_of_value(0, value)
        };
        let moved = record.trace.iter().filter_map(|line| {
            let What::Changed { service: 0, before, after, .. } = &line.what else { return None };
            if moves(before, after) { Some((line.at, member(after)?)) } else { None }
        });
        let serving = |known: &Vec<Vec<bool>>| known.first().cloned().unwrap_or_default();
        Self {
            end: record.end.at,
            truth: record.truth.iter().map(|truth| (truth.from, serving(&truth.serving))).collect(),
            first: record.layout.active,
            moves: moved.collect(),
            follow: VISIBLE_AFTER + scenario.world.ttl,
        }
    }

    /// The times in which something was so, each as long as it is.
    pub(super) fn when(&self, is_so: impl Fn(&[bool]) -> bool) -> Vec<Span> {
        let ends = self.truth.iter().skip(1).map(|(from, _)| *from).chain([self.end]);
        let mut spans: Vec<Span> = Vec::new();
        for ((from, serving), until) in self.truth.iter().zip(ends) {
            if !is_so(serving) || until <= *from {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.until == *from => last.until = until,
                Some(_) | None => spans.push(Span { from: *from, until }),
            }
        }
        spans
    }

    /// Whether a member serves at a moment.
    pub(super) fn serves(&self, member: usize, at: Duration) -> bool {
        let standing = self.truth.iter().rev().find(|(from, _)| *from <= at);
        standing.is_some_and(|(_, serving)| serving[member])
    }

    /// The times in which the record named one member, in order.
    pub(super) fn stays(&self) -> Vec<Stay> {
        let begins = [(Duration::ZERO, self.first)].into_iter().chain(self.moves.iter().copied());
        let ends = self.moves.iter().map(|(at, _)| *at).chain([self.end]);
        let stay = |((from, member), until)| Stay { member, span: Span { from, until } };
        begins.zip(ends).map(stay).collect()
    }
}

/// Takes spans that are no more than `gap` apart for one.
pub(super) fn merged(spans: Vec<Span>, gap: Duration) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from.saturating_sub(last.until) < gap => last.until = span.until,
            Some(_) | None => merged.push(span),
        }
    }
    merged
}
