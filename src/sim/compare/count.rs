//! Counts one run. docs/comparison.md says in words what each count is.

use std::time::Duration;

use super::history::{History, Span, Stay, merged};

/// A site that serves for less than this between two outages has not come back.
const STEADY: Duration = Duration::from_secs(60);
/// A switch must have come so long after it was due.
pub(super) const MISSED_AFTER: Duration = Duration::from_secs(180);
/// So many switches in one incident are swinging: away, back, and away again.
const SWINGING: u64 = 3;

/// What is counted, of one run or of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Runs.
    pub(super) incidents: u64,
    /// Changes of the site that the record names.
    pub(super) switches: u64,
    /// Those to a site that did not serve at that moment.
    pub(super) bad_targets: u64,
    /// Those away from a site that served, or served again before everybody had left it.
    pub(super) needless: u64,
    /// Of the same kind, but back to the site that the record named at first.
    pub(super) returns: u64,
    /// Runs with so many switches that they are swinging.
    pub(super) swinging: u64,
    /// Outages that lasted so long, beside a site that served, that a switch was due.
    pub(super) due: u64,
    /// Those that nobody had answered in time.
    pub(super) missed: u64,
    /// From the moment at which a switch could help to the switch.
    pub(super) times: Vec<Duration>,
    /// Time in which the applications found a site that did not serve.
    pub(super) without_service: Duration,
}

impl Counts {
    /// Counts a run.
    pub(super) fn of(history: &History) -> Self {
        let stays = history.stays();
        let mut counts = Self { incidents: 1, switches: history.moves.len() as u64, ..Self::default() };
        for pair in stays.windows(2) {
            counts.add_switch(history, pair[0], pair[1].member);
        }
        for stay in &stays {
            counts.add_stay(history, *stay);
        }
        counts.swinging = u64::from(counts.switches >= SWINGING);
        counts
    }

    /// Adds the counts of other runs.
    pub(super) fn add(&mut self, other: &Self) {
        self.incidents += other.incidents;
        self.switches += other.switches;
        self.bad_targets += other.bad_targets;
        self.needless += other.needless;
        self.returns += other.returns;
        self.swinging += other.swinging;
        self.due += other.due;
        self.missed += other.missed;
        self.times.extend(&other.times);
        self.without_service += other.without_service;
    }

    /// A switch ends a stay.
    fn add_switch(&mut self, history: &History, left: Stay, to: usize) {
        let at = left.span.until;
        let is_good = history.serves(to, at);
        self.bad_targets += u64::from(!is_good);
        let outage = around(history.when(|serving| !serving[left.member]), at);
        let is_needed = outage.is_some_and(|outage| outage.until > at + history.follow);
        if !is_needed && to == history.first {
            self.returns += 1;
        } else if !is_needed {
            self.needless += 1;
        } else if is_good && let Some(due) = around(due(history, left.member), at) {
            self.times.push(at.saturating_sub(due.from.max(left.span.from)));
        }
    }

    /// The record names one member for a time.
    fn add_stay(&mut self, history: &History, stay: Stay) {
        for span in due(history, stay.member) {
            let from = span.from.max(stay.span.from);
            // What began after the record had moved on concerns another stay.
            if from >= stay.span.until || span.until.saturating_sub(from) <= MISSED_AFTER {
                continue;
            }
            self.due += 1;
            self.missed += u64::from(stay.span.until > from + MISSED_AFTER);
        }
        let is_first = stay.span.from.is_zero();
        let from = if is_first { Duration::ZERO } else { stay.span.from + history.follow };
        let found = Span { from, until: (stay.span.until + history.follow).min(history.end) };
        let down = history.when(|serving| !serving[stay.member]);
        self.without_service += down.into_iter().map(|span| span.overlap(found)).sum::<Duration>();
    }
}

/// The times in which a member does not serve while another one does.
fn due(history: &History, member: usize) -> Vec<Span> {
    history.when(|serving| !serving[member] && serving.contains(&true))
}

