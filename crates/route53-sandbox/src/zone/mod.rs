//! One hosted zone: its records, its batches, their way from `PENDING` to `INSYNC`, and what happened.

mod batch;
mod history;
mod hosted;
mod limits;
mod page;
mod refusal;

pub use batch::{Action, Change, Effect};
pub use history::{History, Source};
pub use hosted::{ChangeInfo, ChangeStatus, Identity, Zone};
pub use page::{Page, Start};
pub use refusal::Refusal;
