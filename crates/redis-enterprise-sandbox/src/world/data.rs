//! Keys, their values, and the slots that they belong to.

use std::collections::BTreeMap;

use crate::clock::Ms;

/// Most keys of one database; a test needs a handful.
const KEYS_MAX: usize = 100_000;
const SLOTS: u16 = 16_384;

/// A value, and when it ends.
type Held = (Vec<u8>, Option<Ms>);

/// What a database holds.
#[derive(Debug, Default, Clone)]
pub struct Keys {
    held: BTreeMap<Vec<u8>, Held>,
}

impl Keys {
    /// The value of a key.
    pub fn get(&self, key: &[u8], now: Ms) -> Option<&[u8]> {
        let (value, until) = self.held.get(key)?;
        until.is_none_or(|until| now < until).then_some(value.as_slice())
    }

    /// When the value of a key ends.
    pub fn until(&self, key: &[u8], now: Ms) -> Option<Option<Ms>> {
        self.get(key, now)?;
        self.held.get(key).map(|(_, until)| *until)
    }

    /// Sets or deletes; what is too much is not kept, and whether it was is told.
    pub fn set(&mut self, key: Vec<u8>, value: Option<Held>) -> bool {
        match value {
            Some(_) if self.held.len() >= KEYS_MAX && !self.held.contains_key(&key) => false,
            Some(value) => {
                self.held.insert(key, value);
                true
            }
            None => self.held.remove(&key).is_some(),
        }
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.held.clear();
    }

    /// Lets go of what has ended.
    pub fn expire(&mut self, now: Ms) {
        self.held.retain(|_, (_, until)| until.is_none_or(|until| now < until));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// How many of them will end.
    pub fn ending(&self) -> usize {
        self.held.values().filter(|(_, until)| until.is_some()).count()
    }

    /// The bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.held.iter().map(|(key, (value, _))| key.len() + value.len()).sum()
    }
}

/// The slot of a key: of the part between the first braces, if there is one.
pub fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16 in the form of XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let mut crc = crc ^ (u16::from(*byte) << 8);
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // The check value of the algorithm, and examples of the cluster specification.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot(b"{user1000}.following"), slot(b"user1000"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
    }

    #[test]
    fn values_end() {
        let mut keys = Keys::default();
        assert!(keys.set(b"k".to_vec(), Some((b"v".to_vec(), Some(10)))));
        assert_eq!((keys.get(b"k", 9), keys.get(b"k", 10)), (Some(&b"v"[..]), None));
        keys.expire(10);
        assert_eq!(keys.len(), 0);
    }
}
