//! A record that two zones of one name hold: one state while they agree, and a state of its own kind while they do not.

use std::collections::BTreeSet;

use super::{RecordState, ResourceSet};

/// Marks what the second zone holds: `zone=<id>/<ttl> <value>`.
const ZONE: &str = "zone=";
/// Stands where there is no set.
const NOTHING: &str = "-";

impl RecordState {
    /// What two zones hold, as one state. Where they hold the same it is that, with the longer TTL. Where not, the values
    /// of the second zone stand beside those of the first, each with the zone's id, so that the state is like no other:
    /// nothing that is expected or wanted ever looks so.
    #[must_use]
    pub fn joined(first: &Self, second: &Self, id: &str) -> Self {
        Self {
            record: join(first.record.as_ref(), second.record.as_ref(), id),
            fence: join(first.fence.as_ref(), second.fence.as_ref(), id),
        }
    }

    /// What each of two zones holds, where they do not hold the same.
    #[must_use]
    pub fn parted(&self) -> Option<(Self, Self)> {
        let is_marked = |set: &Option<ResourceSet>| {
            set.as_ref().is_some_and(|set| set.values.iter().any(|value| value.starts_with(ZONE)))
        };
        if !is_marked(&self.record) && !is_marked(&self.fence) {
            return None;
        }
        let (record, fence) = (part(self.record.as_ref()), part(self.fence.as_ref()));
        Some((Self { record: record.0, fence: fence.0 }, Self { record: record.1, fence: fence.1 }))
    }

    /// Whether another state holds the same values, whatever the TTLs.
    #[must_use]
    pub fn has_values_of(&self, other: &Self) -> bool {
        let values = |state: &Self| {
            [&state.record, &state.fence].map(|set| set.as_ref().map(|set| set.values.clone()))
        };
        values(self) == values(other)
    }
}

fn join(first: Option<&ResourceSet>, second: Option<&ResourceSet>, id: &str) -> Option<ResourceSet> {
    let values = |set: Option<&ResourceSet>| set.map(|set| set.values.clone());
    let ttl = |set: Option<&ResourceSet>| set.map_or(0, |set| set.ttl_seconds);
    if values(first) == values(second) {
        let ttl_seconds = ttl(first).max(ttl(second));
        return values(first).map(|values| ResourceSet { ttl_seconds, values });
    }
    let or_nothing = |set| values(set).unwrap_or_else(|| BTreeSet::from([NOTHING.to_owned()]));
    let mark = |value: String| format!("{ZONE}{id}/{} {value}", ttl(second));
    let mut both = or_nothing(first);
    both.extend(or_nothing(second).into_iter().map(mark));
    Some(ResourceSet { ttl_seconds: ttl(first), values: both })
}

fn part(set: Option<&ResourceSet>) -> (Option<ResourceSet>, Option<ResourceSet>) {
    let Some(set) = set else { return (None, None) };
    let (mut first, mut second, mut ttl_seconds) = (BTreeSet::new(), BTreeSet::new(), 0);
    for value in &set.values {
        let marked = value.strip_prefix(ZONE).and_then(|rest| rest.split_once(' '));
        match marked {
            Some((mark, value)) => {
                ttl_seconds = mark.rsplit_once('/').and_then(|(_, ttl)| ttl.parse().ok()).unwrap_or(0);
                second.insert(value.to_owned());
            }
            None => {
                first.insert(value.clone());
            }
        }
    }
    if second.is_empty() {
        return (Some(set.clone()), Some(set.clone()));
    }
    let held = |ttl_seconds, values: BTreeSet<String>| {
        let is_nothing = values.len() == 1 && values.contains(NOTHING);
        (!is_nothing).then_some(ResourceSet { ttl_seconds, values })
    };
    (held(set.ttl_seconds, first), held(ttl_seconds, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(record: Option<(&str, u32)>, fence: Option<&str>) -> RecordState {
        RecordState {
            record: record.map(|(value, ttl)| ResourceSet::single(ttl, value)),
            fence: fence.map(|text| ResourceSet::single(60, text)),
        }
    }

    #[test]
    fn zones_that_agree_are_one_state() {
        let one = state(Some(("a.test", 5)), Some("v=1"));
        assert_eq!(RecordState::joined(&one, &one, "Z2"), one);
        let slower = state(Some(("a.test", 30)), Some("v=1"));
        assert_eq!(RecordState::joined(&one, &slower, "Z2"), slower, "the longer time to live counts");
        assert_eq!(RecordState::joined(&slower, &one, "Z2"), slower);
        assert_eq!(slower.parted(), None);
        let nothing = state(None, None);
        assert_eq!(RecordState::joined(&nothing, &nothing, "Z2"), nothing);
    }

    #[test]
    fn zones_that_do_not_agree_are_told_apart_again() {
        let rows = [
            (
                state(Some(("a.test", 5)), Some("v=1;epoch=2")),
                state(Some(("a.test", 7)), Some("v=1;epoch=1")),
            ),
            (
                state(Some(("b.test", 5)), Some("v=1;epoch=2")),
                state(Some(("a.test", 7)), Some("v=1;epoch=1")),
            ),
            (
                state(Some(("b.test", 5)), Some("v=1;epoch=1")),
                state(Some(("a.test", 5)), Some("v=1;epoch=1")),
            ),
            (state(Some(("a.test", 5)), Some("v=1;epoch=1")), state(Some(("a.test", 5)), None)),
            (state(None, None), state(Some(("a.test", 5)), Some("v=1;epoch=1"))),
            (state(Some(("a.test", 5)), None), state(None, None)),
        ];
        for (first, second) in rows {
            let both = RecordState::joined(&first, &second, "Z2");
            let (one, two) = both.parted().unwrap();
            assert!(one.has_values_of(&first), "{both:?}");
            assert!(two.has_values_of(&second), "{both:?}");
            for alone in [&first, &second] {
                assert_ne!(both, *alone);
                assert!(!both.has_values_of(alone), "a state apart is like neither of its parts");
            }
        }
    }
}
