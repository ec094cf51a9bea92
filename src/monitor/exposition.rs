//! The page of a scrape, in either text form: classic 0.0.4, or OpenMetrics 1.0.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

use prometheus_client::registry::{Metric, Registry};

use super::catalog::{MetricKind, MetricSpec, Unit};
use super::format::Format;
use super::translate::Families;

/// Puts a metric of the catalog into a registry, which adds the endings of counters itself.
pub fn register(registry: &mut Registry, spec: &MetricSpec, metric: impl Metric) {
    registry.register(spec.family(), spec.help, metric);
}

/// A page begins with so many bytes: that of one Redis fits, and need not be moved while it grows.
const PAGE_BYTES: usize = 96 * 1024;

/// A page that is being written, one block for each family.
#[derive(Debug)]
pub struct Page {
    format: Format,
    text: String,
    names: BTreeSet<Cow<'static, str>>,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(PAGE_BYTES), names: BTreeSet::new() }
    }

    /// Writes a family with its series; a family without series leaves no trace. A family that the page has already is
    /// not written again, for a page with two blocks of one name is no page.
    pub fn family<L, K, V>(&mut self, spec: &MetricSpec, series: impl IntoIterator<Item = (L, f64)>)
    where
        L: IntoIterator<Item = (K, V)>,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut block = self.block(spec);
        series.into_iter().for_each(|(labels, value)| block.sample("", labels, value));
    }

    /// As [`Page::family`], sample by sample; that is how summaries and histograms are written.
    pub fn block<'a>(&'a mut self, spec: &'a MetricSpec) -> Block<'a> {
        Block { page: self, spec, state: BlockState::Empty }
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
            if self.claim(family.name.into()) {
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

    fn claim(&mut self, family: Cow<'static, str>) -> bool {
        let is_new = self.names.insert(family.clone());
        if !is_new {
            tracing::error!(%family, "a metric family was written twice; the second block is left out");
        }
        is_new
    }

    fn begin(&mut self, spec: &MetricSpec) -> bool {
        if !self.claim(spec.family().into()) {
            return false;
        }
        // OpenMetrics names a counter's family without the ending of its samples.
        let family = match (self.format, spec.kind) {
            (Format::OpenMetrics, MetricKind::Counter) => spec.family(),
            (Format::OpenMetrics, MetricKind::Gauge | MetricKind::Summary | MetricKind::Histogram)
            | (Format::Text, _) => spec.name,
        };
        // A counter that is called so on request only has no ending, which OpenMetrics does not allow.
        let lacks_ending = spec.kind == MetricKind::Counter && !spec.name.ends_with("_total");
        let kind = match self.format {
            Format::OpenMetrics if lacks_ending => "unknown",
            Format::OpenMetrics | Format::Text => spec.kind.as_str(),
        };
        self.header(family, spec.help, kind);
        let has_unit = spec.unit != Unit::None && family.ends_with(spec.unit.as_str());
        if self.format == Format::OpenMetrics && has_unit {
            // Writing into a string cannot fail.
            let _ = writeln!(self.text, "# UNIT {family} {}", spec.unit.as_str());
        }
        true
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

/// One family that is being written. Its heading comes with the first sample.
#[derive(Debug)]
pub struct Block<'a> {
    page: &'a mut Page,
    spec: &'a MetricSpec,
    state: BlockState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockState {
    Empty,
    Begun,
    /// The page has the family already.
    Refused,
}

impl Block<'_> {
    /// Writes one sample; `ending` is empty, or `_sum`, `_count` and `_bucket` of summaries and histograms.
    pub fn sample<K, V>(&mut self, ending: &str, labels: impl IntoIterator<Item = (K, V)>, value: f64)
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        if self.state == BlockState::Empty {
            let is_begun = self.page.begin(self.spec);
            self.state = if is_begun { BlockState::Begun } else { BlockState::Refused };
        }
        if self.state == BlockState::Refused {
            return;
        }
        let text = &mut self.page.text;
        text.push_str(self.spec.name);
        text.push_str(ending);
        write_labels(text, labels);
        text.push(' ');
        write_value(text, value);
        text.push('\n');
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
    let mut rest = raw;
    let is_special = |b: u8| matches!(b, b'\\' | b'\n') || (b == b'"' && quote == Quote::Escaped);
    // None of them is a part of a longer character.
    while let Some(at) = rest.bytes().position(is_special) {
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        text.push_str(match special.as_bytes()[0] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        rest = &special[1..];
    }
    text.push_str(rest);
}

/// The largest number below which every whole number has its own place among the floating-point ones.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

#[expect(clippy::cast_possible_truncation, reason = "the number is whole, and below the limit")]
fn write_value(text: &mut String, value: f64) {
    // Writing into a string cannot fail.
    let _ = if value.is_nan() {
        text.write_str("NaN")
    } else if value.is_infinite() {
        text.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else if value.fract() == 0.0 && value.abs() < WHOLE_MAX {
        // Whole numbers are most of a page, and quicker to write as such.
        write!(text, "{}", value as i64)
    } else {
        write!(text, "{value}")
    };
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::info::Info;
    use proptest::prelude::*;

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
            "# HELP redrover_jobs_total Jobs of all kinds\n# TYPE redrover_jobs_total counter\nredrover_jobs_total 3\n",
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
    fn names_are_unique_and_end_as_their_types_do() {
        let mut names = BTreeSet::new();
        for spec in CATALOG {
            assert!(names.insert(spec.family()), "{}", spec.name);
            assert!(
                !spec.help.is_empty() && !spec.help.ends_with('.') && !spec.help.contains('|'),
                "{}",
                spec.name
            );
            if !spec.is_compat {
                assert_eq!(spec.kind == MetricKind::Counter, spec.name.ends_with("_total"), "{}", spec.name);
            }
        }
    }

    /// A page with every family of the catalog that the captures bring, and a registry.
    fn whole_page(format: Format) -> Vec<u8> {
        let mut page = Page::new(format);
        let primary = include_bytes!("../../tests/testdata/info/redis7_primary.txt");
        let replica = include_bytes!("../../tests/testdata/info/redis7_replica.txt");
        let replies = [&primary[..], &replica[..]].map(|bytes| samples(&InfoReply::parse(bytes).unwrap()));
        for spec in CATALOG.iter().filter(|spec| !spec.is_compat) {
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
            let units = page.lines().filter(|line| line.starts_with("# UNIT")).count();
            assert_eq!(units > 50, format == Format::OpenMetrics, "{units}");
        }
    }

    #[test]
    fn summaries_and_histograms_are_written_sample_by_sample() {
        let spec = MetricSpec::histogram("redis_x_usec", "X", Source::View).labels(&["cmd"]);
        let mut page = Page::new(Format::Text);
        let mut block = page.block(&spec);
        block.sample("_bucket", [("cmd", "get"), ("le", "+Inf")], 3.0);
        block.sample("_sum", [("cmd", "get")], 1.5);
        block.sample("_count", [("cmd", "get")], 3.0);
        assert_eq!(
            text(page),
            "# HELP redis_x_usec X\n# TYPE redis_x_usec histogram\n\
             redis_x_usec_bucket{cmd=\"get\",le=\"+Inf\"} 3\nredis_x_usec_sum{cmd=\"get\"} 1.5\n\
             redis_x_usec_count{cmd=\"get\"} 3\n"
        );
    }

    #[test]
    fn a_name_of_redis_exporter_that_openmetrics_does_not_allow_has_no_type_there() {
        let spec = spec("redis_total_error_replies").unwrap();
        for (format, kind) in [(Format::Text, "counter"), (Format::OpenMetrics, "unknown")] {
            let mut page = Page::new(format);
            page.family(spec, [([("", ""); 0], 7.0)]);
            let page = text(page);
            assert!(page.contains(&format!("# TYPE redis_total_error_replies {kind}\n")), "{page}");
            assert!(page.contains("\nredis_total_error_replies 7\n"), "{page}");
        }
    }

    /// A label's text as a reader of the format takes it.
    fn unescaped(text: &str) -> String {
        let mut plain = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (c, c == '\\') {
                (_, true) => match chars.next() {
                    Some('n') => plain.push('\n'),
                    Some(other) => plain.push(other),
                    None => plain.push('\\'),
                },
                (other, false) => plain.push(other),
            }
        }
        plain
    }

    proptest! {
        #[test]
        fn any_label_is_read_back_as_it_was(value in any::<String>(), number in any::<f64>()) {
            let spec = spec("redis_errors_total").unwrap();
            let mut page = Page::new(Format::Text);
            page.family(spec, [([("err", value.as_str())], number)]);
            let page = text(page);
            let mut lines = page.split('\n').skip(2);
            let line = lines.next().unwrap();
            let (label, found) = line.strip_prefix("redis_errors_total{err=\"").unwrap().rsplit_once("\"} ").unwrap();
            prop_assert_eq!(unescaped(label), value);
            let found: f64 = found.parse().unwrap();
            prop_assert!(found == number || found.is_nan() && number.is_nan());
            prop_assert_eq!(lines.collect::<Vec<_>>(), [""], "one line and no more");
        }
    }
}
