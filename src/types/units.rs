//! Numbers that are never NaN and never out of range.

use std::fmt;

/// Why a number is not of its unit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// The number lies outside [0, 1], or is NaN or infinite.
    #[error("{0} is not a number from 0 to 1")]
    Ratio(f64),
}

/// A number in [0, 1]: a severity, a reliability, a freshness, a share.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Ratio(f64);

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);
    /// All.
    pub const ONE: Self = Self(1.0);

    /// Checks and takes a number.
    ///
    /// # Errors
    /// The number lies outside [0, 1], or is NaN or infinite.
    pub fn new(number: f64) -> Result<Self, UnitError> {
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err(UnitError::Ratio(number)) }
    }

    /// The number, moved to the nearer end when outside; NaN becomes 0.
    #[must_use]
    pub fn clamped(number: f64) -> Self {
        if number.is_nan() { Self::ZERO } else { Self(number.clamp(0.0, 1.0)) }
    }

    /// The number itself.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The larger of two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        if other.0 > self.0 { other } else { self }
    }

    /// One minus the number.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(1.0 - self.0)
    }
}

impl std::ops::Mul for Ratio {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl TryFrom<f64> for Ratio {
    type Error = UnitError;
    fn try_from(number: f64) -> Result<Self, UnitError> {
        Self::new(number)
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How rare something is: a number from 0 on, the negative decimal logarithm of its probability. 2 is once in a hundred.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rarity(f64);

impl Rarity {
    /// The number, moved into the range when outside; NaN becomes 0.
    #[must_use]
    pub fn clamped(number: f64) -> Self {
        if number.is_nan() { Self(0.0) } else { Self(number.clamp(0.0, f64::MAX)) }
    }

    /// The number itself.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_range_is_accepted() {
        for good in [0.0, 0.5, 1.0] {
            assert!(Ratio::new(good).is_ok(), "{good}");
        }
        for bad in [-0.001, 1.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Ratio::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Ratio::clamped(f64::NAN), Ratio::ZERO);
        assert_eq!(Ratio::clamped(7.0), Ratio::ONE);
        assert_eq!(Rarity::clamped(f64::NAN), Rarity::clamped(-1.0));
        assert!(Rarity::clamped(f64::INFINITY).get().is_finite());
    }
}
