//! The report as one HTML file: no scripts, nothing from elsewhere, readable in the dark and in the light.

use std::fmt::{self, Write as _};

use super::Span;
use super::account::Account;
use super::incident::{Incident, Mark};
use super::report::{Report, Row, sentences, time};
use crate::decide::Verdict;

const STYLE: &str = include_str!("html.css");
/// The drawing's size, and where the plot lies in it.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 270.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = 984.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 184.0;
/// Where the two rows of marks begin, and how high they are.
const ROWS: [f64; 2] = [196.0, 216.0];
const ROW_HEIGHT: f64 = 14.0;
/// A mark is at least so wide, or nobody would see it.
const MARK_WIDTH_MIN: f64 = 3.0;
/// Times written below the plot.
const TICKS: i64 = 5;

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    let [from, until] = [report.span.from_unix_ms, report.span.until_unix_ms].map(time);
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>redrover replay</title>\n<style>\n{STYLE}</style>\n</head>\n<body>")?;
    writeln!(out, "<h1>What this policy would have decided</h1>")?;
    writeln!(out, "<p>{from} to {until}, from {}</p>", Text(&report.source))?;
    for account in &report.services {
        service(out, account, report.span)?;
    }
    writeln!(out, "</body>\n</html>")
}

fn service(out: &mut String, account: &Account, span: Span) -> fmt::Result {
    writeln!(out, "<h2>{}</h2>\n<ul>", Text(account.service.as_str()))?;
    for sentence in sentences(account) {
        writeln!(out, "<li>{}</li>", Text(&sentence))?;
    }
    writeln!(out, "</ul>")?;
    if account.coverage.rounds == 0 {
        return Ok(());
    }
    chart(out, account, span)?;
    key(out)?;
    if account.incidents.is_empty() {
        return writeln!(out, "<p>No incident.</p>");
    }
    table(out, account)
}

fn key(out: &mut String) -> fmt::Result {
    writeln!(out, "<div class=\"key\">")?;
    for (class, colour, words) in [
        ("line", "would", "confidence before vetoes (p·q·D), this policy"),
        ("line", "then", "the same, then"),
        ("", "failover", "failover"),
        ("", "recommend", "recommend"),
        ("", "halt", "halt"),
        ("soft", "outage", "marked outage"),
        ("soft", "then", "not recorded"),
    ] {
        writeln!(out, "<span><i class=\"{class}\" style=\"color:var(--{colour})\"></i>{words}</span>")?;
    }
    writeln!(out, "</div>")
}

fn table(out: &mut String, account: &Account) -> fmt::Result {
    writeln!(out, "<div class=\"wide\"><table>\n<tr><th>incident</th><th>length</th><th>then</th>")?;
    writeln!(out, "<th>this policy</th><th>p·q·D</th><th>why</th></tr>")?;
    for incident in &account.incidents {
        row(out, incident)?;
    }
    writeln!(out, "</table></div>")?;
    match account.incidents_untold {
        0 => Ok(()),
        more => writeln!(out, "<p>and {more} more</p>"),
    }
}

fn row(out: &mut String, incident: &Incident) -> fmt::Result {
    let row = Row::of(incident);
    let class = |verdict: Option<Verdict>| verdict.map_or("", Verdict::as_str);
    let [then, would] = [&incident.then, &incident.would].map(|s| class(s.as_ref().map(|s| s.verdict)));
    write!(
        out,
        "<tr><td class=\"time\">{}</td><td class=\"number\">{}</td>",
        Text(&row.from),
        Text(&row.length)
    )?;
    write!(
        out,
        "<td class=\"said {then}\">{}</td><td class=\"said {would}\">{}</td>",
        Text(&row.then),
        Text(&row.would)
    )?;
    write!(out, "<td class=\"number\">{}</td><td>{}", Text(&row.confidence), Text(&row.why))?;
    if let Some(why) = &row.why_then {
        write!(out, "<small>then: {}</small>", Text(why))?;
    }
    writeln!(out, "</td></tr>")
}

