//! The last rows of all targets of a service, and the groups that are compared.

use std::collections::{BTreeMap, VecDeque};

use super::band::{Outside, TARGETS_MIN, outside};
use crate::analyse::model::Rule;
use crate::types::{Ratio, Role, SiteName, TargetName};

/// Targets are compared over so many periods.
const PERIODS: i64 = 15;
/// A target that could be compared at fewer times has no score.
const COMPARED_MIN: usize = 5;

type Key = (SiteName, TargetName);

/// How one measure is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::analyse) struct Compared {
    /// Which differences are none.
    pub(in crate::analyse) rule: Rule,
    /// It is alike in different sites as well: it depends neither on where the agent stands nor on which site is active.
    pub(in crate::analyse) is_alike_everywhere: bool,
}

/// How unlike its peers a target is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analyse) struct Peculiar {
    pub(in crate::analyse) site: SiteName,
    pub(in crate::analyse) target: TargetName,
    /// The share of the periods in which it was outside of its peers' band, by the measure that was so most often.
    pub(in crate::analyse) score: Ratio,
    /// That measure, when it was so last.
    pub(in crate::analyse) worst: Option<Worst>,
}

/// A measure by which a target is unlike its peers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::analyse) struct Worst {
    /// Where it stands among the measures.
    pub(in crate::analyse) place: usize,
    /// Its value,
    pub(in crate::analyse) value: f64,
    /// the least and the greatest of its peers that were within the band,
    pub(in crate::analyse) low: f64,
    /// see above,
    pub(in crate::analyse) high: f64,
    /// and how many those were.
    pub(in crate::analyse) peers: usize,
}

#[derive(Debug, Clone)]
struct Member {
    role: Role,
    rows: VecDeque<(i64, Vec<f64>)>,
}

/// The targets of one service.
#[derive(Debug, Clone, Default)]
pub(in crate::analyse) struct Peers {
    members: BTreeMap<Key, Member>,
}

/// Targets that are compared with each other.
struct Group<'a> {
    members: Vec<(&'a Key, &'a Member)>,
    /// They are of one site.
    is_near: bool,
}

impl Peers {
    /// Forgets all.
    pub(in crate::analyse) fn clear(&mut self) {
        self.members.clear();
    }

    /// Forgets the targets that are not to be kept.
    pub(in crate::analyse) fn retain(&mut self, is_kept: impl Fn(&SiteName, &TargetName) -> bool) {
        self.members.retain(|(site, target), _| is_kept(site, target));
    }

    /// Takes a row of a target, with its time in Unix seconds. A target whose role has changed begins anew.
    pub(in crate::analyse) fn push(&mut self, key: Key, role: Role, time: i64, row: Vec<f64>) {
        let member = self.members.entry(key).or_insert_with(|| Member { role, rows: VecDeque::new() });
        if member.role != role {
            *member = Member { role, rows: VecDeque::new() };
        }
        // Time that went back leaves nothing to compare with.
        member.rows.retain(|(before, _)| *before < time);
        member.rows.push_back((time, row));
        while member.rows.len() > PERIODS as usize {
            member.rows.pop_front();
        }
    }

    /// How unlike its peers each target is that has any: at least two others of its role, of its site or else of all.
    pub(in crate::analyse) fn judge(&self, period_seconds: i64, compared: &[Compared]) -> Vec<Peculiar> {
        let Some(newest) = self.members.values().filter_map(Member::newest).max() else { return Vec::new() };
        let times: Vec<i64> = (0..PERIODS).rev().map(|ago| newest - ago * period_seconds).collect();
        let is_present = |member: &Member| member.newest() >= Some(newest - period_seconds);
        let mut found = Vec::new();
        for role in [Role::Primary, Role::Replica] {
            let members = self.members.iter().filter(|(_, m)| m.role == role && is_present(m));
            let all: Vec<(&Key, &Member)> = members.collect();
            let mut sites: BTreeMap<&SiteName, Vec<(&Key, &Member)>> = BTreeMap::new();
            all.iter().for_each(|member| sites.entry(&member.0.0).or_default().push(*member));
            let (near, alone): (Vec<_>, Vec<_>) =
                sites.into_values().partition(|members| members.len() >= TARGETS_MIN);
            for members in near {
                found.extend(Group { members, is_near: true }.judge(&times, compared));
            }
            if all.len() >= TARGETS_MIN && !alone.is_empty() {
                let far = Group { members: all, is_near: false }.judge(&times, compared);
                let is_alone = |one: &Peculiar| alone.iter().flatten().any(|(key, _)| key.0 == one.site);
                found.extend(far.into_iter().filter(is_alone));
            }
        }
        found.sort_by(|one, other| (&one.site, &one.target).cmp(&(&other.site, &other.target)));
        found
    }
}

impl Member {
    fn newest(&self) -> Option<i64> {
        self.rows.back().map(|(time, _)| *time)
    }

    fn values(&self, times: &[i64], place: usize) -> Vec<f64> {
        let at = |time: &i64| self.rows.iter().find(|(known, _)| known == time);
        let value = |time| at(time).and_then(|(_, row)| row.get(place).copied()).unwrap_or(f64::NAN);
        times.iter().map(value).collect()
    }
}

impl Group<'_> {
    fn judge(&self, times: &[i64], compared: &[Compared]) -> Vec<Peculiar> {
        let mut worst: Vec<Option<(Outside, Worst)>> = vec![None; self.members.len()];
        let mut is_known = vec![false; self.members.len()];
        for (place, measure) in compared.iter().enumerate() {
            if !self.is_near && !measure.is_alike_everywhere {
                continue;
            }
            let members = self.members.iter();
            let values: Vec<Vec<f64>> = members.map(|(_, member)| member.values(times, place)).collect();
            let all = outside(&values, &measure.rule);
            for (target, one) in all.iter().enumerate().filter(|(_, one)| one.compared >= COMPARED_MIN) {
                is_known[target] = true;
                let Some(found) = tell(&all, &values, target, place) else { continue };
                if worst[target].as_ref().is_none_or(|(before, _)| rank(one) > rank(before)) {
                    worst[target] = Some((*one, found));
                }
            }
        }
        let members = self.members.iter().zip(worst).zip(is_known).filter(|(_, is_known)| *is_known);
        let told = members.map(|(((key, _), worst), _)| Peculiar {
            site: key.0.clone(),
            target: key.1.clone(),
            score: worst.as_ref().map_or(Ratio::ZERO, |(one, _)| Ratio::clamped(rank(one).0)),
            worst: worst.map(|(_, worst)| worst),
        });
        told.collect()
    }
}

/// The share of the times, and then how far it is.
fn rank(one: &Outside) -> (f64, f64) {
    (one.outside as f64 / one.compared.max(1) as f64, one.excess)
}

/// What a target's value was when it was outside last, and its peers'.
fn tell(all: &[Outside], values: &[Vec<f64>], target: usize, place: usize) -> Option<Worst> {
    let time = all[target].last?;
    let is_peer = |other: &usize| *other != target && all[*other].last != Some(time);
    let peers = (0..values.len()).filter(is_peer).map(|other| values[other][time]);
    let peers: Vec<f64> = peers.filter(|value| value.is_finite()).collect();
    let low = peers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = peers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Worst { place, value: values[target][time], low, high, peers: peers.len() })
}
