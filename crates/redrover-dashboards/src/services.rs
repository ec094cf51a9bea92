//! Every service: where its name points to, how its sites are, and what speaks for a switch.

use super::board::Board;
use super::panel::Panel;

/// What every series of a service is chosen by.
const S: &str = r#"{instance=~"$agent",redis_service=~"$redis_service"}"#;
const SERVICE: &str = "{{redis_service}}";

fn of(name: &str) -> String {
    format!("{name}{S}")
}

/// The dashboard.
pub fn board() -> Board {
    Board::new(
        "redrover-services",
        "redrover / Services",
        "Where each service's name points to, how its sites are, and what speaks for and against a switch, as one agent sees it.",
        ("Redis", "redrover-redis"),
    )
    .choice("agent", "Agent", "label_values(redrover_build_info, instance)")
    .choices("redis_service", "Service", "label_values(redrover_halted{instance=~\"$agent\"}, redis_service)")
    .row("At this moment", now())
    .row("Confidence", confidence())
    .row("Sites", sites())
    .row("What is unusual", unusual())
    .row("The agent", agent())
}

/// A flag that should be 0.
fn alarm(title: &'static str, description: &'static str, name: &str) -> Panel {
    Panel::numbers(title, description)
        .width(3)
        .from(1.0, "red")
        .word(0, "no", "green")
        .word(1, "yes", "red")
        .query(of(name), SERVICE)
}

/// The state of each site as a number.
fn health() -> String {
    let states = ["healthy", "degraded", "failing", "failed", "unknown"];
    let numbered = states.iter().zip(1..).map(|(state, number)| {
        let series = r#"redrover_health{instance=~"$agent",redis_service=~"$redis_service",state="#;
        format!("{number} * {series}\"{state}\"}}")
    });
    format!("max by (redis_service, datacenter) ({})", numbered.collect::<Vec<_>>().join(" or "))
}

fn now() -> Vec<Panel> {
    vec![
        Panel::numbers("Active datacenter", "Where the service's name points to.")
            .width(6)
            .names()
            .query(format!("{} == 1", of("redrover_active_datacenter")), "{{redis_service}}: {{datacenter}}"),
        Panel::numbers("Health", "The state of each site.")
            .width(6)
            .word(1, "healthy", "green")
            .word(2, "degraded", "yellow")
            .word(3, "failing", "orange")
            .word(4, "failed", "red")
            .word(5, "unknown", "purple")
            .query(health(), "{{redis_service}} {{datacenter}}"),
        Panel::numbers("Mode", "What the agent may do.")
            .width(6)
            .names()
            .query(format!("{} == 1", of("redrover_service_mode")), "{{redis_service}} {{mode}}"),
        Panel::numbers("Confidence of a switch", "0 under any veto.")
            .width(6)
            .unit("percentunit")
            .from(0.5, "orange")
            .from(0.9, "red")
            .query(of("redrover_failover_confidence"), "{{redis_service}} {{from}} to {{to}}"),
        alarm("Halted", "It waits for a person: redrover ack.", "redrover_halted"),
        alarm("Recommended", "A person should switch.", "redrover_recommendation_pending"),
        alarm("Paused", "A person has paused it.", "redrover_paused"),
        alarm("Record changed", "Record or fence are not as the agent left them.", "redrover_dns_drift"),
        Panel::numbers("Writable primaries", "More than one is wrong but for active-active.")
            .width(3)
            .base("red")
            .from(1.0, "green")
            .from(2.0, "orange")
            .query(of("redrover_writable_primaries"), SERVICE),
        Panel::numbers("Journal", "Without it nothing is done.")
            .width(3)
            .base("red")
            .from(1.0, "green")
            .word(0, "lost", "red")
            .word(1, "writes", "green")
            .query(of("redrover_journal_durable"), SERVICE),
        Panel::numbers("Epoch", "Of the fence beside the record; it grows with every switch.")
            .width(3)
            .query(of("redrover_fence_epoch"), SERVICE),
        Panel::numbers("Vetoes", "How many stand against a switch.").width(3).base("blue").query(
            format!(
                "count by (redis_service) ({}) or max by (redis_service) (0 * {})",
                of("redrover_veto"),
                of("redrover_halted")
            ),
            SERVICE,
        ),
    ]
}

