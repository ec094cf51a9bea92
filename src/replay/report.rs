//! The report: as a table for a terminal, and as values for programs.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use super::Span;
use super::account::{Account, Coverage};
use super::incident::{Incident, Mark, Said};
use super::score::Score;
use crate::config::read::duration_text;
use crate::decide::Verdict;

/// Reasons shown of one verdict.
pub(super) const REASONS_SHOWN: usize = 2;

/// A replay of some services.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Report {
    /// The time that was looked at.
    #[serde(flatten)]
    pub span: Span,
    /// Where the history came from.
    pub source: String,
    /// Service by service.
    pub services: Vec<Account>,
}

impl Report {
    /// The report as one HTML file that needs nothing else.
    #[must_use]
    pub fn html(&self) -> String {
        super::html::page(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, until] = [self.span.from_unix_ms, self.span.until_unix_ms].map(time);
        writeln!(f, "{from} to {until}, from {}", self.source)?;
        self.services.iter().try_for_each(|account| service(f, account))
    }
}

fn service(f: &mut fmt::Formatter<'_>, account: &Account) -> fmt::Result {
    writeln!(f, "\n{}", account.service)?;
    sentences(account).iter().try_for_each(|sentence| writeln!(f, "  {sentence}"))?;
    if account.incidents.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "\n  {:<20} {:>9}  {:<21} {:<21} {:>5}  why",
        "incident", "length", "then", "this policy", "p·q·D"
    )?;
    for incident in &account.incidents {
        let row = Row::of(incident);
        writeln!(
            f,
            "  {:<20} {:>9}  {:<21} {:<21} {:>5}  {}",
            row.from, row.length, row.then, row.would, row.confidence, row.why
        )?;
        if let Some(why) = row.why_then {
            writeln!(f, "  {:<20} {:>9}  then: {why}", "", "")?;
        }
    }
    match account.incidents_untold {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

/// One incident in words.
pub(super) struct Row {
    pub(super) from: String,
    pub(super) length: String,
    pub(super) then: String,
    pub(super) would: String,
    pub(super) confidence: String,
    pub(super) why: String,
    /// Why it was decided otherwise then; absent where it was decided alike, or where nobody knows.
    pub(super) why_then: Option<String>,
}

impl Row {
    pub(super) fn of(incident: &Incident) -> Self {
        let lasted = u64::try_from(incident.until_unix_ms - incident.from_unix_ms).unwrap_or(0);
        let open = if incident.is_open { "+" } else { "" };
        let said = |said: &Option<Said>| {
            said.as_ref().map_or("-".to_owned(), |said| match said.verdict {
                Verdict::Hold => "hold".to_owned(),
                verdict @ (Verdict::Recommend | Verdict::Failover | Verdict::Halt) => {
                    let after = u64::try_from(said.at_unix_ms - incident.from_unix_ms).unwrap_or(0);
                    format!("{} after {}", verdict.as_str(), length(after))
                }
            })
        };
        let why = |said: &Said| {
            said.reasons.iter().take(REASONS_SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ")
        };
        let mut because = incident.would.as_ref().map(why).unwrap_or_default();
        if incident.is_cut_short {
            let then = "the name moved then, before this policy had decided; the rest nobody can know";
            because = if because.is_empty() { then.to_owned() } else { format!("{because}; {then}") };
        }
        let [then, would] =
            [&incident.then, &incident.would].map(|side| side.as_ref().map(|said| said.verdict));
        Self {
            from: time(incident.from_unix_ms),
            length: format!("{}{open}", length(lasted)),
            then: said(&incident.then),
            would: said(&incident.would),
            confidence: incident
                .would
                .as_ref()
                .and_then(|said| said.confidence)
                .map_or("-".to_owned(), |c| format!("{c:.3}")),
            why: because,
            why_then: incident.then.as_ref().filter(|_| then != would).map(why).filter(|why| !why.is_empty()),
        }
    }
}

/// What is to be said of a service before its incidents.
pub(super) fn sentences(account: &Account) -> Vec<String> {
    let mut all = coverage(&account.coverage);
    if account.coverage.rounds == 0 {
        return all;
    }
    let shown = account.incidents.len() as u64 + account.incidents_untold;
    all.push(format!(
        "{shown} incident(s); then: {}; this policy: {}",
        counts(&account.then),
        counts(&account.would)
    ));
    if let Some(score) = &account.score_then {
        all.push(format!("marked outages, then: {}", scored(score)));
    }
    if let Some(score) = &account.score_would {
        all.push(format!("marked outages, this policy: {}", scored(score)));
    }
    all
}

fn coverage(coverage: &Coverage) -> Vec<String> {
    let mut all = Vec::new();
    if coverage.rounds == 0 {
        all.push("nothing was recorded in that time".to_owned());
    } else {
        let gaps = match coverage.gaps {
            0 => "no gaps".to_owned(),
            gaps => format!("{gaps} gap(s), {} in all", length((coverage.gap_seconds * 1e3) as u64)),
        };
        let compared = match coverage.compared {
            0 => "what was decided then is not known".to_owned(),
            n => format!("{} of {n} compared have the verdict of then", coverage.same),
        };
        let [first, last] =
            [coverage.first_unix_ms, coverage.last_unix_ms].map(|at| at.map(time).unwrap_or_default());
        all.push(format!("{} rounds, {first} to {last}, {gaps}; {compared}", coverage.rounds));
    }
    if coverage.after_switch > 0 {
        all.push(format!(
            "{} rounds lie after a switch of this policy that the history did not make: nothing is said of them",
            coverage.after_switch
        ));
    }
    if coverage.without_evidence > 0 {
        all.push(format!(
            "{} decisions of that time were written without evidence, and count as gaps",
            coverage.without_evidence
        ));
    }
    if coverage.retries > 0 {
        all.push(format!("Prometheus had to be asked {} time(s) again", coverage.retries));
    }
    all
}

fn counts(marks: &[Mark]) -> String {
    let of = |verdict: Verdict| match marks.iter().filter(|mark| mark.verdict == verdict).count() {
        0 => None,
        n => Some(format!("{n} {}", verdict.as_str())),
    };
    let said: Vec<String> =
        [Verdict::Failover, Verdict::Recommend, Verdict::Halt].into_iter().filter_map(of).collect();
    if said.is_empty() { "only hold".to_owned() } else { said.join(", ") }
}

fn scored(score: &Score) -> String {
    let unseen = match score.unseen() {
        0 => String::new(),
        n => format!(", {n} not recorded"),
    };
    let seconds = match score.seconds_to_decide() {
        Some((median, longest)) => {
            format!("; decided after {median:.0} s (median), {longest:.0} s (longest)")
        }
        None => String::new(),
    };
    format!(
        "{} of {} found, {} missed{unseen}; needless: {} failover(s), {} recommendation(s){seconds}",
        score.found(),
        score.outages.len(),
        score.missed(),
        score.needless_failovers,
        score.needless_recommendations
    )
}

/// Unix milliseconds as RFC 3339, in UTC, whole seconds.
pub(super) fn time(unix_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(unix_ms).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}

/// Milliseconds as a duration, in seconds from one second on.
pub(super) fn length(ms: u64) -> String {
    let ms = if ms < 1000 { ms } else { ms / 1000 * 1000 };
    duration_text(Duration::from_millis(ms))
}
