//! The servers that others know: the nodes of a cluster, and the primaries and replicas that a Sentinel watches.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::command::{Command, Pipeline};
use super::error::ScrapeError;
use super::prober::Prober;
use super::resp::Reply;
use crate::config::{Address, Discover};
use crate::monitor::socket::Ends;

/// Most servers that one target may make known.
const FOUND_MAX: usize = 1000;
/// Marks of a node that has no address, or none that can be reached.
const GONE: [&str; 3] = ["noaddr", "handshake", "fail"];

/// Host and port of a server.
pub(super) type Place = (String, u16);

impl Prober {
    /// Asks the target which servers it knows.
    pub async fn known_servers(
        &self,
        kind: Discover,
        deadline: Duration,
    ) -> Result<BTreeSet<Place>, ScrapeError> {
        let ends = Ends { end: Instant::now() + deadline, deadline };
        match kind {
            Discover::Nothing => Ok(BTreeSet::new()),
            Discover::Cluster => {
                let mut pipeline = Pipeline::default();
                pipeline.ask(Command::ClusterNodes, "");
                let (link, answers) = self.exchange(&pipeline, ends).await?;
                let found = match answers.replies()?.first() {
                    Some(Reply::Error(line)) => return Err(ScrapeError::refused(line)),
                    Some(reply) => nodes(reply.text().unwrap_or_default(), &self.host()),
                    None => BTreeSet::new(),
                };
                self.keep(link);
                Ok(found)
            }
            Discover::Sentinel => self.watched_servers(ends).await,
        }
    }

    async fn watched_servers(&self, ends: Ends) -> Result<BTreeSet<Place>, ScrapeError> {
        let mut pipeline = Pipeline::default();
        pipeline.ask(Command::SentinelMasters, "");
        let (mut link, answers) = self.exchange(&pipeline, ends).await?;
        let replies = answers.replies()?;
        let primaries = match replies.first() {
            Some(Reply::Error(line)) => return Err(ScrapeError::refused(line)),
            Some(reply) => reply.items(),
            None => &[],
        };
        let mut found: BTreeSet<Place> = primaries.iter().filter_map(place).take(FOUND_MAX).collect();
        let mut pipeline = Pipeline::default();
        for name in primaries.iter().filter_map(|row| field(row, "name")).take(FOUND_MAX) {
            pipeline.ask(Command::SentinelReplicas, name);
        }
        if pipeline.count() > 0 {
            let answers = link.exchange(pipeline.bytes(), pipeline.count(), ends).await?;
            let replies = answers.replies()?;
            let rows = replies.iter().flat_map(Reply::items);
            found.extend(rows.filter_map(place).take(FOUND_MAX));
        }
        self.keep(link);
        Ok(found)
    }

    /// The host that the target is reached at.
    fn host(&self) -> String {
        match &self.target().address {
            Address::Tcp { host, .. } => host.clone(),
            Address::Unix(_) => "localhost".to_owned(),
        }
    }
}

/// The nodes in `<id> <host>:<port>@<bus>[,<name>] <flags> …`; a node that does not know its own host is at `host`.
fn nodes(text: &str, host: &str) -> BTreeSet<Place> {
    let node = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (address, flags) = (words.next()?, words.next()?);
        if flags.split(',').any(|flag| GONE.contains(&flag)) {
            return None;
        }
        let (found, port) = address.split('@').next()?.rsplit_once(':')?;
        let found = if found.is_empty() { host } else { found };
        Some((found.to_owned(), port.parse().ok().filter(|port| *port > 0)?))
    };
    text.lines().filter_map(node).take(FOUND_MAX).collect()
}

/// Host and port in a row of a Sentinel.
fn place(row: &Reply<'_>) -> Option<Place> {
    Some((field(row, "ip")?.to_owned(), field(row, "port")?.parse().ok().filter(|port| *port > 0)?))
}

fn field<'a>(row: &Reply<'a>, name: &str) -> Option<&'a str> {
    row.pairs().find(|(found, _)| *found == name).and_then(|(_, value)| value.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_can_be_reached_are_found() {
        let text = "07c3 127.0.0.1:30004@31004,hostname4 slave e7d1 0 1426238317239 4 connected\n\
                    67ed 10.0.0.2:30002@31002 master - 0 1426238316232 2 connected 5461-10922\n\
                    292f :30003@31003 myself,master - 0 0 3 connected 10923-16383\n\
                    6ec2 :0@0 master,noaddr - 0 0 0 disconnected\n\
                    824f 10.0.0.9:30006@31006 slave,fail e7d1 0 0 6 disconnected\n\
                    8250 10.0.0.8:30006@31006 slave,fail? e7d1 0 0 6 connected\n\
                    9000 2001:db8::1:30007@31007 master - 0 0 7 connected\n\
                    noise\n";
        let found: Vec<_> = nodes(text, "seed").into_iter().collect();
        let want = [
            ("10.0.0.2", 30002),
            ("10.0.0.8", 30006),
            ("127.0.0.1", 30004),
            ("2001:db8::1", 30007),
            ("seed", 30003),
        ];
        assert_eq!(found, want.map(|(host, port)| (host.to_owned(), port)));
    }
}
