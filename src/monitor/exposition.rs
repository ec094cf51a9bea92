//! The page of a scrape, in either text form: classic 0.0.4, or OpenMetrics 1.0.

use std::collections::BTreeSet;
use std::fmt::Write;

use prometheus_client::registry::Registry;

use super::catalog::{MetricKind, MetricSpec};
use super::format::Format;
use super::translate::Families;

/// A page that is being written, one block for each family.
#[derive(Debug)]
pub struct Page {
    format: Format,
    text: String,
    names: BTreeSet<String>,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, text: String::new(), names: BTreeSet::new() }
    }

    /// Writes a family with its series; a family without series leaves no trace. A family that the page has already is
    /// not written again, for a page with two blocks of one name is no page.
    pub fn family<L, K, V>(&mut self, spec: &MetricSpec, series: impl IntoIterator<Item = (L, f64)>)
    where
        L: IntoIterator<Item = (K, V)>,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut series = series.into_iter().peekable();
        if series.peek().is_none() || !self.claim(spec.name) {
            return;
        }
        let kind = match spec.kind {
            MetricKind::Gauge => "gauge",
            MetricKind::Counter => "counter",
        };
        // OpenMetrics names a counter's family without the ending of its samples.
        let family = match (self.format, spec.kind) {
            (Format::OpenMetrics, MetricKind::Counter) => {
                spec.name.strip_suffix("_total").unwrap_or(spec.name)
            }
            (Format::OpenMetrics, MetricKind::Gauge) | (Format::Text, _) => spec.name,
        };
        self.header(family, spec.help, kind);
        for (labels, value) in series {
            self.text.push_str(spec.name);
            write_labels(&mut self.text, labels);
            self.text.push(' ');
            write_value(&mut self.text, value);
            self.text.push('\n');
        }
    }

    /// Writes the families of a registry; one that the page has already is left out.
    pub fn registry(&mut self, registry: &Registry) {
        let mut text = String::new();
        if prometheus_client::encoding::text::encode_registry(&mut text, registry).is_err() {
            // Writing into a string fails only where a metric's own encoder does.
            tracing::error!("the house's own metrics could not be written");
            return;
        }
        for family in Families::of(&text, self.format) {
            if self.claim(&family.name) {
                self.header(&family.heading, &family.help, family.kind);
                self.text.push_str(&family.samples);
            }
        }
    }

    /// The page as bytes.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        match self.format {
            Format::Text => {}
            Format::OpenMetrics => self.text.push_str("# EOF\n"),
        }
        self.text.into_bytes()
    }

    fn claim(&mut self, name: &str) -> bool {
        let family = name.strip_suffix("_total").unwrap_or(name);
        let is_new = self.names.insert(family.to_owned());
        if !is_new {
            tracing::error!(family, "a metric family was written twice; the second block is left out");
        }
        is_new
    }

    fn header(&mut self, name: &str, help: &str, kind: &str) {
        self.text.push_str("# HELP ");
        self.text.push_str(name);
        self.text.push(' ');
        // In HELP a quote stands for itself in the classic form, and may do so in OpenMetrics.
        escape(&mut self.text, help, Quote::Plain);
        self.text.push_str("\n# TYPE ");
        self.text.push_str(name);
        self.text.push(' ');
        self.text.push_str(kind);
        self.text.push('\n');
    }
}

fn write_labels<K: AsRef<str>, V: AsRef<str>>(text: &mut String, labels: impl IntoIterator<Item = (K, V)>) {
    let mut before = '{';
    for (key, value) in labels {
        text.push(before);
        text.push_str(key.as_ref());
        text.push_str("=\"");
        escape(text, value.as_ref(), Quote::Escaped);
        text.push('"');
        before = ',';
    }
    if before == ',' {
        text.push('}');
    }
}

/// What becomes of a quote.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    Plain,
    Escaped,
}

fn escape(text: &mut String, raw: &str, quote: Quote) {
    for c in raw.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quote == Quote::Escaped => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}

