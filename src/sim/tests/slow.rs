//! A slow primary: what answers each command within its deadline serves, as it does for its clients.

use super::play;

fn slow(delay: &str, expect: &str) {
    let report = play(&format!(
        "
name: every command takes {delay}
timeline: [{{at: 0s, redis: {{in: dc-a, is: {{slow: {delay}}}}}}}, {{at: 0s, webhook: {{alert: RedisSlow, site: dc-a, to: all}}}}]
expect: {{{expect}}}
"
    ));
    assert!(report.passed, "{report}");
}

#[test]
fn one_that_is_slow_within_the_deadline_is_not_left() {
    slow("300ms", "outcome: hold, alert: warn");
}

#[test]
fn one_that_misses_the_deadline_is() {
    slow("1s", "outcome: failover, target: dc-b, alert: page");
}
