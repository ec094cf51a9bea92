//! The checked policy of a service, with its defaults.

use std::time::Duration;

use crate::types::Ratio;

/// Windows, thresholds and weights of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// A dead service must stay dead for so long.
    pub confirm_window: Duration,
    /// And over at least so many consecutive rounds.
    pub confirm_rounds: u32,
    /// The window when the whole site is silent.
    pub isolation_confirm: Duration,
    /// Confidence that a failover needs.
    pub theta_auto: Ratio,
    /// Confidence that a recommendation needs.
    pub theta_recommend: Ratio,
    /// Lag up to here costs nothing.
    pub rpo_soft: Duration,
    /// Lag from here on makes a target unfit.
    pub rpo_hard: Duration,
    /// Oldest accepted lag measurement, counted at the moment the outage began.
    pub lag_evidence_max_age: Duration,
    /// So long a loading Redis counts as coming up.
    pub loading_budget: Duration,
    /// Damping of repeated switches.
    pub flap: Flap,
    /// Time between automatic switches, unless acknowledged.
    pub min_auto_interval: Duration,
    /// The site that was left must be healthy for so long before going back is recommended.
    pub failback_stability: Duration,
    /// After a switch the new site's numbers are compared with those of the old one for so long; 0 never.
    pub watch_period: Duration,
    /// A decision older than this is re-validated or dropped.
    pub decision_ttl: Duration,
    /// Severity of faults that people make: credentials, TLS, ACL.
    pub config_error_severity_cap: Ratio,
    /// Automatic although there are fewer than three vantages in different failure domains.
    pub accept_fewer_vantages: bool,
    /// Weights of the evidence groups, nats.
    pub weights: Weights,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            confirm_window: Duration::from_secs(20),
            confirm_rounds: 4,
            isolation_confirm: Duration::from_secs(90),
            theta_auto: Ratio::clamped(0.90),
            theta_recommend: Ratio::clamped(0.60),
            rpo_soft: Duration::from_secs(1),
            rpo_hard: Duration::from_secs(30),
            lag_evidence_max_age: Duration::from_secs(60),
            loading_budget: Duration::from_secs(60),
            flap: Flap::default(),
            min_auto_interval: Duration::from_secs(1800),
            failback_stability: Duration::from_secs(1800),
            watch_period: Duration::from_secs(300),
            decision_ttl: Duration::from_secs(60),
            config_error_severity_cap: Ratio::clamped(0.6),
            accept_fewer_vantages: false,
            weights: Weights::default(),
        }
    }
}

/// Flap damping, after the route flap damping of BGP (RFC 2439).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flap {
    /// Added by each switch.
    pub penalty: f64,
    /// The penalty halves in this time.
    pub half_life: Duration,
    /// From here on nothing moves automatically.
    pub suppress: f64,
    /// Until it has decayed below this.
    pub reuse: f64,
}

impl Default for Flap {
    fn default() -> Self {
        Self { penalty: 1000.0, half_life: Duration::from_secs(900), suppress: 2000.0, reuse: 750.0 }
    }
}

/// Weights of the evidence groups in nats, and the bias; all weights are at least 0 and finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// What the log-odds are with no evidence at all; negative.
    pub bias: f64,
    /// The data path, as the vantages see it.
    pub vantage: f64,
    /// The cluster's control plane.
    pub control: f64,
    /// What the other sites see of the active one.
    pub peer: f64,
    /// What applications see.
    pub client: f64,
    /// What else of that datacenter is silent.
    pub domain: f64,
    /// Alertmanager.
    pub alert: f64,
    /// The anomaly score.
    pub anomaly: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            bias: -6.5,
            vantage: 6.0,
            control: 2.5,
            peer: 2.0,
            client: 2.0,
            domain: 2.0,
            alert: 1.5,
            anomaly: 1.0,
        }
    }
}
