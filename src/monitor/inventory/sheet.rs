//! What is written down while a cluster is looked at: samples in base units, and what was not said.

use std::collections::BTreeSet;

use crate::monitor::catalog::{MetricSpec, enterprise};
use crate::types::{Gap, GapReason, Sample};

/// Most samples of one cluster; what is more is left out, and told as a gap.
const SAMPLES_MAX: usize = 50_000;
/// Longest label value that comes from a cluster, in characters.
const LABEL_CHARS_MAX: usize = 128;

/// Labels of a sample.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// The sheet of one look.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub samples: Vec<Sample>,
    /// What was asked for, and why there is no answer.
    pub gaps: Vec<(&'static str, GapReason)>,
    known: BTreeSet<(&'static str, Vec<(&'static str, String)>)>,
}

impl Sheet {
    /// Writes a number that was said, times the size of its unit in the base unit; nothing in the place of silence.
    pub fn number(&mut self, spec: &MetricSpec, labels: Labels<'_>, value: Option<f64>, unit: f64) {
        let Some(value) = value else { return };
        if self.samples.len() >= SAMPLES_MAX {
            self.note("samples", &Gap::new(GapReason::NotAsked, ""));
            return;
        }
        let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, shown(value))).collect();
        // Two equal series would spoil the page, and real ones of clusters have some twice.
        if self.known.insert((spec.name, labels.clone())) {
            self.samples.push(Sample { metric: spec.name, labels, value: value * unit });
        }
    }

    /// The samples in the order of the catalog, and the gaps.
    pub fn finish(mut self) -> (Vec<Sample>, Vec<(&'static str, GapReason)>) {
        let place = |metric| enterprise::told().position(|spec| spec.name == metric);
        self.samples.sort_by_cached_key(|sample| place(sample.metric));
        (self.samples, self.gaps)
    }

    /// Writes a flag that was said.
    pub fn flag(&mut self, spec: &MetricSpec, labels: Labels<'_>, value: Option<bool>) {
        self.number(spec, labels, value.map(|is| f64::from(u8::from(is))), 1.0);
    }

    /// Notes what was not said; each question once.
    pub fn note(&mut self, question: &'static str, gap: &Gap) {
        if !self.gaps.contains(&(question, gap.reason)) {
            self.gaps.push((question, gap.reason));
        }
    }

    /// Writes down what there is, or notes why there is nothing.
    pub fn take<T>(&mut self, question: &'static str, said: Result<T, Gap>) -> Option<T> {
        said.inspect_err(|gap| self.note(question, gap)).ok()
    }
}

/// A label value that is neither long nor unprintable.
fn shown(value: &str) -> String {
    value.chars().take(LABEL_CHARS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect()
}
