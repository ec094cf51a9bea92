//! The rules between keys. A rule is asked only where its keys are sound each by itself.

use std::collections::BTreeMap;

use super::checked::{Global, Mode, Policy, Promote, Provider, Topology};
use super::hooks::HookWay;
use super::load::Rules;
use super::raw::{RawAgent, RawConfig, RawRecord, RawService};
use super::read::{Sheet, duration_text};
use super::rfc2136::Rfc2136;
use super::{check_around, check_route53};
use crate::types::{RecordType, SiteName};

/// Fewest sites of a service: one to leave and one to go to.
const SITES_MIN: usize = 2;
/// Most names that one hint repeats.
const NAMES_SHOWN_MAX: usize = 10;

/// Notes every broken rule of the file.
pub(super) fn check(sheet: &Sheet<'_>, raw: &RawConfig, rules: Rules) {
    check_global(sheet, &raw.global);
    unique(sheet, raw.datacenters.iter().map(|d| (format!("{}.name", d.key), d.name.as_str())));
    let is_exporter = raw.services.is_empty() && !raw.exporter.groups.is_empty();
    if raw.datacenters.is_empty() && sheet.is_sound("datacenters") && !is_exporter {
        sheet.problem("datacenters", "is empty", "name at least two datacenters");
    }
    let names = raw.services.iter().filter_map(|s| Some((s.key_of("name"), s.name.as_ref()?.as_str())));
    unique(sheet, names);
    unique(sheet, raw.services.iter().filter_map(|s| Some((s.key_of("record.name"), held_name(s)?))));
    for service in &raw.services {
        check_policy(sheet, service, &raw.global);
        check_mode(sheet, service, raw.agent.as_ref(), rules);
        check_promote(sheet, service, raw);
        check_sites(sheet, service, raw);
        check_record(sheet, service, raw, rules);
    }
    check_groups(sheet, raw);
    check_embedded_use(sheet, raw);
    check_around::check(sheet, raw);
    check_route53::check(sheet, raw);
}

/// Groups have names of their own, and a target is in one group at most.
fn check_groups(sheet: &Sheet<'_>, raw: &RawConfig) {
    let groups = &raw.exporter.groups;
    unique(sheet, groups.iter().filter_map(|g| Some((format!("{}.name", g.key), g.name.as_ref()?.as_str()))));
    let targets = groups.iter().flat_map(|group| &group.targets);
    unique(sheet, targets.map(|target| (target.key.clone(), target.value.name.as_str())));
}

/// Who holds the record, and its name: together the identity of a record.
fn held_name(service: &RawService) -> Option<(&'static str, &str)> {
    let record = service.record.as_ref()?;
    Some((record.provider.as_ref()?.as_str(), record.name.as_ref()?.as_str()))
}

/// Notes each value that stands at an earlier key too.
pub(super) fn unique<T: Ord>(sheet: &Sheet<'_>, values: impl Iterator<Item = (String, T)>) {
    let mut seen: BTreeMap<T, String> = BTreeMap::new();
    for (key, value) in values {
        match seen.get(&value) {
            Some(first) => sheet.problem(&key, format!("is the same as {first}"), "give each its own"),
            None => {
                seen.insert(value, key);
            }
        }
    }
}

fn all_sound(sheet: &Sheet<'_>, keys: &[&str]) -> bool {
    keys.iter().all(|key| sheet.is_sound(key))
}

fn check_global(sheet: &Sheet<'_>, global: &Global) {
    let keys = ["global.probe_timeout", "global.probe_interval"];
    if all_sound(sheet, &keys) && global.probe_timeout >= global.probe_interval {
        let (timeout, interval) = (duration_text(global.probe_timeout), duration_text(global.probe_interval));
        let reason = format!("{timeout} is not shorter than probe_interval, {interval}");
        sheet.problem(keys[0], reason, "shorten the timeout, or lengthen the interval");
    }
}

