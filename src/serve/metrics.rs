//! `GET /metrics`: the published picture as series. A scrape reads what the last cycle decided on, and asks no Redis.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::clusters::clusters;
use super::process;
use super::router::Serve;
use crate::config::Mode;
use crate::control::ServiceView;
use crate::monitor::{CATALOG, Format, MetricSpec, Names, Page, counted, house, register};
use crate::types::{Basis, Moment, Sample, TargetSnapshot};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Notified {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

/// The house's own numbers, of all folders.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    notifications: Family<Notified, Counter>,
    refused: Family<Refused, Counter>,
    last_reload: Gauge,
    last_web_reload: Gauge,
}

impl Metrics {
    /// Takes the registry over and adds the numbers of this folder.
    #[must_use]
    pub fn register(mut registry: Registry) -> Self {
        let notifications: Family<Notified, Counter> = Family::default();
        for result in ["accepted", "unmatched", "malformed", "too_large", "unauthorized", "unavailable"] {
            let _ = notifications.get_or_create(&Notified { result });
        }
        register(&mut registry, &counted::WEBHOOK_NOTIFICATIONS, notifications.clone());
        let last_reload = Gauge::default();
        last_reload.set(1);
        register(&mut registry, &counted::LAST_RELOAD, last_reload.clone());
        let refused: Family<Refused, Counter> = Family::default();
        for reason in ["busy", "tls", "unauthorized"] {
            let _ = refused.get_or_create(&Refused { reason });
        }
        register(&mut registry, &counted::HTTP_REFUSED, refused.clone());
        let last_web_reload = Gauge::default();
        last_web_reload.set(1);
        register(&mut registry, &counted::LAST_WEB_RELOAD, last_web_reload.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        // The registry adds the ending of facts itself.
        registry.register(counted::BUILD.name.trim_end_matches("_info"), counted::BUILD.help, build);
        let registry = Arc::new(Mutex::new(registry));
        Self { registry, notifications, refused, last_reload, last_web_reload }
    }

    /// Counts a handshake or a request that the web rules refused.
    pub(super) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Refused { reason }).inc();
    }

    /// Notes whether the web rules are as their file says.
    pub(super) fn web_reloaded(&self, is_done: bool) {
        self.last_web_reload.set(i64::from(is_done));
    }

    /// Counts a notification.
    pub fn notified(&self, result: &'static str) {
        self.notifications.get_or_create(&Notified { result }).inc();
    }

    /// Notes what came of a reload.
    pub fn reloaded(&self, is_done: bool) {
        self.last_reload.set(i64::from(is_done));
    }
}

/// The page, and its content type.
pub(super) fn scrape(serve: &Serve, accept: &str) -> (&'static str, Vec<u8>) {
    let format = Format::from_accept(accept);
    let mut page = Page::new(format);
    let views = serve.view.services();
    redis(&mut page, &views, serve.names);
    signal(&mut page, &views);
    anomalies(&mut page, &views);
    sites(&mut page, &views, serve.clock.now());
    decisions(&mut page, &views);
    states(&mut page, &views);
    clusters(&mut page, &serve.pictures.all(), serve.clock.now());
    for (spec, value) in process::numbers() {
        page.family(&spec, [(NO_LABELS, value)]);
    }
    page.registry(&serve.metrics.registry.lock().unwrap_or_else(PoisonError::into_inner));
    (format.content_type(), page.finish())
}

type Labels<'a> = Vec<(&'a str, &'a str)>;

