//! What the primary's replies, and its silence, mean. The question behind every row: can the change have been applied?
//!
//! | what came back to an UPDATE | applied? | error |
//! |---|---|---|
//! | signed NOERROR | yes | none |
//! | signed NXRRSET, YXRRSET, NXDOMAIN, YXDOMAIN | no: a prerequisite failed, which is asked first | `Conflict` |
//! | signed REFUSED, NOTAUTH | no: the server takes no such change from this key, or not for this zone | `Denied` |
//! | signed NOTAUTH with BADTIME or BADTRUNC | no: the signature is checked before all else | `Denied` |
//! | signed NOTZONE, FORMERR, NOTIMP | no: the message was refused as such | `Misconfigured` |
//! | signed SERVFAIL | perhaps: a journal that could not be written, or a change that was forwarded | `Unknown` |
//! | signed, any other code | perhaps | `Unknown` |
//! | unsigned, whatever it says, BADKEY and BADSIG included; a wrong signature; another question's reply | perhaps: somebody else may have written it | `Unknown` |
//! | silence, or a connection that breaks after the first byte was handed over | perhaps | `Unknown` |
//! | no connection, or this agent stood still before the first byte | no | `Unavailable` |
//!
//! Every change is preceded by a signed read on the same connection, so a key that the server does not know is found
//! out before anything is sent that could be applied.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::tsig::TsigError;

use super::key::{Doubt, FUDGE_SECONDS, Reply};
use super::session::NoReply;
use crate::act::dns::DnsError;
use crate::act::dns::wire::WireError;

const UPDATE: &str = "UPDATE";
const QUERY: &str = "QUERY";
const CONFLICTS: [ResponseCode; 4] =
    [ResponseCode::NXRRSet, ResponseCode::YXRRSet, ResponseCode::NXDomain, ResponseCode::YXDomain];
const DENIALS: [ResponseCode; 2] = [ResponseCode::Refused, ResponseCode::NotAuth];
const REFUSALS: [ResponseCode; 3] = [ResponseCode::NotZone, ResponseCode::FormErr, ResponseCode::NotImp];

/// What came of an UPDATE.
pub(super) fn changed(reply: Result<Reply, NoReply>) -> Result<(), DnsError> {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return Err(DnsError::Unknown { detail: error.to_string() }),
    };
    let code = reply.message.metadata.response_code;
    let detail = answers(code);
    match reply.error {
        Some(error) => Err(distrusted(UPDATE, code, error).unwrap_or(DnsError::Unknown { detail })),
        None if code == ResponseCode::NoError => Ok(()),
        None if CONFLICTS.contains(&code) => Err(DnsError::Conflict { detail }),
        None if DENIALS.contains(&code) => Err(DnsError::Denied { action: UPDATE, detail }),
        None if REFUSALS.contains(&code) => Err(DnsError::Misconfigured { detail }),
        None => Err(DnsError::Unknown { detail }),
    }
}

/// The reply to a question that changes nothing, where its signature was accepted.
pub(super) fn answered(reply: Result<Reply, NoReply>) -> Result<Reply, DnsError> {
    let reply = match reply {
        Ok(reply) => reply,
        // It proves nothing, but it is the likeliest reason, and a person has to look.
        Err(error @ NoReply::Doubted(Doubt::Rejected(_))) => {
            return Err(DnsError::Denied { action: QUERY, detail: error.to_string() });
        }
        Err(error @ (NoReply::Silent(_) | NoReply::Doubted(Doubt::Unproven(_)))) => {
            return Err(DnsError::Unavailable { detail: error.to_string() });
        }
    };
    let code = reply.message.metadata.response_code;
    match reply.error {
        Some(error) => {
            let detail = answers(code);
            Err(distrusted(QUERY, code, error).unwrap_or(DnsError::Unavailable { detail }))
        }
        None => Ok(reply),
    }
}

/// The error of a question that was answered with this code, which is no answer.
pub(super) fn unread(code: ResponseCode) -> DnsError {
    let detail = answers(code);
    if DENIALS.contains(&code) {
        DnsError::Denied { action: QUERY, detail }
    } else if REFUSALS.contains(&code) {
        DnsError::Misconfigured { detail }
    } else {
        DnsError::Unavailable { detail }
    }
}

/// The error of something that cannot be put into DNS.
pub(super) fn unfit(error: WireError) -> DnsError {
    DnsError::Misconfigured { detail: error.to_string() }
}

/// The code as people know it.
fn answers(code: ResponseCode) -> String {
    format!("the server answers {}", format!("{code:?}").to_uppercase())
}

/// The holder of the key says that it did not even look at the question. `None` where it says something else, or
/// contradicts itself.
fn distrusted(action: &'static str, code: ResponseCode, error: TsigError) -> Option<DnsError> {
    if code != ResponseCode::NotAuth {
        return None;
    }
    let detail = match error {
        TsigError::BadTime => {
            format!("its clock and this one differ by more than {FUDGE_SECONDS} s (BADTIME)")
        }
        TsigError::BadTrunc => "the signature is shorter than it asks for (BADTRUNC)".to_owned(),
        TsigError::BadSig | TsigError::BadKey | TsigError::Unknown(_) => return None,
    };
    Some(DnsError::Denied { action, detail })
}
