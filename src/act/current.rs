//! The configuration of a service as it stands at any moment, for a switch that began under an earlier one.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::permit::Refusal;
use crate::config::{Mode, Record, Service};
use crate::decide::{Plan, Trigger};
use crate::types::{Moment, SiteName};

/// The configuration of a service; its clones follow every reload.
#[derive(Debug, Clone)]
pub struct CurrentService {
    /// As it stands now; nothing once the service has left the configuration.
    now: Arc<ArcSwapOption<Service>>,
    /// As it stood when the holder of this clone began: what it acts upon.
    began: Arc<Service>,
}

impl CurrentService {
    /// As it stands now.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self { now: Arc::new(ArcSwapOption::new(Some(Arc::clone(&service)))), began: service }
    }

    /// As a reload left it.
    pub fn replace(&self, service: Arc<Service>) {
        self.now.store(Some(service));
    }

    /// As a reload left it that does not name the service any more.
    pub fn withdraw(&self) {
        self.now.store(None);
    }

    /// The same for somebody who begins with this configuration.
    #[must_use]
    pub fn for_one_who_has(&self, service: Arc<Service>) -> Self {
        Self { now: Arc::clone(&self.now), began: service }
    }

    /// Whether a plan may begin in the mode of the service, and on its ground. One that has begun is finished in whatever
    /// mode: a target that was promoted is better reached than left alone.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn allows_to_begin(&self, plan: &Plan) -> Result<(), Refusal> {
        let mode = self.service()?.mode;
        let is_allowed = match (plan.trigger, mode) {
            (Trigger::Operator, _) | (Trigger::Automatic, Mode::Automatic) => true,
            // It moves nothing: what a person began is put in order.
            (Trigger::Automatic, Mode::Recommend) => plan.is_clearing(),
            (Trigger::Automatic, Mode::Observe) => false,
        };
        if !is_allowed {
            return refused(format!("the service is in the mode {} now", mode.as_str()));
        }
        self.has_same_ground(plan)
    }

    /// Whether the Redis of a plan are the same, and are promoted in the same way. Once the target is promoted, that is
    /// no longer asked.
    ///
    /// # Errors
    /// They are not.
    pub(super) fn has_same_ground(&self, plan: &Plan) -> Result<(), Refusal> {
        let (now, began) = (self.service()?, &self.began);
        if (now.topology, &now.promote) != (began.topology, &began.promote) {
            return refused("the service is promoted in another way now".to_owned());
        }
        for name in [&plan.from, &plan.to] {
            let targets = |service: &'_ Service| service.site(name).map(|site| site.targets.clone());
            if targets(&now) != targets(began) {
                return refused(format!("{name} has other targets now"));
            }
        }
        Ok(())
    }

    /// Whether the configuration still allows a plan. Giving a claim back is always allowed, and asks nobody.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn allows(&self, plan: &Plan, now: Moment) -> Result<(), Refusal> {
        let service = self.service()?;
        let has = |name: &SiteName| service.sites.iter().any(|site| site.name == *name);
        if let Some(site) = [&plan.from, &plan.to].into_iter().find(|site| !has(site)) {
            return refused(format!("{site} is no site of the service any more"));
        }
        if !is_same_place(&service.record, &self.began.record) {
            return refused("the record is another one now, or held elsewhere".to_owned());
        }
        let values = service.site(&plan.to).map(|site| service.values_of(site));
        if !plan.is_clearing() && values.as_ref() != Some(&plan.to_values) {
            return refused(format!("the record would hold something else for {} now", plan.to));
        }
        if service.dry_run {
            return refused("the service only rehearses now".to_owned());
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

    fn service(&self) -> Result<Arc<Service>, Refusal> {
        let gone = || Refusal::Reconfigured { why: "the service is no longer configured".to_owned() };
        self.now.load_full().ok_or_else(gone)
    }
}

fn refused(why: String) -> Result<(), Refusal> {
    Err(Refusal::Reconfigured { why })
}

/// Whether two records are one: how it is read, and how long it may be kept, does not matter.
fn is_same_place(one: &Record, other: &Record) -> bool {
    (&one.name, one.kind, &one.provider) == (&other.name, other.kind, &other.provider)
}
