//! Listens to what simulated agents say, and finds the secrets in it: in their logs, at every level down to debug, and
//! in their HTTP answers. Journals are read after the run.
//!
//! A run keeps to one thread, so what was found waits there until the run is over.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::{LazyLock, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use super::agent::{Doors, secrets};

/// What everybody may ask of an agent.
const PAGES: [&str; 3] = ["/metrics", "/-/healthy", "/-/ready"];
/// Largest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// One for all runs: to register a listener is work for every place that logs.
static LISTENER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Listener));

thread_local! {
    static FOUND: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Does some work, and hears its logs; what of it holds a secret is returned beside the result.
pub(super) fn listen<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    FOUND.take();
    let done = tracing::dispatcher::with_default(&LISTENER, work);
    (done, FOUND.take())
}

/// Whether a text holds a secret of the simulated agents.
pub(super) fn is_leak(text: &str) -> bool {
    secrets().iter().any(|secret| text.contains(secret))
}

fn hear(place: impl FnOnce() -> String, text: &str) {
    if is_leak(text) {
        FOUND.with_borrow_mut(|found| found.push(place()));
    }
}

/// Reads an answer of an agent, and returns its status.
pub(super) async fn read(path: &str, answer: Response<Body>) -> u16 {
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
    let place = || format!("the answer to {path} holds a secret");
    hear(place, &format!("{:?} {}", parts.headers, String::from_utf8_lossy(&body)));
    parts.status.as_u16()
}

/// Reads all that the agents that run publish.
pub(super) async fn read_pages(doors: &Doors) {
    let open: Vec<Router> =
        doors.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().cloned().collect();
    for door in open {
        for path in PAGES {
            let request = Request::get(path).header(header::ACCEPT, "*/*").body(Body::empty());
            let Ok(request) = request else { continue };
            let Ok(answer) = TowerToHyperService::new(door.clone()).call(request).await;
            read(path, answer).await;
        }
    }
}

/// Hears every event and span of this program.
struct Listener;

/// The fields of an event or a span, as a log would show them.
#[derive(Default)]
struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a String cannot fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Listener {
    fn hear(metadata: &Metadata<'_>, said: &Said) {
        hear(
            || format!("the log of {} at the level {} holds a secret", metadata.target(), metadata.level()),
            &said.0,
        );
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG && metadata.target().starts_with(env!("CARGO_PKG_NAME"))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut said = Said::default();
        span.record(&mut said);
        Self::hear(span.metadata(), &said);
        // Spans are not told apart: what they hold is heard when it is said.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut said = Said::default();
        values.record(&mut said);
        hear(|| "the log of a span holds a secret".to_owned(), &said.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        Self::hear(event.metadata(), &said);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::routing::get;

    use super::*;

    #[test]
    fn a_secret_in_the_log_is_heard() {
        let [token, password] = secrets();
        let ((), found) = listen(|| {
            tracing::info!("nothing");
            tracing::debug!(header = %format!("Bearer {token}"), "asked");
            let _span = tracing::info_span!("look", password).entered();
            tracing::trace!(token, "nobody turns this on");
        });
        let place = |level: &str| {
            format!("the log of redrover::sim::leaks::tests at the level {level} holds a secret")
        };
        assert_eq!(found, [place("DEBUG"), place("INFO")]);
        assert_eq!(listen(|| tracing::info!("nothing")).1, [] as [&str; 0]);
    }

    #[test]
    fn a_secret_on_a_page_is_read() {
        let [token, _] = secrets();
        let page =
            Router::new().route("/metrics", get(move || async move { format!("a{{b=\"{token}\"}} 1\n") }));
        let doors: Doors = Arc::new(Mutex::new(vec![None, Some(page)]));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ((), found) = listen(|| runtime.block_on(read_pages(&doors)));
        assert_eq!(found, ["the answer to /metrics holds a secret"]);
    }
}
