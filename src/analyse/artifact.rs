//! A trained model as bytes: with a version and a checksum, and refused when damaged.

use sha2::{Digest as _, Sha256};

use super::train::Trained;

/// The first bytes, which name the version.
const MAGIC: &[u8] = b"redrover-model 1\n";
const SUM_BYTES: usize = 32;
/// The most bytes that are looked at: sixteen times what a target with forty signals needs.
pub const ARTIFACT_BYTES_MAX: usize = 16 << 20;

/// A trained model, and whose it is.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Artifact {
    /// The service.
    pub service: String,
    /// The site.
    pub site: String,
    /// The target.
    pub target: String,
    /// When it was trained, Unix seconds.
    pub trained: i64,
    /// The model, and the scores that its limit begins with.
    pub content: Trained,
}

/// Why bytes are no model.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Another program's, or another version's.
    #[error("it is no model of this version")]
    Version,
    /// It is not as it was written.
    #[error("the checksum does not match: it is damaged")]
    Checksum,
    /// It cannot be read or written.
    #[error("its content cannot be read")]
    Content(#[from] postcard::Error),
    /// It says of itself what cannot be.
    #[error("it contradicts itself: {what}")]
    Contradiction {
        /// What.
        what: &'static str,
    },
}

impl Artifact {
    /// The bytes of it.
    ///
    /// # Errors
    /// None is known.
    pub fn encode(&self) -> Result<Vec<u8>, ArtifactError> {
        let content = postcard::to_allocvec(self)?;
        let mut bytes = Vec::with_capacity(MAGIC.len() + SUM_BYTES + content.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&Sha256::digest(&content));
        bytes.extend_from_slice(&content);
        Ok(bytes)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// It is of another version, damaged, or contradicts itself.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(ArtifactError::Version)?;
        let (sum, content) = rest.split_at_checked(SUM_BYTES).ok_or(ArtifactError::Checksum)?;
        if content.len() > ARTIFACT_BYTES_MAX || Sha256::digest(content).as_slice() != sum {
            return Err(ArtifactError::Checksum);
        }
        let artifact: Self = postcard::from_bytes(content)?;
        match artifact.content.model.contradiction() {
            Some(what) => Err(ArtifactError::Contradiction { what }),
            None => Ok(artifact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::{Follower, Recipe, Table, Threshold, train};

    /// Forty signals, a day of minutes.
    fn artifact() -> Artifact {
        let mut table = Table::new((0..40).map(|column| format!("signal_{column:02}")));
        for row in 0..1000_u32 {
            let cells = (0..40_u32).map(|column| {
                let bits = row
                    .wrapping_mul(2_654_435_761)
                    .wrapping_add(column.wrapping_mul(40_503))
                    .rotate_left(column);
                f64::from(bits.wrapping_mul(2_246_822_519) >> 16)
            });
            table.push(i64::from(row) * 60, &cells.collect::<Vec<_>>(), true);
        }
        let recipe = Recipe { period_seconds: 60, seed: 1, rules: Vec::new() };
        Artifact {
            service: "sessions".to_owned(),
            site: "dc-a".to_owned(),
            target: "redis-1".to_owned(),
            trained: 7,
            content: train(&table, &recipe).unwrap(),
        }
    }

    #[test]
    fn a_model_comes_back_as_it_was_and_damage_is_found() {
        let artifact = artifact();
        let bytes = artifact.encode().unwrap();
        assert!(bytes.len() < 1 << 20, "{} bytes for forty signals", bytes.len());
        let back = Artifact::decode(&bytes).unwrap();
        assert_eq!(back, artifact);
        let [mut one, mut other] =
            [artifact, back].map(|artifact| Follower::new(artifact.content, Threshold::default()));
        for row in 0..50 {
            let cells: Vec<f64> = (0..40).map(|column| f64::from(row * column)).collect();
            let [one, other] =
                [&mut one, &mut other].map(|follower| follower.push(i64::from(row) * 60, &cells));
            assert_eq!(one.unwrap(), other.unwrap());
        }
        for place in [0, 10, 20, 60, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 4;
            assert!(Artifact::decode(&damaged).is_err(), "byte {place}");
        }
        for length in [0, 5, MAGIC.len(), MAGIC.len() + 31, bytes.len() - 1] {
            assert!(Artifact::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(matches!(Artifact::decode(&longer), Err(ArtifactError::Checksum)));
    }
}
