//! What is wrong with a configuration: every problem, with its place and its remedy.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong, or, as a warning, doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line in it, where one can be named.
    pub line: Option<u64>,
    /// The key, such as `services[0].sites[1].targets[0]`; empty for the file as a whole.
    pub key: String,
    /// What is wrong, as the predicate of a sentence about the key. Never holds a secret.
    pub reason: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.reason)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, " (mend: {})", self.hint) }
    }
}

/// All problems of a configuration, at least one, in the order of their lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Takes the problems and puts them into the order of their lines.
    #[must_use]
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|p| p.line);
        Self(problems)
    }

    /// The problems, in the order of their lines.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_print_in_line_order() {
        let problem = |line, key: &str, hint: &str| Problem {
            path: "r.yml".into(),
            line,
            key: key.to_owned(),
            reason: "is wrong".to_owned(),
            hint: hint.to_owned(),
        };
        let all = Problems::new(vec![
            problem(Some(9), "a.b", "write c"),
            problem(None, "", ""),
            problem(Some(2), "a", ""),
        ]);
        assert_eq!(
            all.to_string(),
            "r.yml: is wrong\nr.yml:2: a: is wrong\nr.yml:9: a.b: is wrong (mend: write c)"
        );
    }
}