fn check_policy(sheet: &Sheet<'_>, service: &RawService, global: &Global) {
    let policy = &service.policy;
    let key = |name: &str| service.key_of(&format!("policy.{name}"));
    // The first value must be at least the second.
    let (confirm, interval) = (policy.confirm_window, global.probe_interval);
    let durations = [
        (key("confirm_window"), confirm, "global.probe_interval".to_owned(), interval),
        (key("isolation_confirm"), policy.isolation_confirm, key("confirm_window"), confirm),
        (key("min_auto_interval"), policy.min_auto_interval, key("confirm_window"), confirm),
        (key("rpo_hard"), policy.rpo_hard, key("rpo_soft"), policy.rpo_soft),
    ];
    for (long_key, long, short_key, short) in durations {
        if all_sound(sheet, &[&long_key, &short_key]) && long < short {
            let (long, short) = (duration_text(long), duration_text(short));
            let reason = format!("{long} is less than {short_key}, {short}");
            sheet.problem(&long_key, reason, format!("write at least {short}"));
        }
    }
    if all_sound(sheet, &[&key("theta_auto"), &key("theta_recommend")])
        && policy.theta_recommend > policy.theta_auto
    {
        let reason = format!("{} is more than theta_auto, {}", policy.theta_recommend, policy.theta_auto);
        sheet.problem(&key("theta_recommend"), reason, "a recommendation needs at most what acting needs");
    }
    let flap = [key("flap.reuse"), key("flap.suppress")];
    if all_sound(sheet, &[&flap[0], &flap[1]]) && policy.flap.reuse >= policy.flap.suppress {
        let reason = format!("{} is not less than suppress, {}", policy.flap.reuse, policy.flap.suppress);
        sheet.problem(&flap[0], reason, "write less than suppress, else nothing is ever damped");
    }
    let most = most_log_odds(policy);
    if sheet.is_sound(&key("weights")) && most <= 0.0 {
        let reason = format!(
            "add up to {most:.3} with the bias: even all evidence together says no more than even odds"
        );
        sheet.problem(&key("weights"), reason, "raise the weights, or bring the bias nearer to 0");
    }
}

/// The log-odds when every group says yes.
fn most_log_odds(policy: &Policy) -> f64 {
    let w = &policy.weights;
    w.bias + w.vantage + w.control + w.peer + w.client + w.domain + w.alert + w.anomaly
}

fn check_mode(sheet: &Sheet<'_>, service: &RawService, agent: Option<&RawAgent>, rules: Rules) {
    let mode = service.key_of("mode");
    if service.mode != Mode::Automatic || !sheet.is_sound(&mode) {
        return;
    }
    if service.canary.is_none() && sheet.is_sound(&service.key_of("canary")) {
        let hint = "add canary: {enabled: true}, or choose mode recommend";
        sheet.problem(&mode, "is automatic without the write canary", hint);
    }
    if let Some(agent) = agent {
        check_around::check_automatic(sheet, service, agent, rules);
    }
    let waits = matches!(service.topology, Some(Topology::ReplicaOf | Topology::Replication));
    if waits && service.promote.is_none() && sheet.is_sound(&service.key_of("promote")) {
        let hint = match service.topology {
            Some(Topology::Replication) => "add promote: {kind: replicaof}, or choose mode recommend",
            Some(Topology::ReplicaOf) => "add promote: {kind: enterprise}, or choose mode recommend",
            Some(Topology::ActiveActive) | None => "choose mode recommend",
        };
        sheet.warning(
            &mode,
            "is automatic, but a standby of this topology must be promoted and no promote is configured: \
             only a recommendation can result",
            hint,
        );
    }
}

