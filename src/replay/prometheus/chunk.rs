//! One chunk of answers, laid out by step: who saw what of which target.

use std::collections::BTreeMap;
use std::time::Duration;

use super::query::{OF_SERVICE, names};
use crate::config::Service;
use crate::monitor::RangeSeries;
use crate::types::SiteName;

/// Whose look a series is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Eye {
    /// An agent's, by the address at which Prometheus scrapes it.
    Agent(String),
    /// Another exporter's, which knows nothing of services.
    Exporter,
}

/// One series, a value for each step.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) labels: BTreeMap<String, String>,
    values: Vec<Option<f64>>,
}

impl Track {
    pub(super) fn at(&self, step: usize) -> Option<f64> {
        self.values.get(step).copied().flatten()
    }
}

/// The place of a target in the configuration: its site and its number there.
pub(super) type Place = (SiteName, usize);

/// The answers about a time.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    from_unix_ms: i64,
    step_ms: i64,
    /// How many steps there are.
    pub(super) steps: usize,
    targets: BTreeMap<(Eye, Place), BTreeMap<&'static str, Vec<Track>>>,
    of_service: BTreeMap<(Eye, &'static str), Vec<Track>>,
    /// What nobody's look is: alerts, and the query about applications.
    others: BTreeMap<&'static str, Vec<Track>>,
}

impl Chunk {
    pub(super) fn new(from_unix_ms: i64, until_unix_ms: i64, step: Duration) -> Self {
        let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
        let steps = usize::try_from((until_unix_ms - from_unix_ms) / step_ms + 1).unwrap_or(0);
        Self { from_unix_ms, step_ms, steps, ..Self::default() }
    }

    /// The time of a step, Unix milliseconds.
    pub(super) fn time(&self, step: usize) -> i64 {
        self.from_unix_ms + self.step_ms * i64::try_from(step).unwrap_or(0)
    }

    /// Adds the answer to one question.
    pub(super) fn add(&mut self, name: &'static str, answer: Vec<RangeSeries>, service: &Service) {
        for series in answer {
            let track = self.track(series);
            if let Some(place) = place(&track, service) {
                let eye = eye(&track);
                self.targets.entry((eye, place)).or_default().entry(name).or_default().push(track);
            } else if OF_SERVICE.contains(&name) {
                self.of_service.entry((eye(&track), name)).or_default().push(track);
            } else {
                self.others.entry(name).or_default().push(track);
            }
        }
    }

    fn track(&self, series: RangeSeries) -> Track {
        let mut values = vec![None; self.steps];
        for (at, value) in series.points {
            let step = (at - self.from_unix_ms + self.step_ms / 2).div_euclid(self.step_ms);
            if let Some(slot) = usize::try_from(step).ok().and_then(|step| values.get_mut(step)) {
                *slot = Some(value);
            }
        }
        Track { labels: series.labels, values }
    }

    /// All who looked at anything, in a fixed order.
    pub(super) fn eyes(&self) -> Vec<Eye> {
        let mut eyes: Vec<Eye> = self.targets.keys().map(|(eye, _)| eye.clone()).collect();
        eyes.dedup();
        eyes
    }

    /// What one eye saw of one target at a step; `None` where it says nothing of it.
    pub(super) fn of_target(&self, eye: &Eye, place: &Place, name: &'static str, step: usize) -> Option<f64> {
        self.track_of_target(eye, place, name, step).and_then(|track| track.at(step))
    }

    /// The one series of that name with a value above 0 at a step; `None` where there are several.
    pub(super) fn info(&self, eye: &Eye, place: &Place, name: &'static str, step: usize) -> Option<&Track> {
        let tracks = self.targets.get(&(eye.clone(), place.clone()))?.get(name)?;
        let mut present = tracks.iter().filter(|track| track.at(step).is_some_and(|value| value > 0.0));
        let one = present.next()?;
        present.next().is_none().then_some(one)
    }

    /// The series of that name that has a value at a step.
    pub(super) fn track_of_target(
        &self,
        eye: &Eye,
        place: &Place,
        name: &'static str,
        step: usize,
    ) -> Option<&Track> {
        let tracks = self.targets.get(&(eye.clone(), place.clone()))?.get(name)?;
        tracks.iter().find(|track| track.at(step).is_some())
    }

    /// A signal of a target, by its name.
    pub(super) fn signal(&self, eye: &Eye, place: &Place, signal: &str, step: usize) -> Option<f64> {
        let tracks = self.targets.get(&(eye.clone(), place.clone()))?.get("redrover_signal")?;
        let mut of_signal = tracks.iter().filter(|t| t.labels.get("signal").is_some_and(|s| s == signal));
        of_signal.find_map(|track| track.at(step))
    }

    /// The series about the service as an eye saw it, with their values at a step.
    pub(super) fn of_service(
        &self,
        eye: &Eye,
        name: &'static str,
        step: usize,
    ) -> impl Iterator<Item = (&Track, f64)> {
        let tracks = self.of_service.get(&(eye.clone(), name)).into_iter().flatten();
        tracks.filter_map(move |track| Some((track, track.at(step)?)))
    }

    /// The series that are nobody's look, with their values at a step.
    pub(super) fn others(&self, name: &'static str, step: usize) -> impl Iterator<Item = (&Track, f64)> {
        let tracks = self.others.get(name).into_iter().flatten();
        tracks.filter_map(move |track| Some((track, track.at(step)?)))
    }
}

fn eye(track: &Track) -> Eye {
    let label = |name: &str| track.labels.get(name);
    match (label("redis_service"), label("instance")) {
        (Some(_), Some(instance)) => Eye::Agent(instance.clone()),
        (Some(_), None) => Eye::Agent(String::new()),
        (None, _) => Eye::Exporter,
    }
}

/// The target that a series speaks of, by its `target`, or else by its `instance`.
fn place(track: &Track, service: &Service) -> Option<Place> {
    let called = track.labels.get("target").or_else(|| track.labels.get("instance"))?;
    let datacenter = track.labels.get("datacenter");
    service.sites.iter().filter(|site| datacenter.is_none_or(|d| d == site.name.as_str())).find_map(|site| {
        let number = site.targets.iter().position(|target| names(target).contains(called))?;
        Some((site.name.clone(), number))
    })
}
