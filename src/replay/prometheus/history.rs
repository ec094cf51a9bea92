//! The way through the span, chunk by chunk, with patience for a Prometheus that is busy.

use std::collections::VecDeque;
use std::time::Duration;

use super::chunk::Chunk;
use super::query::queries;
use super::rebuild::Rebuilder;
use crate::config::{Config, Prometheus, Service};
use crate::monitor::{RANGE_POINTS_MAX, RangeClient, RangeSeries};
use crate::replay::{Flow, ReplayError, Span, Stretch};
use crate::types::Moment;

/// A question is asked so many times,
const TRIES: u32 = 5;
/// with this wait after the first failure, twice as long after each further one.
const WAIT: Duration = Duration::from_secs(1);

/// How Prometheus is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where it is.
    pub prometheus: Prometheus,
    /// The time from one round to the next.
    pub step: Duration,
}

/// The history of one service as Prometheus kept it.
///
/// Only one chunk is held at a time. A question that fails is asked again, and what was answered before is not.
pub struct PrometheusHistory<'a> {
    client: RangeClient,
    rebuilder: Rebuilder<'a>,
    service: &'a Service,
    queries: Vec<(&'static str, String)>,
    step: Duration,
    next_unix_ms: i64,
    until_unix_ms: i64,
    ready: VecDeque<Stretch>,
    retries: u64,
}

impl<'a> PrometheusHistory<'a> {
    /// The history of a service within a span.
    ///
    /// # Errors
    /// The certificate authorities cannot be used.
    pub fn new(
        config: &'a Config,
        service: &'a Service,
        asked: &Asked,
        span: Span,
    ) -> Result<Self, ReplayError> {
        let client = RangeClient::new(&asked.prometheus).map_err(|source| ReplayError::Client { source })?;
        // At whole steps, whenever it is asked: the same question has the same answer.
        let step_ms = i64::try_from(asked.step.as_millis()).unwrap_or(i64::MAX).max(1);
        Ok(Self {
            client,
            rebuilder: Rebuilder::new(config, service, asked.step),
            service,
            queries: queries(service, &config.webhook.service_label),
            step: asked.step,
            next_unix_ms: span.lead_unix_ms - span.lead_unix_ms % step_ms,
            until_unix_ms: span.until_unix_ms,
            ready: VecDeque::new(),
            retries: 0,
        })
    }

    /// Questions that had to be asked again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// The next round; `None` at the end.
    ///
    /// # Errors
    /// Prometheus did not answer, several times over.
    pub async fn next(&mut self) -> Result<Option<Stretch>, ReplayError> {
        while self.ready.is_empty() && self.next_unix_ms <= self.until_unix_ms {
            let chunk = self.chunk().await?;
            for step in 0..chunk.steps {
                let wall = Duration::from_millis(u64::try_from(chunk.time(step)).unwrap_or(0));
                // A monotonic clock that began with the Unix epoch: it never jumps.
                let now = Moment { mono: wall, wall };
                let round = self.rebuilder.round(&chunk, step, now);
                self.ready.extend(round.map(|(evidence, then)| Stretch {
                    evidence,
                    first: now,
                    rounds: 1,
                    step: self.step,
                    flow: Flow::new(),
                    then,
                    is_restart: false,
                }));
            }
            self.next_unix_ms = chunk.time(chunk.steps);
        }
        Ok(self.ready.pop_front())
    }

    async fn chunk(&mut self) -> Result<Chunk, ReplayError> {
        let from = self.next_unix_ms;
        let most = i64::try_from((self.step * (RANGE_POINTS_MAX - 1)).as_millis()).unwrap_or(i64::MAX);
        let until = self.until_unix_ms.min(from.saturating_add(most));
        let mut chunk = Chunk::new(from, until, self.step);
        for number in 0..self.queries.len() {
            let (name, promql) = &self.queries[number];
            let (answer, retries) = patiently(&self.client, promql, from, until, self.step).await?;
            self.retries += retries;
            chunk.add(name, answer, self.service);
        }
        Ok(chunk)
    }
}

/// Asks until there is an answer, or until asking again is of no use.
async fn patiently(
    client: &RangeClient,
    promql: &str,
    from: i64,
    until: i64,
    step: Duration,
) -> Result<(Vec<RangeSeries>, u64), ReplayError> {
    let mut tried = 0;
    loop {
        tried += 1;
        match client.ask(promql, from, until, step).await {
            Ok(answer) => return Ok((answer, u64::from(tried - 1))),
            Err(source) if tried >= TRIES || !source.is_retryable() => {
                let (promql, times, from) = (promql.to_owned(), tried, from / 1000);
                return Err(ReplayError::Prometheus { promql, times, from, source });
            }
            Err(_) => tokio::time::sleep(WAIT * (1 << (tried - 1))).await,
        }
    }
}
