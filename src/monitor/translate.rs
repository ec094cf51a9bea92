//! The families of a registry's OpenMetrics text, translated to the form that is asked for.

use super::format::Format;

/// One family of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Family {
    /// The name that makes it unique: without a counter's ending.
    pub name: String,
    /// The name in HELP and TYPE.
    pub heading: String,
    /// The help text.
    pub help: String,
    /// The type's word.
    pub kind: &'static str,
    /// The sample lines.
    pub samples: String,
}

/// An iterator over the families in a text.
pub(super) struct Families<'a> {
    lines: std::iter::Peekable<std::str::Lines<'a>>,
    format: Format,
}

impl<'a> Families<'a> {
    pub fn of(text: &'a str, format: Format) -> Self {
        Self { lines: text.lines().peekable(), format }
    }
}

impl Iterator for Families<'_> {
    type Item = Family;

    fn next(&mut self) -> Option<Family> {
        let mut help = "";
        loop {
            let line = self.lines.next()?;
            if let Some((_, text)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
                // The registry adds a full stop.
                help = text.strip_suffix('.').unwrap_or(text);
            }
            let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let (heading, word) = heading(name, kind, self.format);
            let mut samples = String::new();
            while let Some(line) = self.lines.next_if(|line| !is_heading(line)) {
                sample(&mut samples, name, line, self.format);
            }
            return Some(Family {
                name: name.to_owned(),
                heading,
                help: help.to_owned(),
                kind: word,
                samples,
            });
        }
    }
}

fn is_heading(line: &str) -> bool {
    line.starts_with("# HELP ") || line.starts_with("# TYPE ")
}

/// The heading's name and type in a form.
fn heading(name: &str, kind: &str, format: Format) -> (String, &'static str) {
    let (ending, word) = match (format, kind) {
        (Format::OpenMetrics, "counter") => ("", "counter"),
        (Format::Text, "counter") => ("_total", "counter"),
        (_, "gauge") => ("", "gauge"),
        (_, "histogram") => ("", "histogram"),
        (_, "summary") => ("", "summary"),
        (Format::OpenMetrics, "info") => ("", "info"),
        (Format::Text, "info") => ("_info", "gauge"),
        (Format::OpenMetrics, _) => ("", "unknown"),
        (Format::Text, _) => ("", "untyped"),
    };
    (format!("{name}{ending}"), word)
}

/// Copies a sample's line, without what its form does not know, and with infinity spelled as both forms do.
fn sample(samples: &mut String, family: &str, line: &str, format: Format) {
    // The comments left are UNIT and EOF: the page writes its own end, and the classic form has no units.
    if line.starts_with('#') {
        return;
    }
    let end = series_end(line);
    let (series, rest) = line.split_at(end);
    let is_created = series.strip_prefix(family).is_some_and(|rest| rest.starts_with("_created"));
    if is_created && format == Format::Text {
        return;
    }
    let rest = match format {
        Format::Text => rest.split(" # ").next().unwrap_or_default(),
        Format::OpenMetrics => rest,
    };
    let (value, more) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
    let value = match value {
        "inf" => "+Inf",
        "-inf" => "-Inf",
        other => other,
    };
    for part in [series, value, more] {
        samples.push_str(part);
        samples.push(' ');
    }
    samples.truncate(samples.trim_end().len());
    samples.push('\n');
}

/// Where the name and labels of a sample end; a quoted label value may hold anything.
fn series_end(line: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' if !quoted => return at,
            _ => {}
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "# HELP jobs Jobs.\n# TYPE jobs counter\njobs_total{a=\"x } # {\"} 1 # {id=\"7\"} 2.0\n\
                        jobs_created 5\n# HELP t_seconds T.\n# TYPE t_seconds gauge\n# UNIT t_seconds seconds\n\
                        t_seconds -inf\n# HELP u U.\n# TYPE u unknown\nu 1\n# EOF\n";

    #[test]
    fn openmetrics_becomes_classic_text() {
        let families: Vec<_> = Families::of(OPEN, Format::Text).collect();
        let short: Vec<_> =
            families.iter().map(|f| (f.heading.as_str(), f.kind, f.samples.as_str())).collect();
        let want = [
            ("jobs_total", "counter", "jobs_total{a=\"x } # {\"} 1\n"),
            ("t_seconds", "gauge", "t_seconds -Inf\n"),
            ("u", "untyped", "u 1\n"),
        ];
        assert_eq!(short, want);
        let open: Vec<_> = Families::of(OPEN, Format::OpenMetrics).collect();
        assert_eq!(open[0].samples, "jobs_total{a=\"x } # {\"} 1 # {id=\"7\"} 2.0\njobs_created 5\n");
        assert_eq!((open[0].heading.as_str(), open[2].kind), ("jobs", "unknown"));
    }
}
