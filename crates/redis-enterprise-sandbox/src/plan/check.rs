//! Reading a plan, and refusing one that cannot be.

use std::collections::BTreeSet;

use super::{ClusterPlan, Plan, Profile, SourcePlan};

/// Nodes that one loopback network of a cluster has room for here.
const NODES_MAX: u32 = 9;

/// Why a plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not the JSON of a plan.
    #[error("the plan is not understood")]
    Json(#[from] serde_json::Error),
    /// It contradicts itself.
    #[error("the plan cannot be: {0}")]
    Contradiction(String),
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// When it is not understood, or contradicts itself.
    pub fn parse(json: &str) -> Result<Self, PlanError> {
        let plan: Self = serde_json::from_str(json)?;
        plan.check()?;
        Ok(plan)
    }

    /// Two clusters with a database that is Active-Active, one that is Replica Of, and a plain one.
    ///
    /// # Panics
    ///
    /// Never: a test reads the plan that comes with this crate.
    #[must_use]
    pub fn standard() -> Self {
        Self::parse(include_str!("../../fixtures/world.json")).expect("the plan of this crate is a plan")
    }

    fn check(&self) -> Result<(), PlanError> {
        let mut names = BTreeSet::new();
        for cluster in &self.clusters {
            if !names.insert(&cluster.name) {
                return Err(refused(format!("two clusters are called {}", cluster.name)));
            }
            self.check_cluster(cluster)?;
        }
        if self.clusters.is_empty() { Err(refused("it has no cluster".to_owned())) } else { Ok(()) }
    }

    fn check_cluster(&self, cluster: &ClusterPlan) -> Result<(), PlanError> {
        let name = &cluster.name;
        let is_node = |master| (1..=cluster.nodes).contains(&master);
        if !(1..=NODES_MAX).contains(&cluster.nodes) || !cluster.master.is_none_or(is_node) {
            return Err(refused(format!("cluster {name} has 1 to {NODES_MAX} nodes, and its master is one")));
        }
        if Profile::named(&cluster.profile).is_none() {
            return Err(refused(format!("cluster {name}: no profile is called {}", cluster.profile)));
        }
        let mut uids = BTreeSet::new();
        for database in &cluster.databases {
            let uid = database.uid;
            if uid == 0 || !uids.insert(uid) {
                return Err(refused(format!("cluster {name}: the uid {uid} is 0 or taken")));
            }
            if database.primaries == 0 || database.primaries > 64 {
                return Err(refused(format!("cluster {name}, database {uid}: 1 to 64 primaries")));
            }
            if database.crdt.is_some() && !database.replica_of.is_empty() {
                return Err(refused(format!("cluster {name}, database {uid} is both kinds of copy")));
            }
            if !database.replica_of.iter().all(|source| self.has(source)) {
                return Err(refused(format!("cluster {name}, database {uid}: a source does not exist")));
            }
        }
        Ok(())
    }

    fn has(&self, source: &SourcePlan) -> bool {
        let cluster = self.clusters.iter().find(|cluster| cluster.name == source.cluster);
        cluster.is_some_and(|cluster| cluster.databases.iter().any(|d| d.uid == source.database))
    }
}

fn refused(why: String) -> PlanError {
    PlanError::Contradiction(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_plan_is_one() {
        assert_eq!(Plan::standard().clusters.len(), 2);
    }

    #[test]
    fn a_plan_that_cannot_be_is_refused() {
        for json in [
            r#"{"clusters": []}"#,
            r#"{"clusters": [{"name": "a"}, {"name": "a"}]}"#,
            r#"{"clusters": [{"name": "a", "nodes": 0}]}"#,
            r#"{"clusters": [{"name": "a", "nodes": 3, "master": 4}]}"#,
            r#"{"clusters": [{"name": "a", "profile": "9"}]}"#,
            r#"{"clusters": [{"name": "a", "nodez": 3}]}"#,
            r#"{"clusters": [{"name": "a", "databases": [{"uid": 0, "name": "x"}]}]}"#,
            r#"{"clusters": [{"name": "a", "databases": [{"uid": 1, "name": "x", "primaries": 0}]}]}"#,
            r#"{"clusters": [{"name": "a", "databases": [
                {"uid": 1, "name": "x", "replica_of": [{"cluster": "b", "database": 1}]}]}]}"#,
        ] {
            assert!(Plan::parse(json).is_err(), "{json}");
        }
    }
}
