//! What the service's answers, and its silence, mean. The question behind every row: can the change have been applied?

use std::error::Error;

use aws_sdk_route53::config::http::HttpResponse;
use aws_sdk_route53::error::{ProvideErrorMetadata, SdkError};

use crate::act::dns::{DnsError, wire};

const THROTTLED: [&str; 6] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "PriorRequestNotComplete",
];
const DENIED: [&str; 12] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];
/// The service's words are passed on, up to here.
const DETAIL_CHARS_MAX: usize = 1000;

/// What kind of request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// It changes nothing.
    Read,
    /// It was handed to the network.
    SentChange,
    /// It never left: credentials, signing or building failed.
    UnsentChange,
}

/// The error of a failed request.
pub(super) fn error<E>(action: &'static str, request: Request, error: &SdkError<E, HttpResponse>) -> DnsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let silent = |detail: String| match request {
        Request::SentChange if !is_never_connected(error) => DnsError::Unknown { detail },
        Request::SentChange | Request::Read | Request::UnsentChange => DnsError::Unavailable { detail },
    };
    let detail = clip(wire::chain(error));
    if let SdkError::ServiceError(answer) = error {
        if let Some(detail) = batch_refusal(answer.raw()) {
            return DnsError::Conflict { detail };
        }
        return answered(action, request, answer.err(), answer.raw().status().as_u16());
    }
    if matches!(error, SdkError::ConstructionFailure(_)) {
        return DnsError::Misconfigured { detail };
    }
    if let SdkError::DispatchFailure(failure) = error {
        // Neither socket nor timeout: the SDK gave up before it sent, which is what missing credentials look like.
        if failure.is_other() && request != Request::SentChange && is_about_credentials(&detail) {
            return DnsError::Denied { action, detail };
        }
    }
    // Timeouts, resets, unreadable answers, and whatever the SDK may add one day.
    silent(detail)
}

fn answered(
    action: &'static str,
    request: Request,
    error: &(impl ProvideErrorMetadata + Error),
    status: u16,
) -> DnsError {
    let code = error.code().unwrap_or_default();
    let detail = clip(format!("{code} ({status}): {}", text(error)));
    match code {
        "InvalidChangeBatch" => return DnsError::Conflict { detail },
        _ if THROTTLED.contains(&code) || status == 429 => return DnsError::Throttled { detail },
        _ if DENIED.contains(&code) => return DnsError::Denied { action, detail },
        _ => {}
    }
    match (status, request) {
        (401 | 403, _) => DnsError::Denied { action, detail },
        (400..=499, _) => DnsError::Misconfigured { detail },
        (_, Request::SentChange) => DnsError::Unknown { detail },
        (_, Request::Read | Request::UnsentChange) => DnsError::Unavailable { detail },
    }
}

/// The service refuses a batch in a document of its own, which the SDK does not recognise. Its messages.
fn batch_refusal(answer: &HttpResponse) -> Option<String> {
    let body = std::str::from_utf8(answer.body().bytes()?).ok()?;
    let (_, refusal) = body.split_once("<InvalidChangeBatch")?;
    let messages = refusal.split("<Message>").skip(1).filter_map(|part| part.split_once("</Message>"));
    let messages: Vec<&str> = messages.map(|(message, _)| message.trim()).collect();
    (answer.status().as_u16() == 400).then(|| clip(format!("InvalidChangeBatch: {}", messages.join("; "))))
}

/// The message, or the error's own text, which for a change batch lists the messages of each change.
fn text(error: &(impl ProvideErrorMetadata + Error)) -> String {
    error.message().map_or_else(|| error.to_string(), str::to_owned)
}

/// Whether the connection was never made, so that no byte of the request left this machine.
fn is_never_connected<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let failed = error.downcast_ref::<hyper_util::client::legacy::Error>();
        if failed.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn is_about_credentials(detail: &str) -> bool {
    ["credential", "identity", "token"].iter().any(|word| detail.to_ascii_lowercase().contains(word))
}

fn clip(text: String) -> String {
    if text.chars().count() <= DETAIL_CHARS_MAX {
        text
    } else {
        text.chars().take(DETAIL_CHARS_MAX).collect()
    }
}
