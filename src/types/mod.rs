//! Values that cross a folder's border: no I/O, no async, and no clock but [`SystemClock`].
//!
//! Absent on purpose: anything that decides, and anything that knows a protocol.

mod alert;
mod anomaly;
mod change;
mod guard;
mod line;
mod names;
mod record;
mod snapshot;
mod surroundings;
mod time;
mod units;
mod vantage;
mod zones;

pub use alert::{Alert, AlertKey, AlertState, Notification};
pub use anomaly::{Anomaly, Basis, Contribution, MEASURES, PeerOutlier};
pub use change::{Change, Difference};
pub use guard::Guard;
pub use line::Line;
pub use names::{AgentName, NameError, RecordName, ServiceName, SiteName, TargetName};
pub use record::{Fence, FenceError, RecordState, RecordType, RecordView, ResourceSet};
pub use snapshot::{
    CanaryResult, Facts, Gap, GapReason, Link, Role, Sample, Snapshot, TargetSnapshot, look_limit,
};
pub use surroundings::{Check, CheckKind, ControlPlane, Silence, Surroundings};
pub use time::{Clock, Moment, SystemClock};
pub use units::{Rarity, Ratio, UnitError};
pub use vantage::{VantageAnswer, VantageReport, Vote};