fn check_promote(sheet: &Sheet<'_>, service: &RawService, raw: &RawConfig) {
    let kind = match &service.promote {
        None => return,
        Some(Promote::Enterprise { .. }) => return check_cluster_promotion(sheet, service, raw),
        Some(Promote::Replicaof { .. }) => "replicaof",
        Some(Promote::Hook { hook, .. }) => match hook.way {
            HookWay::Exec { .. } => "exec",
            HookWay::Webhook { .. } => "webhook",
        },
    };
    if let Some(Topology::ActiveActive | Topology::ReplicaOf) = service.topology {
        let hint = "remove promote, or set topology: replication";
        let reason = format!("{kind} works with topology replication only");
        sheet.problem(&service.key_of("promote.kind"), reason, hint);
    }
}

/// Any site may be left one day, and any may be promoted: all of them need a cluster that can be told so.
fn check_cluster_promotion(sheet: &Sheet<'_>, service: &RawService, raw: &RawConfig) {
    let kind = service.key_of("promote.kind");
    if let Some(Topology::ActiveActive | Topology::Replication) = service.topology {
        let hint = "remove promote, or set topology: replica-of";
        sheet.problem(&kind, "enterprise works with topology replica-of only", hint);
        return;
    }
    let has_cluster = |name: &SiteName| {
        // Of a datacenter that is not there, or whose cluster is wrong, something was said already.
        let place = raw.datacenters.iter().find(|place| place.name == *name);
        place.is_none_or(|place| place.enterprise.is_some())
    };
    for site in &service.sites {
        let key = format!("{}.database", site.key);
        if site.database.is_none() && sheet.is_sound(&key) {
            let hint = "add database: the id at its cluster";
            sheet.problem(&key, "is missing, and promote.kind is enterprise", hint);
        }
        if let Some(name) = site.datacenter.as_ref().filter(|name| !has_cluster(name)) {
            let reason = format!("is enterprise, and {name} has no cluster");
            sheet.problem(&kind, reason, "add enterprise: {url: …} to the datacenter");
        }
    }
}

fn check_sites(sheet: &Sheet<'_>, service: &RawService, raw: &RawConfig) {
    let sites = &service.sites;
    let key = service.key_of("sites");
    if sites.len() < SITES_MIN && sheet.is_sound(&key) {
        let reason = format!("has {} of at least {SITES_MIN} sites", sites.len());
        sheet.problem(&key, reason, "add the site that the record can move to");
    }
    let in_site = |site: &str, name: &str| format!("{site}.{name}");
    let known = |name: &SiteName| raw.datacenters.iter().any(|d| d.name == *name);
    let are_datacenters_sound = sheet.is_sound("datacenters");
    for site in sites {
        if let Some(name) = &site.datacenter
            && are_datacenters_sound
            && !known(name)
        {
            let reason = format!("{name} is not one of the datacenters");
            let all: Vec<_> = raw.datacenters.iter().map(|d| d.name.as_str()).take(NAMES_SHOWN_MAX).collect();
            let hint = format!("write one of {}, or add it to datacenters", all.join(", "));
            sheet.problem(&in_site(&site.key, "datacenter"), reason, hint);
        }
    }
    let names = sites.iter().filter_map(|s| Some((in_site(&s.key, "datacenter"), s.datacenter.as_ref()?)));
    unique(sheet, names);
    let values = sites.iter().filter_map(|s| Some((in_site(&s.key, "dns_target"), s.dns_target.as_ref()?)));
    unique(sheet, values);
    let targets = sites.iter().flat_map(|s| &s.targets);
    unique(sheet, targets.map(|t| (t.key.clone(), format!("{:?}", t.value.address))));
}

fn check_record(sheet: &Sheet<'_>, service: &RawService, raw: &RawConfig, rules: Rules) {
    let Some(record) = &service.record else { return };
    check_record_name(sheet, service, record);
    match &record.provider {
        Some(Provider::Embedded) if sheet.is_sound("embedded_dns") => {
            check_embedded(sheet, service, raw, rules);
        }
        Some(Provider::Rfc2136(place)) => check_zone(sheet, service, place),
        Some(Provider::Route53(_) | Provider::CloudDns(_) | Provider::Embedded) | None => {}
    }
}

