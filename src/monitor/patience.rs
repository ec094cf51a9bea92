//! How long one waits for a Redis: for each exchange, and for all of them together.

use std::time::Duration;

use tokio::time::Instant;

use super::socket::Ends;

/// How long several exchanges may take: each of them so long, and all of them until an end. The connection, AUTH and each
/// command are an exchange of their own: what answers every command in time serves, however many a look needs.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    exchange: Duration,
    end: Instant,
}

impl Patience {
    /// From here on, `exchange` for each, and `all` for all together.
    #[must_use]
    pub fn new(exchange: Duration, all: Duration) -> Self {
        Self { exchange, end: Instant::now() + all }
    }

    /// For an exchange that begins here.
    pub(super) fn ends(self) -> Ends {
        Ends { end: self.end.min(Instant::now() + self.exchange), deadline: self.exchange }
    }
}

/// So long for all together.
impl From<Duration> for Patience {
    fn from(all: Duration) -> Self {
        Self::new(all, all)
    }
}
