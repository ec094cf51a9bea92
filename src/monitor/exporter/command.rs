//! What a scrape asks, and what a server may refuse for good.

/// A command of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Command {
    /// `INFO`.
    Info,
    /// `CONFIG GET` of single parameters.
    ConfigGet,
    /// `SLOWLOG LEN`.
    SlowlogLen,
    /// `SLOWLOG GET 1`.
    SlowlogGet,
    /// `LATENCY LATEST`.
    LatencyLatest,
    /// `LATENCY HISTOGRAM`.
    LatencyHistogram,
    /// `CLUSTER INFO`.
    ClusterInfo,
    /// `CLUSTER NODES`.
    ClusterNodes,
    /// `CLIENT LIST`.
    ClientList,
    /// `SENTINEL MASTERS`.
    SentinelMasters,
    /// `SENTINEL REPLICAS`.
    SentinelReplicas,
    /// `SENTINEL SENTINELS`.
    SentinelSentinels,
    /// `SENTINEL CKQUORUM`.
    SentinelQuorum,
}

impl Command {
    /// The command as Redis' own statistics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::ConfigGet => "config|get",
            Self::SlowlogLen => "slowlog|len",
            Self::SlowlogGet => "slowlog|get",
            Self::LatencyLatest => "latency|latest",
            Self::LatencyHistogram => "latency|histogram",
            Self::ClusterInfo => "cluster|info",
            Self::ClusterNodes => "cluster|nodes",
            Self::ClientList => "client|list",
            Self::SentinelMasters => "sentinel|masters",
            Self::SentinelReplicas => "sentinel|replicas",
            Self::SentinelSentinels => "sentinel|sentinels",
            Self::SentinelQuorum => "sentinel|ckquorum",
        }
    }

    /// Whether only a Sentinel knows it.
    pub fn is_of_sentinel(self) -> bool {
        self.as_str().starts_with("sentinel")
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Info => &["INFO"],
            Self::ConfigGet => &["CONFIG", "GET"],
            Self::SlowlogLen => &["SLOWLOG", "LEN"],
            Self::SlowlogGet => &["SLOWLOG", "GET", "1"],
            Self::LatencyLatest => &["LATENCY", "LATEST"],
            Self::LatencyHistogram => &["LATENCY", "HISTOGRAM"],
            Self::ClusterInfo => &["CLUSTER", "INFO"],
            Self::ClusterNodes => &["CLUSTER", "NODES"],
            Self::ClientList => &["CLIENT", "LIST"],
            Self::SentinelMasters => &["SENTINEL", "MASTERS"],
            Self::SentinelReplicas => &["SENTINEL", "REPLICAS"],
            Self::SentinelSentinels => &["SENTINEL", "SENTINELS"],
            Self::SentinelQuorum => &["SENTINEL", "CKQUORUM"],
        }
    }
}

/// Commands that leave together.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    bytes: Vec<u8>,
    asked: Vec<(Command, String)>,
    /// Commands before those of the scrape: AUTH.
    before: usize,
}

impl Pipeline {
    /// Puts the login first.
    pub fn auth(&mut self, username: Option<&str>, password: &str) {
        let words = [Some("AUTH"), username, Some(password)];
        encode(&mut self.bytes, words.into_iter().flatten());
        self.before += 1;
    }

    /// Adds a command with an argument, empty for none.
    pub fn ask(&mut self, command: Command, argument: &str) {
        let argument = Some(argument).filter(|argument| !argument.is_empty());
        encode(&mut self.bytes, command.words().iter().copied().chain(argument));
        self.asked.push((command, argument.unwrap_or_default().to_owned()));
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Answers that are awaited.
    pub fn count(&self) -> usize {
        self.before + self.asked.len()
    }

    /// The commands and their arguments, without the login.
    pub fn asked(&self) -> &[(Command, String)] {
        &self.asked
    }
}

fn encode<'a>(bytes: &mut Vec<u8>, words: impl Iterator<Item = &'a str> + Clone) {
    bytes.extend_from_slice(format!("*{}\r\n", words.clone().count()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_one_run_of_bytes() {
        let mut pipeline = Pipeline::default();
        pipeline.auth(None, "p\r\nw");
        pipeline.ask(Command::SlowlogGet, "");
        pipeline.ask(Command::ConfigGet, "maxmemory");
        let want = "*2\r\n$4\r\nAUTH\r\n$4\r\np\r\nw\r\n*3\r\n$7\r\nSLOWLOG\r\n$3\r\nGET\r\n$1\r\n1\r\n\
                    *3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$9\r\nmaxmemory\r\n";
        assert_eq!(String::from_utf8_lossy(pipeline.bytes()), want);
        assert_eq!((pipeline.count(), pipeline.asked().len()), (3, 2));
    }
}
