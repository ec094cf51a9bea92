//! The rules between services and what stands around them: vantages, control planes, Prometheus, maintenance.

use std::collections::BTreeSet;

use super::check::unique;
use super::load::Rules;
use super::raw::{RawAgent, RawConfig, RawService};
use super::read::Sheet;

/// Automatic mode needs vantages in so many failure domains.
const DOMAINS_MIN: usize = 3;

/// Notes every broken rule, but for those of automatic mode.
pub(super) fn check(sheet: &Sheet<'_>, raw: &RawConfig) {
    check_places(sheet, raw);
    if let Some(agent) = &raw.agent {
        check_vantages(sheet, agent);
    }
    for service in &raw.services {
        check_databases(sheet, service, raw);
        check_client_errors(sheet, service, raw);
        check_maintenance(sheet, service);
    }
    check_channels(sheet, raw);
    check_use(sheet, raw);
}

/// Notes what a service in automatic mode lacks around this agent.
pub(super) fn check_automatic(sheet: &Sheet<'_>, service: &RawService, agent: &RawAgent, rules: Rules) {
    if !sheet.is_sound("agent.vantages") {
        return;
    }
    check_domains(sheet, service, agent);
    match rules {
        Rules::Agent => check_leadership(sheet, service, agent),
        Rules::Simulator => {}
    }
}

fn check_domains(sheet: &Sheet<'_>, service: &RawService, agent: &RawAgent) {
    if service.policy.accept_fewer_vantages
        || !sheet.is_sound(&service.key_of("policy.accept_fewer_vantages"))
    {
        return;
    }
    let others = agent.vantages.iter().map(|vantage| &vantage.value.failure_domain);
    let domains = agent.failure_domain.iter().chain(others).collect::<BTreeSet<_>>().len();
    if domains >= DOMAINS_MIN {
        return;
    }
    let seen = match agent.vantages.len() {
        0 => "this agent is the only one".to_owned(),
        _ => format!("this agent and agent.vantages stand in {domains}"),
    };
    sheet.problem(
        &service.key_of("mode"),
        format!("is automatic, which needs vantages in three failure domains; {seen}"),
        "set policy.accept_fewer_vantages: true to accept the risk, or choose mode recommend",
    );
}

/// Several agents that may all act need one who leads.
fn check_leadership(sheet: &Sheet<'_>, service: &RawService, agent: &RawAgent) {
    if agent.vantages.is_empty() {
        return;
    }
    sheet.problem(
        &service.key_of("mode"),
        "is automatic beside other agents, which needs a leader election, and this version has none",
        "choose mode recommend, or remove agent.vantages and set policy.accept_fewer_vantages: true",
    );
}

/// Names of channels are unique, and the services that they name exist.
fn check_channels(sheet: &Sheet<'_>, raw: &RawConfig) {
    unique(sheet, raw.notify.iter().map(|c| (format!("{}.name", c.key), c.value.name.as_str())));
    let names: Option<Vec<_>> = raw.services.iter().map(|service| service.name.as_ref()).collect();
    let Some(names) = names.filter(|_| sheet.is_sound("services")) else { return };
    for channel in &raw.notify {
        for service in channel.value.services.iter().filter(|service| !names.contains(service)) {
            let hint = "name services of this file, or leave services out for all";
            sheet.problem(&format!("{}.services", channel.key), format!("{service} is not known"), hint);
        }
    }
}

fn check_places(sheet: &Sheet<'_>, raw: &RawConfig) {
    let lists = std::iter::once(&raw.self_checks).chain(raw.datacenters.iter().map(|d| &d.domain_checks));
    for list in lists {
        unique(sheet, list.iter().map(|reach| (reach.key.clone(), reach.value.to_string())));
    }
}

fn check_vantages(sheet: &Sheet<'_>, agent: &RawAgent) {
    let own = agent.name.as_ref().map(|name| ("agent.name".to_owned(), name.as_str()));
    let others = agent.vantages.iter().map(|v| (format!("{}.name", v.key), v.value.name.as_str()));
    unique(sheet, own.into_iter().chain(others));
    unique(sheet, agent.vantages.iter().map(|v| (format!("{}.url", v.key), v.value.url.as_str())));
    for vantage in &agent.vantages {
        if vantage.value.token.is_some() && vantage.value.url.scheme() == "http" {
            let key = format!("{}.url", vantage.key);
            sheet.warning(&key, "has credentials sent to it in clear text", "write https://");
        }
    }
}

fn check_databases(sheet: &Sheet<'_>, service: &RawService, raw: &RawConfig) {
    if !sheet.is_sound("datacenters") {
        return;
    }
    for site in service.sites.iter().filter(|site| site.database.is_some()) {
        let place = raw.datacenters.iter().find(|d| Some(&d.name) == site.datacenter.as_ref());
        if let Some(place) = place.filter(|place| place.enterprise.is_none()) {
            let reason = format!("is given, but {}, {}, has no enterprise", place.key, place.name);
            let hint = "add enterprise: {url: …, username: …, password_file: …} there, or remove database";
            sheet.problem(&format!("{}.database", site.key), reason, hint);
        }
    }
}

fn check_client_errors(sheet: &Sheet<'_>, service: &RawService, raw: &RawConfig) {
    if service.client_errors.is_some() && raw.prometheus.is_none() && sheet.is_sound("prometheus") {
        let hint = "add prometheus: {url: http://127.0.0.1:9090}";
        sheet.problem(&service.key_of("client_errors"), "needs prometheus, which is missing", hint);
    }
}

fn check_maintenance(sheet: &Sheet<'_>, service: &RawService) {
    let names: Option<Vec<_>> = service.sites.iter().map(|site| site.datacenter.as_ref()).collect();
    let Some(names) = names.filter(|names| !names.is_empty()) else { return };
    for window in &service.maintenance {
        let Some(site) = &window.value.site else { continue };
        if !names.contains(&site) {
            let key = format!("{}.datacenter", window.key);
            let hint = "name the datacenter of one of its sites, or leave it out for all";
            sheet.problem(&key, format!("{site} holds no site of this service"), hint);
        }
    }
}

fn check_use(sheet: &Sheet<'_>, raw: &RawConfig) {
    let sites = || raw.services.iter().flat_map(|s| &s.sites);
    for place in raw.datacenters.iter().filter(|place| place.enterprise.is_some()) {
        let is_used =
            |s: &super::raw::RawSite| s.database.is_some() && s.datacenter.as_ref() == Some(&place.name);
        if !sites().any(is_used) {
            let hint = "give a site its database: ID, or remove enterprise";
            sheet.warning(&format!("{}.enterprise", place.key), "is asked about no database", hint);
        }
    }
    if raw.prometheus.is_some() && !raw.services.iter().any(|s| s.client_errors.is_some()) {
        let hint = "give a service its client_errors: {promql: …}, or remove prometheus";
        sheet.warning("prometheus", "is asked nothing", hint);
    }
}
