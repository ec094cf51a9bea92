//! Writes a page of metrics in both text forms: Prometheus 0.0.4 and OpenMetrics 1.0.
//!
//! The fleet's samples are written here; the house's own come as a prometheus-client registry, whose OpenMetrics text
//! is taken as it is, or translated line by line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// A text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// What a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only rises.
    Counter,
}

impl Format {
    /// The form that an `Accept` header prefers; 0.0.4 where it does not say, or ranks both alike.
    pub(super) fn from_accept(accept: &str) -> Self {
        let (mut open, mut text) = (0.0, 0.0_f64);
        for part in accept.split(',') {
            let mut words = part.split(';').map(str::trim);
            let kind = words.next().unwrap_or_default().to_ascii_lowercase();
            let mut quality = 1.0;
            let mut is_known = true;
            for (key, value) in words.filter_map(|word| word.split_once('=')) {
                match (key.trim(), kind.as_str()) {
                    ("q", _) => {
                        quality = value
                            .trim()
                            .parse::<f64>()
                            .ok()
                            .filter(|q| (0.0..=1.0).contains(q))
                            .unwrap_or(0.0)
                    }
                    ("version", "application/openmetrics-text") => {
                        is_known = matches!(value.trim(), "1.0.0" | "0.0.1")
                    }
                    ("version", "text/plain") => is_known = value.trim() == "0.0.4",
                    _ => {}
                }
            }
            match kind.as_str() {
                "application/openmetrics-text" if is_known => open = f64::max(open, quality),
                "text/plain" | "text/*" | "*/*" if is_known => text = text.max(quality),
                _ => {}
            }
        }
        if open > text { Self::OpenMetrics } else { Self::Text }
    }

    /// The form's content type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A page on its way.
pub(super) struct Page {
    format: Format,
    text: String,
    families: BTreeSet<String>,
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(64 * 1024), families: BTreeSet::new() }
    }

    /// Writes one family as one block. A family without samples is left out; one that is there already is refused
    /// in a debug build and left out otherwise, since a page with two blocks of one family is not valid.
    pub(super) fn family(
        &mut self,
        name: &str,
        help: &str,
        kind: Kind,
        samples: &[(Vec<(&str, &str)>, f64)],
    ) {
        let is_new = samples.is_empty() || self.families.insert(name.to_owned());
        debug_assert!(is_new, "{name} is written twice");
        if samples.is_empty() || !is_new {
            return;
        }
        // OpenMetrics names a counter's family without the suffix, and knows no counter that lacks it.
        let (family, word) = match (self.format, kind, name.strip_suffix("_total")) {
            (_, Kind::Gauge, _) => (name, "gauge"),
            (Format::Text, Kind::Counter, _) => (name, "counter"),
            (Format::OpenMetrics, Kind::Counter, Some(family)) => (family, "counter"),
            (Format::OpenMetrics, Kind::Counter, None) => (name, "unknown"),
        };
        self.text.push_str("# HELP ");
        self.text.push_str(family);
        self.text.push(' ');
        // 0.0.4 leaves quotation marks in a help text as they are; OpenMetrics escapes them.
        escape(&mut self.text, help, self.format == Format::OpenMetrics);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "\n# TYPE {family} {word}\n");
        for (labels, value) in samples {
            self.text.push_str(name);
            self.labels(labels);
            self.text.push(' ');
            self.number(*value);
            self.text.push('\n');
        }
    }

    /// Adds the house's own numbers.
    pub(super) fn registry(&mut self, registry: &Registry) {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, registry) {
            tracing::error!(%error, "the house's own metrics cannot be encoded");
            return;
        }
        let counters: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
        for line in text.lines().filter(|line| *line != "# EOF") {
            match self.format {
                Format::OpenMetrics => self.text.push_str(line),
                Format::Text => self.text.push_str(&translate(line, &counters)),
            }
            self.text.push('\n');
        }
    }

    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn labels(&mut self, labels: &[(&str, &str)]) {
        for (i, (name, value)) in labels.iter().enumerate() {
            self.text.push(if i == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(&mut self.text, value, true);
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
    }

    fn number(&mut self, value: f64) {
        let _ = match value {
            v if v.is_nan() => self.text.write_str("NaN"),
            v if v == f64::INFINITY => self.text.write_str("+Inf"),
            v if v == f64::NEG_INFINITY => self.text.write_str("-Inf"),
            v => write!(self.text, "{v}"),
        };
    }
}

fn escape(into: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '"' if quotes => into.push_str("\\\""),
            c => into.push(c),
        }
    }
}

/// One line of OpenMetrics as 0.0.4 has it: a counter's family carries the suffix of its samples.
fn translate(line: &str, counters: &BTreeSet<&str>) -> String {
    let mut words = line.splitn(4, ' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("#"), Some(what @ ("HELP" | "TYPE")), Some(family), Some(rest))
            if counters.contains(family) =>
        {
            format!("# {what} {family}_total {rest}")
        }
        (Some("#"), Some("TYPE"), Some(family), Some("unknown")) => format!("# TYPE {family} untyped"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn accept_chooses_the_form() {
        for (accept, want) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,*/*;q=0.1", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3", Format::Text),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=NaN", Format::Text),
        ] {
            assert_eq!(Format::from_accept(accept), want, "{accept:?}");
        }
    }

    #[test]
    fn both_forms_are_written_as_their_specifications_say() {
        let mut registry = Registry::default();
        let counter: Counter = Counter::default();
        counter.inc();
        registry.register("redrover_things", "Things", counter);
        let page = |format| {
            let mut page = Page::new(format);
            page.family("a_total", "a \"b\"\nc\\", Kind::Counter, &[(vec![("l", "x\"y\\z\n")], 1.5)]);
            page.family("b", "B", Kind::Gauge, &[(vec![], f64::NAN), (vec![("i", "1")], f64::INFINITY)]);
            page.family("c", "C", Kind::Counter, &[(vec![], 2.0)]);
            page.family("d", "D", Kind::Gauge, &[]);
            page.registry(&registry);
            page.finish()
        };
        assert_eq!(
            page(Format::Text),
            "# HELP a_total a \"b\"\\nc\\\\\n# TYPE a_total counter\na_total{l=\"x\\\"y\\\\z\\n\"} 1.5\n\
             # HELP b B\n# TYPE b gauge\nb NaN\nb{i=\"1\"} +Inf\n# HELP c C\n# TYPE c counter\nc 2\n\
             # HELP redrover_things_total Things.\n# TYPE redrover_things_total counter\nredrover_things_total 1\n"
        );
        assert_eq!(
            page(Format::OpenMetrics),
            "# HELP a a \\\"b\\\"\\nc\\\\\n# TYPE a counter\na_total{l=\"x\\\"y\\\\z\\n\"} 1.5\n\
             # HELP b B\n# TYPE b gauge\nb NaN\nb{i=\"1\"} +Inf\n# HELP c C\n# TYPE c unknown\nc 2\n\
             # HELP redrover_things Things.\n# TYPE redrover_things counter\nredrover_things_total 1\n# EOF\n"
        );
    }
}