const NO_LABELS: [(&str, &str); 0] = [];

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// The `redis_*` series of every target, one family after another.
fn redis(page: &mut Page, views: &[Arc<ServiceView>], names: Names) {
    let up = targets(views).map(|(labels, target)| (labels, flag(target.facts.is_ok())));
    page.family(&house::UP, up);
    // The samples stand in the catalog's order: of each target, those of a family come next.
    let mut left: Vec<(Labels<'_>, &[Sample])> =
        targets(views).map(|(labels, target)| (labels, target.samples.as_slice())).collect();
    for spec in CATALOG.iter().filter(|spec| spec.source.is_info()) {
        let mut block = page.block(spec);
        for (labels, samples) in &mut left {
            let count = samples.iter().take_while(|sample| sample.metric == spec.name).count();
            let (own, others) = samples.split_at(count);
            *samples = others;
            for sample in own.iter().filter(|_| names.have(spec)) {
                let own = sample.labels.iter().map(|(name, value)| (*name, value.as_str()));
                block.sample("", labels.iter().copied().chain(own), sample.value);
            }
        }
    }
}

fn targets(views: &[Arc<ServiceView>]) -> impl Iterator<Item = (Labels<'_>, &TargetSnapshot)> {
    views.iter().flat_map(|view| {
        let service = view.service.name.as_str();
        view.snapshots.iter().flat_map(move |snapshot| {
            let site = snapshot.site.as_str();
            snapshot.targets.iter().map(move |target| {
                let name = target.target.as_str();
                (vec![("redis_service", service), ("datacenter", site), ("target", name)], target)
            })
        })
    })
}

fn signal(page: &mut Page, views: &[Arc<ServiceView>]) {
    let known = views.iter().flat_map(|view| {
        let service = view.service.name.as_str();
        view.signals.iter().flat_map(move |(site, target, signals)| {
            signals.iter().map(move |(name, value)| {
                let labels = [
                    ("redis_service", service),
                    ("datacenter", site.as_str()),
                    ("target", target.as_str()),
                    ("signal", name),
                ];
                (labels, value.get())
            })
        })
    });
    page.family(&house::SIGNAL, known);
    let gaps = targets(views).filter_map(|(mut labels, target)| {
        labels.push(("reason", target.gap()?.reason.as_str()));
        Some((labels, 1.0))
    });
    page.family(&house::TARGET_GAP, gaps);
}

fn anomalies(page: &mut Page, views: &[Arc<ServiceView>]) {
    let all = || {
        views.iter().flat_map(|view| {
            let service = view.service.name.as_str();
            view.anomalies.iter().map(move |(site, target, anomaly)| {
                let labels: Labels<'_> = vec![
                    ("redis_service", service),
                    ("datacenter", site.as_str()),
                    ("target", target.as_str()),
                ];
                (labels, anomaly)
            })
        })
    };
    page.family(&house::ANOMALY_SCORE, all().map(|(labels, anomaly)| (labels, anomaly.score.get())));
    page.family(&house::ANOMALY_THRESHOLD, all().map(|(labels, anomaly)| (labels, anomaly.threshold.get())));
    page.family(&house::ANOMALOUS, all().map(|(labels, anomaly)| (labels, flag(anomaly.is_anomalous()))));
    let contributions = || {
        all().flat_map(|(labels, anomaly)| {
            anomaly.contributions.iter().map(move |one| {
                (labels.iter().copied().chain([("signal", one.signal)]).collect::<Labels<'_>>(), one)
            })
        })
    };
    page.family(&house::ANOMALY_CONTRIBUTION, contributions().map(|(labels, one)| (labels, one.deviation)));
    let gains = contributions().filter_map(|(labels, one)| Some((labels, one.forest_gain?)));
    page.family(&house::ANOMALY_FOREST_GAIN, gains);
    let bases = all().flat_map(|(labels, anomaly)| {
        Basis::ALL.into_iter().map(move |basis| {
            let labels = labels.iter().copied().chain([("basis", basis.as_str())]).collect::<Labels<'_>>();
            (labels, flag(basis == anomaly.basis))
        })
    });
    page.family(&house::ANOMALY_BASIS, bases);
    let outliers = views.iter().flat_map(|view| {
        let service = view.service.name.as_str();
        view.peer_outliers.iter().map(move |(site, target, outlier)| {
            let labels =
                [("redis_service", service), ("datacenter", site.as_str()), ("target", target.as_str())];
            (labels, outlier.score.get())
        })
    });
    page.family(&house::PEER_OUTLIER_SCORE, outliers);
    let trained = all().filter_map(|(labels, anomaly)| Some((labels, anomaly.trained? as f64)));
    page.family(&house::MODEL_TRAINED, trained);
    let drift = all().filter_map(|(labels, anomaly)| Some((labels, anomaly.drift?)));
    page.family(&house::MODEL_DRIFT, drift);
}

fn sites(page: &mut Page, views: &[Arc<ServiceView>], now: Moment) {
    let service = |view: &'_ Arc<ServiceView>| view.service.name.to_string();
    let health = views.iter().flat_map(|view| {
        view.health().map(move |(site, state, is_present)| {
            let site = ("datacenter", site.to_string());
            ([("redis_service", service(view)), site, ("state", state.to_owned())], flag(is_present))
        })
    });
    page.family(&house::HEALTH, health);
    let active = views.iter().flat_map(|view| {
        view.service.sites.iter().map(move |site| {
            let labels = [("redis_service", service(view)), ("datacenter", site.name.to_string())];
            (labels, flag(view.decision.active.as_ref() == Some(&site.name)))
        })
    });
    page.family(&house::ACTIVE_DATACENTER, active);
    let ages = views.iter().flat_map(|view| {
        view.snapshots.iter().map(move |snapshot| {
            let labels = [("redis_service", service(view)), ("datacenter", snapshot.site.to_string())];
            (labels, now.since(snapshot.taken).as_secs_f64())
        })
    });
    page.family(&house::SNAPSHOT_AGE, ages);
}

fn decisions(page: &mut Page, views: &[Arc<ServiceView>]) {
    let confidence = views.iter().filter_map(|view| {
        let (from, to) = view.decision.active.as_ref().zip(view.decision.target.as_ref())?;
        let labels =
            [("redis_service", view.service.name.as_str()), ("from", from.as_str()), ("to", to.as_str())];
        Some((labels, view.decision.confidence.confidence.get()))
    });
    page.family(&house::FAILOVER_CONFIDENCE, confidence);
    let evidence = views.iter().flat_map(|view| {
        let service = view.service.name.as_str();
        view.decision.confidence.terms.iter().filter_map(move |term| {
            Some(([("redis_service", service), ("group", term.group.as_str())], term.strength?.get()))
        })
    });
    page.family(&house::EVIDENCE, evidence);
    let vetoes = views.iter().flat_map(|view| {
        let labels: BTreeSet<&str> = view.decision.vetoes.iter().map(|v| v.reason.label()).collect();
        labels.into_iter().map(|veto| ([("redis_service", view.service.name.as_str()), ("veto", veto)], 1.0))
    });
    page.family(&house::VETO, vetoes);
}

fn states(page: &mut Page, views: &[Arc<ServiceView>]) {
    let modes = views.iter().flat_map(|view| {
        Mode::ALL.into_iter().map(|mode| {
            let labels = [("redis_service", view.service.name.as_str()), ("mode", mode.as_str())];
            (labels, flag(view.service.mode == mode))
        })
    });
    page.family(&house::SERVICE_MODE, modes);
    let mut each = |spec: &MetricSpec, value: &dyn Fn(&ServiceView) -> Option<f64>| {
        let series =
            views.iter().filter_map(|v| Some(([("redis_service", v.service.name.as_str())], value(v)?)));
        page.family(spec, series);
    };
    each(&house::HALTED, &|v| Some(flag(v.is_halted())));
    each(&house::PAUSED, &|v| Some(flag(v.is_paused)));
    each(&house::RECOMMENDATION_PENDING, &|v| Some(flag(v.is_recommending())));
    each(&house::FENCE_EPOCH, &|v| v.fence.as_ref().map(|fence| fence.epoch as f64));
    each(&house::DNS_DRIFT, &|v| Some(flag(v.is_drifting())));
    each(&house::WRITABLE_PRIMARIES, &|v| Some(v.decision.writable_primaries as f64));
    each(&house::JOURNAL_DURABLE, &|v| Some(flag(v.is_durable)));
}