fn chart(out: &mut String, account: &Account, span: Span) -> fmt::Result {
    let x = Across(span);
    writeln!(out, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"confidence over time\">")?;
    ground(out, x)?;
    for gap in account.course.windows(2).filter(|pair| pair[1].is_after_gap) {
        band(out, "gap", x, gap[0].at_unix_ms, gap[1].at_unix_ms, "not recorded")?;
    }
    let (begin, end) = (account.coverage.first_unix_ms, account.coverage.last_unix_ms);
    let edges = [(Some(span.from_unix_ms), begin), (end, Some(span.until_unix_ms))];
    for (from, until) in edges.into_iter().filter_map(|(from, until)| from.zip(until)) {
        // Less than a hundredth is no news.
        if (until - from) * 100 > span.until_unix_ms - span.from_unix_ms {
            band(out, "gap", x, from, until, "not recorded")?;
        }
    }
    for outage in &account.outages {
        let (from, until) = (outage.from_unix_ms, outage.until_unix_ms);
        band(out, "outage", x, from, until, &format!("outage, {} to {}", time(from), time(until)))?;
    }
    let (auto, recommend) = account.thresholds;
    for (height, name) in [(auto, "automatic"), (recommend, "recommend")] {
        let y = y(height);
        writeln!(
            out,
            "<line class=\"threshold\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
        )?;
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name} {height:.2}</text>",
            LEFT - 6.0,
            y + 4.0
        )?;
    }
    line(out, "then", x, account.course.iter().map(|p| (p.at_unix_ms, p.then, p.is_after_gap)))?;
    line(out, "would", x, account.course.iter().map(|p| (p.at_unix_ms, p.would, p.is_after_gap)))?;
    for (top, name, marks) in [(ROWS[0], "then", &account.then), (ROWS[1], "this policy", &account.would)] {
        let baseline = top + ROW_HEIGHT - 3.0;
        writeln!(out, "<text x=\"{:.1}\" y=\"{baseline:.1}\" text-anchor=\"end\">{name}</text>", LEFT - 6.0)?;
        writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>",
            top + ROW_HEIGHT
        )?;
        marks.iter().try_for_each(|one| mark(out, x, top, one))?;
    }
    writeln!(out, "</svg>")
}

/// The grid with its numbers and times.
fn ground(out: &mut String, x: Across) -> fmt::Result {
    for height in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let y = y(height);
        writeln!(out, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
    }
    for height in [0.0, 1.0] {
        let (x, y) = (LEFT - 6.0, y(height) + 4.0);
        writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{height:.0}</text>")?;
    }
    let Across(span) = x;
    for tick in 0..=TICKS {
        let at = span.from_unix_ms + (span.until_unix_ms - span.from_unix_ms) * tick / TICKS;
        let anchor = match tick {
            0 => "start",
            TICKS => "end",
            _ => "middle",
        };
        let words = time(at);
        let (date, clock) = words.split_once('T').unwrap_or((&words, ""));
        for (line, part) in [(0.0, date), (13.0, clock)] {
            let y = HEIGHT - 16.0 + line;
            writeln!(out, "<text x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{part}</text>", x.of(at))?;
        }
    }
    Ok(())
}

fn band(out: &mut String, class: &str, x: Across, from: i64, until: i64, title: &str) -> fmt::Result {
    let (left, right) = (x.of(from), x.of(until));
    let (width, height) = ((right - left).max(1.0), BOTTOM - TOP);
    writeln!(
        out,
        "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{}</title></rect>",
        Text(title)
    )
}

/// A line that breaks where nothing is known; a point between two breaks is a dot.
fn line(
    out: &mut String,
    class: &str,
    x: Across,
    points: impl Iterator<Item = (i64, Option<f64>, bool)>,
) -> fmt::Result {
    let mut part: Vec<(f64, f64)> = Vec::new();
    for (at, value, breaks) in points {
        if breaks || value.is_none() {
            draw(out, class, &std::mem::take(&mut part))?;
        }
        part.extend(value.map(|value| (x.of(at), y(value))));
    }
    draw(out, class, &part)
}

fn draw(out: &mut String, class: &str, part: &[(f64, f64)]) -> fmt::Result {
    match part {
        [] => Ok(()),
        [(x, y)] => writeln!(out, "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"),
        many => {
            let points = many.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ");
            writeln!(out, "<polyline class=\"{class}\" points=\"{points}\"/>")
        }
    }
}

fn mark(out: &mut String, x: Across, top: f64, mark: &Mark) -> fmt::Result {
    let (left, right) = (x.of(mark.from_unix_ms), x.of(mark.until_unix_ms));
    let width = (right - left).max(MARK_WIDTH_MIN);
    let left = left.min(RIGHT - width);
    let (verdict, at) = (mark.verdict.as_str(), time(mark.from_unix_ms));
    let asked = if mark.is_asked { ", as a person asked" } else { "" };
    writeln!(
        out,
        "<rect class=\"{verdict}\" x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{ROW_HEIGHT}\"><title>{verdict}, {at}{asked}</title></rect>"
    )
}

/// From a time to a place in the drawing.
#[derive(Clone, Copy)]
struct Across(Span);

impl Across {
    fn of(self, at: i64) -> f64 {
        let Self(span) = self;
        let whole = (span.until_unix_ms - span.from_unix_ms).max(1) as f64;
        LEFT + ((at - span.from_unix_ms) as f64 / whole).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
}

fn y(value: f64) -> f64 {
    BOTTOM - value.clamp(0.0, 1.0) * (BOTTOM - TOP)
}

/// A text that means nothing but itself in HTML.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => f.write_char(other),
        })
    }
}
