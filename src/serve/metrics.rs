//! `GET /metrics`: the published picture as series. A scrape reads what the last cycle decided on, and asks no Redis.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::exposition::{Format, Kind, Page};
use super::process;
use super::router::Serve;
use crate::config::Mode;
use crate::control::ServiceView;
use crate::decide::{Health, Verdict};
use crate::monitor::{CATALOG, MetricKind, signals};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Notified {
    result: &'static str,
}

/// The house's own numbers, of all folders.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    notifications: Family<Notified, Counter>,
    last_reload: Gauge,
}

impl Metrics {
    /// Takes the registry over and adds the numbers of this folder.
    #[must_use]
    pub fn register(mut registry: Registry) -> Self {
        let notifications: Family<Notified, Counter> = Family::default();
        for result in ["accepted", "malformed", "too_large", "unauthorized", "unavailable"] {
            let _ = notifications.get_or_create(&Notified { result });
        }
        registry.register(
            "redrover_webhook_notifications",
            "Notifications received, by what came of them",
            notifications.clone(),
        );
        let last_reload = Gauge::default();
        last_reload.set(1);
        registry.register(
            "redrover_config_last_reload_successful",
            "Whether the last reload took effect",
            last_reload.clone(),
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("redrover_build", "What runs", build);
        Self { registry: Arc::new(Mutex::new(registry)), notifications, last_reload }
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
pub(super) fn scrape(serve: &Serve, accept: &str) -> (&'static str, String) {
    let format = Format::from_accept(accept);
    let mut page = Page::new(format);
    let views = serve.view.services();
    redis(&mut page, &views);
    fleet(&mut page, &views, serve.config.load().global.probe_timeout);
    for (name, help, is_counter, value) in process::numbers() {
        let kind = if is_counter { Kind::Counter } else { Kind::Gauge };
        page.family(name, help, kind, &[(Vec::new(), value)]);
    }
    page.registry(&serve.metrics.registry.lock().unwrap_or_else(PoisonError::into_inner));
    (format.content_type(), page.finish())
}

type Samples<'a> = Vec<(Vec<(&'a str, &'a str)>, f64)>;

/// The `redis_*` series of every target, one family after another.
fn redis(page: &mut Page, views: &[Arc<ServiceView>]) {
    for spec in CATALOG {
        let mut samples: Samples<'_> = Vec::new();
        for (labels, target) in targets(views) {
            if spec.name == "redis_up" {
                samples.push((labels, f64::from(u8::from(target.ping.is_ok()))));
                continue;
            }
            for sample in target.samples.iter().filter(|s| s.metric == spec.name) {
                let mut labels = labels.clone();
                labels.extend(sample.labels.iter().map(|(name, value)| (*name, value.as_str())));
                samples.push((labels, sample.value));
            }
        }
        let kind = match spec.kind {
            MetricKind::Gauge => Kind::Gauge,
            MetricKind::Counter => Kind::Counter,
        };
        page.family(spec.name, spec.help, kind, &samples);
    }
}

fn targets(
    views: &[Arc<ServiceView>],
) -> impl Iterator<Item = (Vec<(&str, &str)>, &crate::types::TargetSnapshot)> {
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

/// The `redrover_*` series about services.
fn fleet(page: &mut Page, views: &[Arc<ServiceView>], timeout: Duration) {
    let mut signal: Samples<'_> = Vec::new();
    let mut gap: Samples<'_> = Vec::new();
    for (labels, target) in targets(views) {
        for (name, value) in signals(target, timeout) {
            signal.push((with(&labels, &[("signal", name)]), value.get()));
        }
        if let Err(seen) = &target.ping {
            gap.push((with(&labels, &[("reason", seen.reason.as_str())]), 1.0));
        }
    }
    let help = "A normalised signal of a target: 0 is good, 1 is worst; absent when it is not known";
    page.family("redrover_signal", help, Kind::Gauge, &signal);
    page.family("redrover_target_gap", "Why a target is not seen at present", Kind::Gauge, &gap);
    sites(page, views);
    decisions(page, views);
    states(page, views);
}

fn with<'a>(labels: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    labels.iter().chain(more).copied().collect()
}

fn sites(page: &mut Page, views: &[Arc<ServiceView>]) {
    let (mut health, mut active): (Samples<'_>, Samples<'_>) = Default::default();
    for view in views {
        let service = ("redis_service", view.service.name.as_str());
        for (site, present) in &view.decision.health {
            let site = ("datacenter", site.as_str());
            for state in Health::ALL {
                let labels = vec![service, site, ("state", state.as_str())];
                health.push((labels, f64::from(u8::from(state == *present))));
            }
        }
        for site in &view.service.sites {
            let is_active = view.decision.active.as_ref() == Some(&site.name);
            active.push((vec![service, ("datacenter", site.name.as_str())], f64::from(u8::from(is_active))));
        }
    }
    page.family("redrover_health", "The state of a site: 1 for the present one", Kind::Gauge, &health);
    page.family(
        "redrover_active_datacenter",
        "Whether the fence calls the site active",
        Kind::Gauge,
        &active,
    );
}

fn decisions(page: &mut Page, views: &[Arc<ServiceView>]) {
    let (mut confidence, mut evidence, mut vetoes): (Samples<'_>, Samples<'_>, Samples<'_>) =
        Default::default();
    for view in views {
        let service = ("redis_service", view.service.name.as_str());
        let decision = &view.decision;
        if let Some((from, to)) = decision.active.as_ref().zip(decision.target.as_ref()) {
            let labels = vec![service, ("from", from.as_str()), ("to", to.as_str())];
            confidence.push((labels, decision.confidence.confidence.get()));
        }
        for term in &decision.confidence.terms {
            if let Some(strength) = term.strength {
                evidence.push((vec![service, ("group", term.group.as_str())], strength.get()));
            }
        }
        let mut labels: Vec<&str> = decision.vetoes.iter().map(|v| v.reason.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        vetoes.extend(labels.into_iter().map(|veto| (vec![service, ("veto", veto)], 1.0)));
    }
    let help = "Confidence that a switch is right: 0 under any veto";
    page.family("redrover_failover_confidence", help, Kind::Gauge, &confidence);
    let help = "Strength of a group of evidence against the active site; absent when the group is silent";
    page.family("redrover_evidence", help, Kind::Gauge, &evidence);
    page.family("redrover_veto", "What stands against acting at present", Kind::Gauge, &vetoes);
}

fn states(page: &mut Page, views: &[Arc<ServiceView>]) {
    let mut modes: Samples<'_> = Vec::new();
    for view in views {
        for (mode, word) in
            [(Mode::Observe, "observe"), (Mode::Recommend, "recommend"), (Mode::Automatic, "automatic")]
        {
            let labels = vec![("redis_service", view.service.name.as_str()), ("mode", word)];
            modes.push((labels, f64::from(u8::from(view.service.mode == mode))));
        }
    }
    page.family(
        "redrover_service_mode",
        "What may be done for the service: 1 for the present mode",
        Kind::Gauge,
        &modes,
    );
    let mut each = |name: &str, help: &str, value: &dyn Fn(&ServiceView) -> Option<f64>| {
        let label = |view: &Arc<ServiceView>| vec![("redis_service", view.service.name.to_string())];
        let values: Vec<_> = views.iter().filter_map(|v| Some((label(v), value(v)?))).collect();
        let samples: Samples<'_> = values
            .iter()
            .map(|(labels, v)| (labels.iter().map(|(n, x)| (*n, x.as_str())).collect(), *v))
            .collect();
        page.family(name, help, Kind::Gauge, &samples);
    };
    let flag = |is: bool| Some(f64::from(u8::from(is)));
    each("redrover_halted", "Whether the service waits for a person", &|v| {
        flag(v.halted.is_some() || v.decision.verdict == Verdict::Halt)
    });
    each("redrover_paused", "Whether a person has paused the service", &|v| flag(v.is_paused));
    each("redrover_recommendation_pending", "Whether a person should switch", &|v| {
        flag(v.decision.verdict == Verdict::Recommend)
    });
    each("redrover_fence_epoch", "The epoch of the fence in DNS", &|v| {
        v.fence.as_ref().map(|f| f.epoch as f64)
    });
    each("redrover_dns_drift", "Whether record or fence are not as this agent left them", &|v| {
        let foreign = ["foreign_record", "foreign_fence", "damaged_fence"];
        flag(v.decision.reasons.iter().any(|r| foreign.contains(&r.label())))
    });
    each(
        "redrover_writable_primaries",
        "Sites that say they are primaries; more than 1 is a split brain, except for active-active",
        &|v| Some(v.decision.writable_primaries as f64),
    );
    each("redrover_journal_durable", "Whether the journal took the last entry", &|v| flag(v.is_durable));
}
