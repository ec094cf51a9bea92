//! Names, values and record sets, in the form in which Route 53 keeps and compares them.

mod name;
mod set;
mod spec;
mod value;

pub use name::{DnsName, NameError};
pub use set::{Alias, RecordSet, Records, SetKey};
pub use spec::{AliasSpec, RecordSpec, RecordSpecError};
pub use value::{RecordType, rdata, same_values};