fn check_zone(sheet: &Sheet<'_>, service: &RawService, place: &Rfc2136) {
    let Some(RawRecord { name: Some(name), kind, .. }) = &service.record else { return };
    let (key, zone) = (service.key_of("record.name"), &place.zone);
    match name.as_str().strip_suffix(zone.as_str()) {
        Some("") if *kind == Some(RecordType::Cname) => {
            let hint = format!("write a name that ends in .{zone}, or another type");
            sheet.problem(&key, format!("is the zone {zone} itself, which cannot be an alias"), hint);
        }
        Some(front) if front.is_empty() || front.ends_with('.') => {}
        Some(_) | None => {
            let hint = format!("write a name that ends in .{zone}, or the zone that holds it");
            sheet.problem(&key, format!("{name} is not in the zone {zone} of the record"), hint);
        }
    }
}

fn check_embedded(sheet: &Sheet<'_>, service: &RawService, raw: &RawConfig, rules: Rules) {
    let Some(dns) = &raw.embedded_dns else {
        let hint = "add embedded_dns: {listen: …, zone: …, name_servers: […]}";
        sheet.problem(&service.key_of("record.provider"), "is embedded, but embedded_dns is missing", hint);
        return;
    };
    let name = service.record.as_ref().and_then(|record| record.name.as_ref());
    let (Some(name), zone) = (name, &dns.zone) else { return };
    let key = service.key_of("record.name");
    let before = name.as_str().strip_suffix(zone.as_str());
    let hint = format!("write a name that ends in .{zone}");
    match before {
        Some("") => sheet.problem(&key, format!("is the zone {zone} itself, which holds the NS set"), hint),
        Some(front) if front.ends_with('.') => {}
        Some(_) | None => {
            sheet.problem(&key, format!("{name} is not in the zone {zone} of embedded_dns"), hint)
        }
    }
    let is_alone = raw.agent.as_ref().is_none_or(|agent| agent.vantages.is_empty());
    if rules == Rules::Agent && !is_alone && sheet.is_sound("agent.vantages") {
        let reason = "is embedded beside other agents, whose zones would not know of each other's changes";
        let hint = "choose another provider, or remove agent.vantages";
        sheet.problem(&service.key_of("record.provider"), reason, hint);
    }
    if dns.name_servers.iter().any(|server| server.name == *name) {
        sheet.problem(&key, "is also one of embedded_dns.name_servers", "give the record a name of its own");
    }
}

fn check_record_name(sheet: &Sheet<'_>, service: &RawService, record: &RawRecord) {
    let Some(name) = &record.name else { return };
    let key = service.key_of("record.name");
    if let Err(error) = name.fence() {
        let reason = format!("leaves no room for its fence _redrover.{name}, which {error}");
        sheet.problem(&key, reason, "choose a shorter name");
    }
    if name.as_str().starts_with("_redrover.") {
        sheet.problem(&key, "begins with _redrover, where fences live", "choose another name");
    }
    if record.kind == Some(RecordType::Cname) {
        for site in service.sites.iter().filter(|s| s.dns_target.as_deref() == Some(name.as_str())) {
            let hint = "name the site's own address";
            sheet.problem(
                &format!("{}.dns_target", site.key),
                "is the record itself, an alias to nowhere",
                hint,
            );
        }
    }
}

fn check_embedded_use(sheet: &Sheet<'_>, raw: &RawConfig) {
    let holders = || raw.services.iter().map(|s| s.record.as_ref().and_then(|r| r.provider.as_ref()));
    let is_used = holders().any(|p| matches!(p, Some(Provider::Embedded) | None));
    if raw.embedded_dns.is_some() && !is_used {
        sheet.warning("embedded_dns", "serves no record", "remove it, or set record.provider: embedded");
    }
}
