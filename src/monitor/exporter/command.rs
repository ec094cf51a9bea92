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
    /// `SELECT`.
    Select,
    /// `READONLY`.
    Readonly,
    /// `SCAN`.
    Scan,
    /// `TYPE`.
    Type,
    /// `STRLEN`.
    Strlen,
    /// `GETRANGE`.
    Getrange,
    /// `PFCOUNT`.
    Pfcount,
    /// `LLEN`.
    Llen,
    /// `SCARD`.
    Scard,
    /// `ZCARD`.
    Zcard,
    /// `HLEN`.
    Hlen,
    /// `XLEN`.
    Xlen,
    /// `MEMORY USAGE`.
    MemoryUsage,
    /// `XINFO STREAM`.
    XinfoStream,
    /// `XINFO GROUPS`.
    XinfoGroups,
    /// `XINFO CONSUMERS`.
    XinfoConsumers,
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
            Self::Select => "select",
            Self::Readonly => "readonly",
            Self::Scan => "scan",
            Self::Type => "type",
            Self::Strlen => "strlen",
            Self::Getrange => "getrange",
            Self::Pfcount => "pfcount",
            Self::Llen => "llen",
            Self::Scard => "scard",
            Self::Zcard => "zcard",
            Self::Hlen => "hlen",
            Self::Xlen => "xlen",
            Self::MemoryUsage => "memory|usage",
            Self::XinfoStream => "xinfo|stream",
            Self::XinfoGroups => "xinfo|groups",
            Self::XinfoConsumers => "xinfo|consumers",
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
            Self::Select => &["SELECT"],
            Self::Readonly => &["READONLY"],
            Self::Scan => &["SCAN"],
            Self::Type => &["TYPE"],
            Self::Strlen => &["STRLEN"],
            Self::Getrange => &["GETRANGE"],
            Self::Pfcount => &["PFCOUNT"],
            Self::Llen => &["LLEN"],
            Self::Scard => &["SCARD"],
            Self::Zcard => &["ZCARD"],
            Self::Hlen => &["HLEN"],
            Self::Xlen => &["XLEN"],
            Self::MemoryUsage => &["MEMORY", "USAGE"],
            Self::XinfoStream => &["XINFO", "STREAM"],
            Self::XinfoGroups => &["XINFO", "GROUPS"],
            Self::XinfoConsumers => &["XINFO", "CONSUMERS"],
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
        encode(&mut self.bytes, words.into_iter().flatten().map(str::as_bytes));
        self.before += 1;
    }

    /// Adds a command with an argument, empty for none.
    pub fn ask(&mut self, command: Command, argument: &str) {
        let argument = Some(argument).filter(|argument| !argument.is_empty());
        let words = command.words().iter().copied().chain(argument);
        encode(&mut self.bytes, words.map(str::as_bytes));
        self.asked.push((command, argument.unwrap_or_default().to_owned()));
    }

    /// Adds a command with any number of arguments, whose bytes may be any; they are not kept beside it.
    pub fn ask_all(&mut self, command: Command, arguments: &[&[u8]]) {
        let words = command.words().iter().map(|word| word.as_bytes());
        encode(&mut self.bytes, words.chain(arguments.iter().copied()));
        self.asked.push((command, String::new()));
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

fn encode<'a>(bytes: &mut Vec<u8>, words: impl Iterator<Item = &'a [u8]> + Clone) {
    bytes.extend_from_slice(format!("*{}\r\n", words.clone().count()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
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
        pipeline.ask_all(Command::MemoryUsage, &[b"\xff\r\n"]);
        let want = "*2\r\n$4\r\nAUTH\r\n$4\r\np\r\nw\r\n*3\r\n$7\r\nSLOWLOG\r\n$3\r\nGET\r\n$1\r\n1\r\n\
                    *3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$9\r\nmaxmemory\r\n\
                    *3\r\n$6\r\nMEMORY\r\n$5\r\nUSAGE\r\n$3\r\n\u{fffd}\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(pipeline.bytes()), want);
        assert_eq!((pipeline.count(), pipeline.asked().len()), (4, 3));
    }
}