/// The span around a moment, of spans between which nothing has come back for good.
fn around(spans: Vec<Span>, at: Duration) -> Option<Span> {
    merged(spans, STEADY).into_iter().find(|span| span.contains(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);
    const A: usize = 0;
    const B: usize = 1;

    /// A world of two members; everybody follows a move after 31 s. `down`: which member, from when until when.
    fn history(down: &[(usize, u32, u32)], moves: &[(u32, usize)]) -> History {
        let mut moments: Vec<u32> = down.iter().flat_map(|(_, from, until)| [*from, *until]).collect();
        moments.push(0);
        moments.sort_unstable();
        moments.dedup();
        let serves = |member: usize, at: u32| {
            !down.iter().any(|(one, from, until)| *one == member && (*from..*until).contains(&at))
        };
        let truth = moments.into_iter().map(|at| (S * at, vec![serves(A, at), serves(B, at)])).collect();
        let moves = moves.iter().map(|(at, to)| (S * *at, *to)).collect();
        History { end: S * 1000, truth, first: A, moves, follow: S * 31 }
    }

    fn counts(down: &[(usize, u32, u32)], moves: &[(u32, usize)]) -> Counts {
        Counts::of(&history(down, moves))
    }

    #[test]
    fn a_quiet_run_counts_nothing() {
        assert_eq!(counts(&[], &[]), Counts { incidents: 1, ..Counts::default() });
    }

    #[test]
    fn a_good_switch_has_its_time_and_the_way_of_its_followers() {
        let found = counts(&[(A, 100, 900)], &[(140, B)]);
        let wanted = Counts {
            incidents: 1,
            switches: 1,
            due: 1,
            times: vec![S * 40],
            without_service: S * 71,
            ..Counts::default()
        };
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_switch_is_needless_up_to_the_moment_when_the_last_one_has_followed() {
        for (until, needless) in [(130, 1), (171, 1), (172, 0), (900, 0)] {
            assert_eq!(counts(&[(A, 100, until)], &[(140, B)]).needless, needless, "until {until}");
        }
        assert_eq!(counts(&[], &[(140, B)]).needless, 1);
    }

    #[test]
    fn a_bad_target_is_one_that_does_not_serve_at_that_moment() {
        for (down, bad) in [((B, 139, 141), 1), ((B, 100, 140), 0), ((B, 141, 300), 0)] {
            let found = counts(&[(A, 100, 900), down], &[(140, B)]);
            assert_eq!((found.bad_targets, found.needless), (bad, 0), "{down:?}");
        }
        let both = counts(&[(B, 100, 900)], &[(140, B)]);
        assert_eq!((both.bad_targets, both.needless, both.times.len()), (1, 1, 0), "it is counted in both");
    }

    #[test]
    fn an_outage_is_missed_when_nobody_moves_for_three_minutes_beside_a_site_that_serves() {
        for (moves, missed) in [(&[][..], 1), (&[(280, B)][..], 0), (&[(281, B)][..], 1)] {
            let found = counts(&[(A, 100, 900)], moves);
            assert_eq!((found.due, found.missed), (1, missed), "{moves:?}");
        }
        assert_eq!(counts(&[(A, 100, 280)], &[]).due, 0, "it did not last");
        assert_eq!(counts(&[(A, 100, 900), (B, 50, 950)], &[]).due, 0, "there was nowhere to go");
        let late = counts(&[(A, 100, 900), (B, 50, 500)], &[(560, B)]);
        assert_eq!((late.due, late.missed, late.times), (1, 0, vec![S * 60]), "it was due when B served");
        assert_eq!(counts(&[(B, 100, 900)], &[]).due, 0, "nobody was there");
    }

    #[test]
    fn a_bad_switch_leaves_the_record_at_an_outage_of_its_own() {
        let found = counts(&[(A, 100, 200), (B, 100, 900)], &[(140, B)]);
        assert_eq!((found.bad_targets, found.due, found.missed), (1, 1, 1));
        // Up to 200 there is no service anywhere; from then on it is the switch that keeps it away.
        assert_eq!(found.without_service, S * 800);
    }

    #[test]
    fn going_back_without_need_is_a_return_and_three_switches_are_swinging() {
        let flapping = [(A, 100, 130), (A, 150, 180), (A, 200, 300)];
        let found = counts(&flapping, &[(120, B), (140, A), (170, B)]);
        assert_eq!((found.needless, found.returns, found.swinging), (0, 1, 1));
        assert_eq!(found.times, [S * 20, S * 30], "an outage with short breaks is one; a stay begins anew");
        assert_eq!(counts(&flapping, &[(120, B), (400, A)]).swinging, 0);
        let forced = counts(&[(A, 100, 300), (B, 400, 900)], &[(120, B), (420, A)]);
        assert_eq!((forced.returns, forced.times), (0, vec![S * 20, S * 20]));
    }

    #[test]
    fn counts_add_up() {
        let mut sum = counts(&[(A, 100, 900)], &[(140, B)]);
        sum.add(&counts(&[], &[(50, B), (60, A)]));
        let wanted = (2, 3, 1, 1, 1, vec![S * 40]);
        assert_eq!((sum.incidents, sum.switches, sum.needless, sum.returns, sum.due, sum.times), wanted);
    }
}
