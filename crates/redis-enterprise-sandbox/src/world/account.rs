//! Users, their logins, and what locks them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Ms;
use crate::plan::{Role, Timing, UserPlan};

/// A user.
#[derive(Debug)]
pub struct Account {
    /// The mail address that is the name.
    pub name: String,
    /// The password.
    pub password: String,
    /// What it may do.
    pub role: Role,
    /// How it is.
    pub status: AccountStatus,
    /// Until when it is locked.
    pub locked_until: Option<Ms>,
    /// When logins failed, those that count.
    failures: Vec<Ms>,
    /// Tokens, and until when they are good.
    tokens: BTreeMap<String, Ms>,
}

/// How a user is, as the API writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// It may log in.
    Active,
    /// It failed too often.
    Locked,
    /// It needs a new password.
    PasswordExpired,
}

/// What came of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// It is who it says.
    Good(Role),
    /// It is not, or may not.
    Bad,
    /// It is, with a password that is too old.
    Expired,
}

impl Account {
    /// A user who has never logged in.
    pub fn new(plan: &UserPlan) -> Self {
        Self {
            name: plan.name.clone(),
            password: plan.password.clone(),
            role: plan.role,
            status: AccountStatus::Active,
            locked_until: None,
            failures: Vec::new(),
            tokens: BTreeMap::new(),
        }
    }

    /// Tries a password; whoever fails too often is locked, also with the right one.
    pub fn login(&mut self, password: &str, now: Ms, timing: &Timing) -> Login {
        if self.locked_until.is_some_and(|until| now >= until) {
            self.unlock();
        }
        if self.status == AccountStatus::Locked {
            return Login::Bad;
        }
        if password == self.password {
            self.failures.clear();
            return match self.status {
                AccountStatus::PasswordExpired => Login::Expired,
                AccountStatus::Active | AccountStatus::Locked => Login::Good(self.role),
            };
        }
        self.failures.retain(|at| now.saturating_sub(*at) < timing.lockout_window_ms);
        self.failures.push(now);
        if self.failures.len() >= timing.lockout_threshold as usize {
            self.status = AccountStatus::Locked;
            self.locked_until = Some(now.saturating_add(timing.lockout_ms));
        }
        Login::Bad
    }

    /// Lets it log in again.
    pub fn unlock(&mut self) {
        self.status = AccountStatus::Active;
        self.locked_until = None;
        self.failures.clear();
    }

    /// Gives it a token.
    pub fn give_token(&mut self, token: String, until: Ms) {
        self.tokens.insert(token, until);
    }

    /// Whether a token is good.
    pub fn holds_token(&self, token: &str, now: Ms) -> bool {
        self.tokens.get(token).is_some_and(|until| now < *until)
    }

    /// Makes all tokens worthless, as a new secret does.
    pub fn forget_tokens(&mut self) {
        self.tokens.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        let plan = UserPlan { name: "n".to_owned(), password: "p".to_owned(), role: Role::DbViewer };
        Account::new(&plan)
    }

    #[test]
    fn five_failures_within_the_window_lock() {
        let timing = Timing::default();
        let mut locked = account();
        for at in 0..5 {
            assert_eq!(locked.login("wrong", at * 1000, &timing), Login::Bad);
        }
        assert_eq!(locked.login("p", 5000, &timing), Login::Bad);
        assert_eq!(locked.login("p", 4000 + timing.lockout_ms - 1, &timing), Login::Bad);
        assert_eq!(locked.login("p", 4000 + timing.lockout_ms, &timing), Login::Good(Role::DbViewer));

        let mut slow = account();
        for at in 0..5 {
            slow.login("wrong", at * timing.lockout_window_ms / 4, &timing);
        }
        assert_eq!(slow.login("p", timing.lockout_window_ms, &timing), Login::Good(Role::DbViewer));
    }
}
