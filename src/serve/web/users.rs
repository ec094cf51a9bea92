//! Who may ask: passwords against their bcrypt hashes.
//!
//! A verification takes tens of milliseconds of a processor, on purpose. So it runs on a blocking thread, few at once,
//! and a password that was right is remembered as a keyed hash. An unknown user costs as much as a known one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::refusal::WebError;
use crate::config::PasswordHash;

/// Verifications at the same time: a flood of wrong passwords leaves the other processors alone.
const VERIFICATIONS_MAX: usize = 2;
/// A caller waits so long for its turn.
const TURN_LIMIT: Duration = Duration::from_secs(5);
/// Right passwords that are remembered, the youngest.
const REMEMBERED_MAX: usize = 128;

type Seal = [u8; 32];

/// What came of a name and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// They are right.
    Right,
    /// They are wrong, or the user is unknown.
    Wrong,
    /// Too many others are being verified.
    Busy,
}

/// All users.
pub(super) struct Users {
    hashes: BTreeMap<String, PasswordHash>,
    /// Verified for who is unknown; no password is known to fit, and none would count.
    decoy: String,
    /// Without it nobody can try passwords on what is remembered.
    key: Seal,
    remembered: Mutex<VecDeque<Seal>>,
    turns: Arc<Semaphore>,
}

impl Users {
    pub(super) fn new(hashes: BTreeMap<String, PasswordHash>) -> Result<Self, WebError> {
        let mut key = [0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut key).map_err(|_| WebError::Random)?;
        let cost = hashes.values().map(PasswordHash::cost).max().unwrap_or(10);
        let turns = Arc::new(Semaphore::new(VERIFICATIONS_MAX));
        let decoy = format!("$2b${cost:02}${}", ".".repeat(53));
        Ok(Self { hashes, decoy, key, remembered: Mutex::default(), turns })
    }

    /// Whether that is the user's password.
    pub(super) async fn ask(&self, user: &str, password: &[u8]) -> Answer {
        let known = self.hashes.get(user);
        let hash = known.map_or(self.decoy.as_str(), PasswordHash::expose).to_owned();
        let Some(seal) = self.seal(&[user.as_bytes(), hash.as_bytes(), password]) else {
            return Answer::Wrong;
        };
        if known.is_some() && self.is_remembered(&seal) {
            return Answer::Right;
        }
        let turn = tokio::time::timeout(TURN_LIMIT, Arc::clone(&self.turns).acquire_owned());
        let Ok(Ok(turn)) = turn.await else { return Answer::Busy };
        let password = password.to_owned();
        let verified = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also where the caller has left.
            let _turn = turn;
            bcrypt::verify(password, &hash).unwrap_or(false)
        });
        let is_right = verified.await.unwrap_or(false) && known.is_some();
        if is_right {
            self.remember(seal);
        }
        if is_right { Answer::Right } else { Answer::Wrong }
    }

    /// The parts under the key, each with its length, so that no two lists are alike. The key's length always fits.
    fn seal(&self, parts: &[&[u8]]) -> Option<Seal> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }

    fn is_remembered(&self, seal: &Seal) -> bool {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        // Every entry is compared, and wholly.
        remembered.iter().fold(false, |found, one| found | bool::from(one.ct_eq(seal)))
    }

    fn remember(&self, seal: Seal) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.contains(&seal) {
            return;
        }
        if remembered.len() == REMEMBERED_MAX {
            remembered.pop_front();
        }
        remembered.push_back(seal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By another implementation, libxcrypt: `crypt("hunter2", "$2y$05$abcdefghijklmnopqrstuu")`.
    const HUNTER2: &str = "$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.";
    /// The same, of "correct horse".
    const HORSE: &str = "$2b$04$ABCDEFGHIJKLMNOPQRSTUu6C6jEMz4jEJoFRTrM10b9xHpc.SH9E6";

    fn users() -> Users {
        let all = [("prometheus", HUNTER2), ("anna", HORSE)];
        let hash = |text| PasswordHash::new(text).unwrap();
        Users::new(all.map(|(name, text)| (name.to_owned(), hash(text))).into()).unwrap()
    }

    #[tokio::test]
    async fn only_the_users_own_password_is_right() {
        let users = users();
        for _ in 0..2 {
            for (user, password, answer) in [
                ("prometheus", "hunter2", Answer::Right),
                ("anna", "correct horse", Answer::Right),
                ("prometheus", "correct horse", Answer::Wrong),
                ("prometheus", "", Answer::Wrong),
                ("prometheus", "hunter2\0", Answer::Wrong),
                ("Prometheus", "hunter2", Answer::Wrong),
                ("", "", Answer::Wrong),
                ("nobody", "hunter2", Answer::Wrong),
            ] {
                assert_eq!(users.ask(user, password.as_bytes()).await, answer, "{user}:{password}");
            }
        }
        assert_eq!(users.remembered.lock().unwrap().len(), 2, "what is wrong is not remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_right_before_waits_for_nobody_and_the_others_not_for_ever() {
        let users = users();
        assert_eq!(users.ask("anna", b"correct horse").await, Answer::Right);
        let all_turns = users.turns.acquire_many(VERIFICATIONS_MAX as u32).await.unwrap();
        assert_eq!(users.ask("anna", b"correct horse").await, Answer::Right);
        for (user, password) in [("anna", "wrong"), ("nobody", "correct horse"), ("prometheus", "hunter2")] {
            assert_eq!(users.ask(user, password.as_bytes()).await, Answer::Busy, "{user}");
        }
        drop(all_turns);
        assert_eq!(users.ask("prometheus", b"hunter2").await, Answer::Right);
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let users = users();
        for number in 0..=REMEMBERED_MAX {
            users.remember(users.seal(&[&number.to_be_bytes()]).unwrap());
        }
        let remembered = users.remembered.lock().unwrap();
        assert_eq!(remembered.len(), REMEMBERED_MAX);
        assert_eq!(remembered.front(), users.seal(&[&1_usize.to_be_bytes()]).as_ref());
    }

    #[test]
    fn an_unknown_user_costs_a_verification_of_the_dearest_hash() {
        let users = users();
        assert!(users.decoy.starts_with("$2b$05$"));
        assert_eq!(bcrypt::verify("x", &users.decoy).ok(), Some(false), "the decoy is a hash as any other");
    }
}