fn write_value(text: &mut String, value: f64) {
    if value.is_nan() {
        text.push_str("NaN");
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        // Writing into a string cannot fail.
        let _ = write!(text, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::info::Info;

    use super::*;
    use crate::monitor::catalog::{CATALOG, Source, TARGET_LABELS, house, spec};
    use crate::monitor::{InfoReply, Metrics, samples};

    fn text(page: Page) -> String {
        String::from_utf8(page.finish()).unwrap()
    }

    #[test]
    fn the_forms_differ_in_counters_and_the_end() {
        let counter = spec("redis_commands_total").unwrap();
        let series = [([("cmd", "a\"b\\c\nd")], f64::NAN)];
        let mut page = Page::new(Format::Text);
        page.family(counter, series);
        assert_eq!(
            text(page),
            "# HELP redis_commands_total Calls of a command\n# TYPE redis_commands_total counter\n\
             redis_commands_total{cmd=\"a\\\"b\\\\c\\nd\"} NaN\n"
        );
        let mut page = Page::new(Format::OpenMetrics);
        page.family(counter, [([("cmd", "get")], f64::INFINITY), ([("cmd", "set")], 1e21)]);
        page.family(counter, series);
        page.family(&house::UP, [([("", ""); 0], f64::NEG_INFINITY), ([("", ""); 0], 0.25)]);
        page.family(&house::HALTED, std::iter::empty::<([(&str, &str); 1], f64)>());
        assert_eq!(
            text(page),
            "# HELP redis_commands Calls of a command\n# TYPE redis_commands counter\n\
             redis_commands_total{cmd=\"get\"} +Inf\nredis_commands_total{cmd=\"set\"} 1000000000000000000000\n\
             # HELP redis_up Whether INFO was answered\n# TYPE redis_up gauge\nredis_up -Inf\nredis_up 0.25\n# EOF\n"
        );
    }

    fn registry() -> Registry {
        let mut registry = Registry::default();
        let jobs = Counter::<u64>::default();
        jobs.inc_by(3);
        registry.register("redrover_jobs", "Jobs of all kinds", jobs);
        let load = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        load.set(f64::INFINITY);
        registry.register("redrover_load", "Load", load);
        registry.register("redrover_build", "Build", Info::new([("version", "1 # {x")]));
        let metrics = Metrics::register(&mut registry);
        metrics.touch();
        registry
    }

    #[test]
    fn a_registry_is_translated() {
        let mut classic = Page::new(Format::Text);
        classic.registry(&registry());
        let classic = text(classic);
        for want in [
            "# HELP redrover_jobs_total Jobs of all kinds.\n# TYPE redrover_jobs_total counter\nredrover_jobs_total 3\n",
            "# TYPE redrover_load gauge\nredrover_load +Inf\n",
            "# TYPE redrover_build_info gauge\nredrover_build_info{version=\"1 # {x\"} 1\n",
            "# TYPE redrover_probe_duration_seconds histogram\nredrover_probe_duration_seconds_sum{",
            "_bucket{le=\"+Inf\",redis_service=\"s\",datacenter=\"dc\"} 1\n",
        ] {
            assert!(classic.contains(want), "{want}\nnot in\n{classic}");
        }
        assert!(!classic.contains("EOF"));
        let mut open = Page::new(Format::OpenMetrics);
        open.registry(&registry());
        let open = text(open);
        for want in ["# TYPE redrover_jobs counter\nredrover_jobs_total 3\n", "# TYPE redrover_build info\n"]
        {
            assert!(open.contains(want), "{want}\nnot in\n{open}");
        }
        assert!(open.ends_with("# EOF\n") && open.matches("# EOF").count() == 1);
    }

    #[test]
    fn names_are_unique_and_counters_end_as_counters() {
        let mut names = BTreeSet::new();
        for spec in CATALOG {
            let family = spec.name.strip_suffix("_total").unwrap_or(spec.name);
            assert!(names.insert(family), "{}", spec.name);
            assert_eq!(spec.kind == MetricKind::Counter, spec.name.ends_with("_total"), "{}", spec.name);
        }
    }

    /// A page with every family of the catalog and a registry.
    fn whole_page(format: Format) -> Vec<u8> {
        let mut page = Page::new(format);
        let primary = include_bytes!("../../tests/testdata/info/redis7_primary.txt");
        let replica = include_bytes!("../../tests/testdata/info/redis7_replica.txt");
        let replies = [&primary[..], &replica[..]].map(|bytes| samples(&InfoReply::parse(bytes).unwrap()));
        for spec in CATALOG {
            let mut series: Vec<(Vec<(&str, String)>, f64)> = Vec::new();
            for (target, samples) in ["redis://a:1", "redis://b:1"].iter().zip(&replies) {
                for sample in samples.iter().filter(|sample| sample.metric == spec.name) {
                    let target = TARGET_LABELS.into_iter().zip(["s", "dc", target].map(str::to_owned));
                    series.push((target.chain(sample.labels.clone()).collect(), sample.value));
                }
            }
            if spec.source == Source::View {
                series.push((spec.labels.iter().map(|label| (*label, "x".to_owned())).collect(), 1.0));
            }
            page.family(spec, series);
        }
        page.registry(&registry());
        page.finish()
    }

    #[test]
    fn promtool_finds_nothing_to_say() {
        let page = whole_page(Format::Text);
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool is installed");
        promtool.stdin.take().unwrap().write_all(&page).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(said, ["", ""]);
        assert!(output.status.success());
    }

    #[test]
    fn every_family_stands_once_in_both_forms() {
        for format in [Format::Text, Format::OpenMetrics] {
            let page = String::from_utf8(whole_page(format)).unwrap();
            let mut types: Vec<_> = page.lines().filter(|line| line.starts_with("# TYPE")).collect();
            let all = types.len();
            types.sort_unstable();
            types.dedup();
            assert_eq!(types.len(), all);
            assert_eq!(all, CATALOG.len() + 7 - missing(&page, format));
        }
    }

    /// Families that the two captures cannot bring: there is no append-only file in them.
    fn missing(page: &str, format: Format) -> usize {
        let name = |spec: &MetricSpec| match (format, spec.kind) {
            (Format::OpenMetrics, MetricKind::Counter) => spec.name.trim_end_matches("_total").to_owned(),
            (Format::OpenMetrics, MetricKind::Gauge) | (Format::Text, _) => spec.name.to_owned(),
        };
        let absent = |spec: &&MetricSpec| !page.contains(&format!("# TYPE {} ", name(spec)));
        let names: Vec<_> = CATALOG.iter().filter(absent).map(|spec| spec.name).collect();
        assert_eq!(names, ["redis_aof_current_size_bytes"]);
        names.len()
    }
}
