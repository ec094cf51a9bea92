//! The configuration of a service as it stands at any moment, for a switch that began under an earlier one.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::permit::Refusal;
use crate::config::{Mode, Service};
use crate::decide::{Plan, Trigger};
use crate::types::{Moment, SiteName};

/// The configuration of a service; its clones follow every reload.
#[derive(Debug, Clone)]
pub struct CurrentService(Arc<ArcSwap<Service>>);

impl CurrentService {
    /// As it stands now.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self(Arc::new(ArcSwap::new(service)))
    }

    /// As a reload left it.
    pub fn replace(&self, service: Arc<Service>) {
        self.0.store(service);
    }

    /// Whether a plan may begin in the mode of the service. One that has begun is finished in whatever mode: a target that
    /// was promoted is better reached than left alone.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn allows_to_begin(&self, plan: &Plan) -> Result<(), Refusal> {
        let mode = self.0.load().mode;
        if plan.trigger == Trigger::Automatic && mode != Mode::Automatic {
            let why = format!("the service is in the mode {} now", mode.as_str());
            return Err(Refusal::Reconfigured { why });
        }
        Ok(())
    }

    /// Whether the configuration still allows a plan. Giving a claim back is always allowed, and asks nobody.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn allows(&self, plan: &Plan, now: Moment) -> Result<(), Refusal> {
        let service = self.0.load();
        let has = |name: &SiteName| service.sites.iter().any(|site| site.name == *name);
        if let Some(site) = [&plan.from, &plan.to].into_iter().find(|site| !has(site)) {
            return Err(Refusal::Reconfigured { why: format!("{site} is no site of the service any more") });
        }
        if service.dry_run {
            return Err(Refusal::Reconfigured { why: "the service only rehearses now".to_owned() });
        }
        // Who asks for a switch may ask for one while they are working on something.
        if plan.trigger != Trigger::Automatic {
            return Ok(());
        }
        let concerns = |site: &SiteName| [&plan.from, &plan.to].contains(&site);
        match service.maintained(now).find(|site| site.is_none_or(concerns)) {
            Some(site) => Err(Refusal::Maintenance { site: site.cloned() }),
            None => Ok(()),
        }
    }
}
