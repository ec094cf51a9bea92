//! The access keys that the sandbox knows.

use std::collections::BTreeMap;

use crate::zone::Refusal;

/// Keys beyond this many are forgotten, oldest first; no test needs more.
const ISSUED_MAX: usize = 1000;

/// Who signs a request: what its headers say.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The access key's id, from the credential scope.
    pub key_id: String,
    /// The session token.
    pub session_token: Option<String>,
}

/// One key that was given out.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Issued {
    /// The key's id.
    pub key_id: String,
    /// How: `AssumeRole`, `AssumeRoleWithWebIdentity` or `metadata`.
    pub how: &'static str,
    /// The role.
    pub role: String,
    /// The session's name, or the instance's.
    pub session: String,
    /// The external id, or the token of the web identity.
    pub proof: Option<String>,
    /// The key that asked; none is needed for a web identity.
    pub by: Option<String>,
}

/// The keys. Without any long-lived key every well-formed signature is accepted.
#[derive(Debug, Default)]
pub struct Keys {
    lasting: Vec<String>,
    issued: BTreeMap<u64, Issued>,
    sequence: u64,
}

impl Keys {
    /// Knows these long-lived keys; none means that every key is good.
    pub fn new(lasting: Vec<String>) -> Self {
        Self { lasting, ..Self::default() }
    }

    /// Refuses a caller whose key is not known, or whose session token is not that of its key.
    pub fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        let issued = self.issued.values().any(|issued| {
            issued.key_id == caller.key_id && caller.session_token.as_deref() == Some(&token(&issued.key_id))
        });
        let is_lasting = self.lasting.contains(&caller.key_id) && caller.session_token.is_none();
        if self.lasting.is_empty() || issued || is_lasting {
            return Ok(());
        }
        Err(Refusal::InvalidClientTokenId)
    }

    /// Gives a key out.
    pub fn issue(
        &mut self,
        how: &'static str,
        (role, session): (String, String),
        proof: Option<String>,
        by: Option<String>,
    ) -> String {
        self.sequence += 1;
        let key_id = format!("ASIASANDBOX{:09}", self.sequence);
        self.issued.insert(self.sequence, Issued { key_id: key_id.clone(), how, role, session, proof, by });
        if self.issued.len() > ISSUED_MAX {
            self.issued.pop_first();
        }
        key_id
    }

    /// All keys that were given out, oldest first.
    pub fn issued(&self) -> Vec<Issued> {
        self.issued.values().cloned().collect()
    }
}

/// The session token of a key.
pub fn token(key_id: &str) -> String {
    format!("token-of-{key_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_keys_with_their_own_tokens_pass() {
        let mut keys = Keys::new(vec!["AKID".to_owned()]);
        let role = || ("arn:aws:iam::111122223333:role/r".to_owned(), "s".to_owned());
        let one = keys.issue("AssumeRole", role(), None, Some("AKID".to_owned()));
        let two = keys.issue("AssumeRole", role(), None, Some("AKID".to_owned()));
        for (key_id, session_token, good) in [
            ("AKID", None, true),
            ("AKID", Some(token(&one)), false),
            (one.as_str(), Some(token(&one)), true),
            (one.as_str(), Some(token(&two)), false),
            (one.as_str(), None, false),
            ("OTHER", None, false),
        ] {
            let caller = Caller { key_id: key_id.to_owned(), session_token: session_token.clone() };
            assert_eq!(keys.check(&caller).is_ok(), good, "{key_id} {session_token:?}");
            assert!(Keys::default().check(&caller).is_ok());
        }
    }
}
