//! The numbers about answering.

use hickory_proto::op::ResponseCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::answer::Transport;
use super::limit::Ruling;
use crate::monitor::{counted, register};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    transport: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Withheld {
    action: &'static str,
}

/// The codes that are counted, and what all others are counted as.
const CODES: [(Option<ResponseCode>, &str); 8] = [
    (Some(ResponseCode::NoError), "noerror"),
    (Some(ResponseCode::NXDomain), "nxdomain"),
    (Some(ResponseCode::Refused), "refused"),
    (Some(ResponseCode::ServFail), "servfail"),
    (Some(ResponseCode::FormErr), "formerr"),
    (Some(ResponseCode::NotImp), "notimp"),
    (Some(ResponseCode::BADVERS), "badvers"),
    (None, "other"),
];

/// The numbers about answering. Counters are looked up once: a query must cost microseconds.
#[derive(Debug, Clone)]
pub struct DnsMetrics {
    udp: [Counter; CODES.len()],
    tcp: [Counter; CODES.len()],
    cut: Counter,
    dropped: Counter,
}

impl DnsMetrics {
    /// Makes and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let answered: Family<Answered, Counter> = Family::default();
        register(registry, &counted::DNS_ANSWERS, answered.clone());
        let withheld: Family<Withheld, Counter> = Family::default();
        register(registry, &counted::DNS_ANSWERS_LIMITED, withheld.clone());
        let each =
            |transport| CODES.map(|(_, code)| answered.get_or_create(&Answered { transport, code }).clone());
        let one = |action| withheld.get_or_create(&Withheld { action }).clone();
        Self { udp: each("udp"), tcp: each("tcp"), cut: one("cut"), dropped: one("dropped") }
    }

    pub(super) fn answered(&self, transport: Transport, code: ResponseCode) {
        let place = CODES.iter().position(|(known, _)| known.is_none_or(|known| known == code));
        let counters = match transport {
            Transport::Udp => &self.udp,
            Transport::Tcp => &self.tcp,
        };
        if let Some(counter) = place.and_then(|place| counters.get(place)) {
            counter.inc();
        }
    }

    pub(super) fn ruled(&self, ruling: Ruling) {
        match ruling {
            Ruling::Send => {}
            Ruling::Cut => {
                self.cut.inc();
            }
            Ruling::Drop => {
                self.dropped.inc();
            }
        }
    }
}
