//! The checksum of stored forests.

/// CRC-64/XZ (ECMA-182, reflected): finds every burst of up to 64 damaged bits.
pub(crate) struct Checksum {
    state: u64,
}

const TABLE: [u64; 256] = table();

impl Default for Checksum {
    fn default() -> Self {
        Self { state: u64::MAX }
    }
}

impl Checksum {
    /// Adds bytes and their number.
    pub(crate) fn add_bytes(&mut self, bytes: &[u8]) {
        self.add_number(bytes.len() as u64);
        self.add(bytes);
    }

    /// Adds numbers and how many they are.
    pub(crate) fn add_numbers(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        self.add_number(numbers.len() as u64);
        numbers.for_each(|number| self.add_number(number));
    }

    pub(crate) fn add_number(&mut self, number: u64) {
        self.add(&number.to_le_bytes());
    }

    pub(crate) fn finish(self) -> u64 {
        !self.state
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let place = (self.state as u8 ^ byte) as usize;
            self.state = TABLE[place] ^ self.state >> 8;
        }
    }
}

const fn table() -> [u64; 256] {
    const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ POLYNOMIAL } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_published_one() {
        let mut sum = Checksum::default();
        sum.add(b"123456789");
        assert_eq!(sum.finish(), 0x995d_c9bb_df19_39fa);
    }
}
