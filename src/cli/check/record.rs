//! The record: whether the provider can be read, and whether record and fence stand there.

use super::report::{Fault, Report};
use crate::act::dns::DnsError;
use crate::app::open_dns_read_only;
use crate::config::{Config, Provider, Service};
use crate::decide::fence_of;

pub(super) async fn record(config: &Config, service: &Service, report: &mut Report) {
    let what = format!("record {}", service.record.name);
    let dns = match open_dns_read_only(config, service).await {
        Ok(dns) => dns,
        Err(error) => return report.bad(&what, &fault(&error)),
    };
    let lacks = dns.check().await;
    if lacks.is_empty() {
        report.good(&what, rights(&service.record.provider));
    }
    lacks.iter().for_each(|error| report.bad(&what, &fault(error)));
    let state = match dns.read().await {
        Ok(state) => state,
        // It was said above.
        Err(_) if !lacks.is_empty() => return,
        Err(error) => return report.bad(&what, &fault(&error)),
    };
    let missing = |text: &str| Fault::Missing(text.to_owned());
    match (&state.record, fence_of(&state), &service.record.provider) {
        (None, _, Provider::Embedded) => {
            let why = "there is no such record; write it with `redrover adopt … --active DATACENTER`";
            report.bad(&what, &missing(why));
        }
        (None, _, Provider::Route53(_) | Provider::Rfc2136(_) | Provider::CloudDns(_)) => {
            report.bad(&what, &missing("there is no such record; create it, pointing to the active site"));
        }
        (Some(_), Err(error), _) => report.bad(&what, &Fault::Failed(error.to_string())),
        (Some(_), Ok(None), _) => report.bad(&what, &missing("it has no fence; run `redrover adopt`")),
        (Some(_), Ok(Some(fence)), _) => {
            report.good(&what, &format!("{} is active, epoch {}", fence.active, fence.epoch));
        }
    }
    for answer in dns.answers().await {
        match &answer.result {
            Ok(_) => report.good(&what, &answer.to_string()),
            Err(_) => report.bad(&what, &Fault::Failed(answer.to_string())),
        }
    }
}

/// What a check without complaint has shown.
fn rights(provider: &Provider) -> &'static str {
    match provider {
        Provider::Rfc2136(_) => "the primary lets this agent read and change record and fence",
        Provider::Route53(_) | Provider::CloudDns(_) => {
            "the zone lets this agent read and change record and fence"
        }
        Provider::Embedded => "the provider lets this agent read; the right to change shows only in a change",
    }
}

fn fault(error: &DnsError) -> Fault {
    match error {
        DnsError::Denied { .. } | DnsError::Misconfigured { .. } => Fault::Missing(error.to_string()),
        DnsError::Conflict { .. }
        | DnsError::Throttled { .. }
        | DnsError::Unavailable { .. }
        | DnsError::Unknown { .. } => Fault::Failed(error.to_string()),
    }
}