fn confidence() -> Vec<Panel> {
    vec![
        Panel::lines("Confidence over time", "That a switch is right; 0 under any veto.")
            .unit("percentunit")
            .range(0.0, 1.0)
            .query(of("redrover_failover_confidence"), "{{redis_service}} {{from}} to {{to}}"),
        Panel::lines("Evidence", "The strongest item of each group, 0 to 1.")
            .range(0.0, 1.0)
            .query(of("redrover_evidence"), "{{redis_service}} {{group}}"),
        Panel::lines("Vetoes over time", "1 while a veto stands. No line without one.")
            .range(0.0, 1.0)
            .query(of("redrover_veto"), "{{redis_service}} {{veto}}"),
    ]
}

fn sites() -> Vec<Panel> {
    vec![
        Panel::lines("Active datacenter over time", "1 where the name points to.")
            .range(0.0, 1.0)
            .query(of("redrover_active_datacenter"), "{{redis_service}} {{datacenter}}"),
        Panel::lines("Health over time", "1 for the state that a site is in.")
            .range(0.0, 1.0)
            .query(format!("{} == 1", of("redrover_health")), "{{redis_service}} {{datacenter}} {{state}}"),
        Panel::lines("Age of what was seen", "Since the last look at each site.")
            .unit("s")
            .query(of("redrover_snapshot_age_seconds"), "{{redis_service}} {{datacenter}}"),
    ]
}

fn unusual() -> Vec<Panel> {
    let panels = vec![
        Panel::lines(
            "Anomaly score",
            "The score of each target, and where unusual begins; 2 is what happens once in a hundred periods.",
        )
        .query(of("redrover_anomaly_score"), "{{redis_service}} {{datacenter}} {{target}}")
        .query(of("redrover_anomaly_threshold"), "threshold {{redis_service}} {{datacenter}}"),
        Panel::bars(
            "What makes it unusual",
            "How much each signal deviates, of the target where it does most; 1.6 is twice the usual deviation.",
        )
        .from(1.6, "orange")
        .from(10.0, "red")
        .query(format!("max by (signal) ({})", of("redrover_anomaly_contribution")), "{{signal}}"),
        Panel::bars("Signals", "0 is good, 1 is bad; the worst target of each service.")
            .range(0.0, 1.0)
            .unit("percentunit")
            .from(0.6, "orange")
            .from(0.9, "red")
            .query(format!("max by (signal) ({})", of("redrover_signal")), "{{signal}}"),
    ];
    panels.into_iter().map(Panel::tall).collect()
}

fn agent() -> Vec<Panel> {
    let panels = vec![
        Panel::lines("Decisions", "A second, by what was decided.").unit("ops").query(
            "sum by (verdict) (rate(redrover_decisions_total{instance=~\"$agent\",redis_service=~\"$redis_service\"}[$__rate_interval]))",
            "{{verdict}}",
        ),
        Panel::lines("Notifications", "Of Alertmanager, a second, by what came of them.").unit("ops").query(
            "rate(redrover_webhook_notifications_total{instance=~\"$agent\"}[$__rate_interval])",
            "{{result}}",
        ),
        Panel::lines("Memory", "Resident memory of the agent.")
            .unit("bytes")
            .query("process_resident_memory_bytes{instance=~\"$agent\",job=\"redrover\"}", "resident"),
        Panel::lines("Processor", "Processor time that the agent uses a second.").unit("percentunit").query(
            "rate(process_cpu_seconds_total{instance=~\"$agent\",job=\"redrover\"}[$__rate_interval])",
            "processor",
        ),
    ];
    panels.into_iter().map(|panel| panel.width(6)).collect()
}
