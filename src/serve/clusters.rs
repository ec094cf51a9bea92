//! What Redis Enterprise clusters said of themselves, as series.

use std::sync::Arc;

use crate::monitor::{ClusterPicture, MetricSpec, Page, enterprise};
use crate::types::{Moment, Sample};

/// Writes the last picture of each cluster.
pub(super) fn clusters(page: &mut Page, pictures: &[Arc<ClusterPicture>], now: Moment) {
    let of = |picture: &'_ ClusterPicture| [("datacenter", picture.datacenter.to_string())];
    let mut each = |spec: &MetricSpec, value: &dyn Fn(&ClusterPicture) -> f64| {
        page.family(spec, pictures.iter().map(|picture| (of(picture), value(picture))));
    };
    each(&enterprise::UP, &|picture| f64::from(u8::from(!picture.samples.is_empty())));
    each(&enterprise::AGE, &|picture| now.since(picture.taken).as_secs_f64());
    let gaps = pictures.iter().flat_map(|picture| {
        let datacenter = picture.datacenter.as_str();
        picture.gaps.iter().map(move |(question, reason)| {
            ([("datacenter", datacenter), ("question", *question), ("reason", reason.as_str())], 1.0)
        })
    });
    page.family(&enterprise::GAP, gaps);
    // The samples stand in the catalog's order: of each cluster, those of a family come next.
    let mut left: Vec<(&str, &[Sample])> =
        pictures.iter().map(|p| (p.datacenter.as_str(), p.samples.as_slice())).collect();
    for spec in enterprise::told() {
        let mut block = page.block(spec);
        for (datacenter, samples) in &mut left {
            let count = samples.iter().take_while(|sample| sample.metric == spec.name).count();
            let (own, others) = samples.split_at(count);
            *samples = others;
            for sample in own {
                let labels = sample.labels.iter().map(|(name, value)| (*name, value.as_str()));
                block.sample("", [("datacenter", *datacenter)].into_iter().chain(labels), sample.value);
            }
        }
    }
}
