//! A request of the API, read once.

use std::collections::HashMap;

use crate::identity::Caller;
use crate::records::{DnsName, RecordType};
use crate::service::Operation;
use crate::zone::{Change, Refusal, Start};

use super::batch::Batch;

/// The service returns 300 sets when more are asked for.
const SETS_MAX: usize = 300;

/// A request.
#[derive(Debug)]
pub struct Request {
    /// Who signed it.
    pub caller: Result<Caller, Refusal>,
    /// What is asked.
    pub query: Query,
}

/// What is asked. A part that could not be read is kept as its refusal, for the guards come first.
#[derive(Debug)]
pub enum Query {
    /// ChangeResourceRecordSets.
    Change {
        /// The zone's id.
        zone_id: String,
        /// The batch.
        batch: Result<Batch, Refusal>,
    },
    /// ListResourceRecordSets.
    List {
        /// The zone's id.
        zone_id: String,
        /// The page.
        list: Result<ListQuery, Refusal>,
    },
    /// GetChange.
    GetChange {
        /// The change's id.
        id: String,
    },
    /// GetHostedZone.
    GetHostedZone {
        /// The zone's id.
        zone_id: String,
    },
}

/// The parameters of ListResourceRecordSets.
#[derive(Debug)]
pub struct ListQuery {
    /// Where to start.
    pub start: Option<Start>,
    /// How many sets at most.
    pub sets_max: usize,
}

impl Request {
    /// The operation.
    pub fn operation(&self) -> Operation {
        match self.query {
            Query::Change { .. } => Operation::ChangeResourceRecordSets,
            Query::List { .. } => Operation::ListResourceRecordSets,
            Query::GetChange { .. } => Operation::GetChange,
            Query::GetHostedZone { .. } => Operation::GetHostedZone,
        }
    }

    /// The zone that it is about; none for a change's state.
    pub fn zone_id(&self) -> Option<&str> {
        match &self.query {
            Query::Change { zone_id, .. }
            | Query::List { zone_id, .. }
            | Query::GetHostedZone { zone_id } => Some(zone_id),
            Query::GetChange { .. } => None,
        }
    }

    /// What it is about, as a policy names it.
    pub fn resource(&self) -> String {
        match &self.query {
            Query::Change { zone_id, .. }
            | Query::List { zone_id, .. }
            | Query::GetHostedZone { zone_id } => {
                format!("hostedzone/{zone_id}")
            }
            Query::GetChange { id } => format!("change/{id}"),
        }
    }

    /// The changes of a batch that could be read.
    pub fn changes(&self) -> &[Change] {
        match &self.query {
            Query::Change { batch: Ok(batch), .. } => &batch.changes,
            Query::Change { batch: Err(_), .. }
            | Query::List { .. }
            | Query::GetChange { .. }
            | Query::GetHostedZone { .. } => &[],
        }
    }
}

impl Query {
    /// Reads a change.
    pub fn change(zone_id: String, body: &[u8]) -> Self {
        Self::Change { zone_id, batch: Batch::parse(body) }
    }

    /// Reads a list's parameters.
    pub fn list(zone_id: String, parameters: &HashMap<String, String>) -> Self {
        Self::List { zone_id, list: ListQuery::parse(parameters) }
    }
}

impl ListQuery {
    fn parse(parameters: &HashMap<String, String>) -> Result<Self, Refusal> {
        let invalid = |problem: &str| Refusal::InvalidInput(problem.to_owned());
        let text = |name: &str| parameters.get(name).filter(|text| !text.is_empty());
        let sets_max = match text("maxitems").map(|text| text.parse::<usize>()) {
            None => SETS_MAX,
            Some(Ok(count @ 1..)) => count.min(SETS_MAX),
            Some(Ok(0) | Err(_)) => return Err(invalid("Invalid value for parameter maxitems")),
        };
        let kind = match text("type") {
            None => None,
            Some(kind) => {
                Some(RecordType::parse(kind).ok_or_else(|| invalid("Invalid value for parameter type"))?)
            }
        };
        let set_identifier = text("identifier").cloned();
        match (text("name"), kind, &set_identifier) {
            (None, Some(_), _) => Err(invalid("The input type cannot be specified without a name")),
            (_, None, Some(_)) => {
                Err(invalid("The input identifier cannot be specified without a name and a type"))
            }
            (None, None, None) => Ok(Self { start: None, sets_max }),
            (Some(name), _, _) => {
                let name = DnsName::parse(name).map_err(|error| Refusal::InvalidInput(error.to_string()))?;
                Ok(Self { start: Some(Start { name, kind, set_identifier }), sets_max })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters, and the size of a good page.
    type Row<'a> = (&'a [(&'a str, &'a str)], Option<usize>);

    #[test]
    fn parameters_are_checked() {
        let table: &[Row<'_>] = &[
            (&[], Some(300)),
            (&[("maxitems", "1")], Some(1)),
            (&[("maxitems", "1000")], Some(300)),
            (&[("maxitems", "0")], None),
            (&[("maxitems", "x")], None),
            (&[("name", "db.a"), ("type", "TXT"), ("identifier", "paris")], Some(300)),
            (&[("name", "db.a"), ("type", "txt")], None),
            (&[("name", "d..a")], None),
            (&[("type", "TXT")], None),
            (&[("name", "db.a"), ("identifier", "paris")], None),
        ];
        for (parameters, sets_max) in table {
            let parameters =
                parameters.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
            assert_eq!(
                ListQuery::parse(&parameters).ok().map(|list| list.sets_max),
                *sets_max,
                "{parameters:?}"
            );
        }
    }
}
