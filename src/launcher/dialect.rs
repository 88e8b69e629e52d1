//! The dialects of rankfiles: versions of Open MPI that read the same text differently. Their names alone; what each makes of a
//! statement is what [`rankfile`](crate::rankfile) knows.

use std::ops::Index;

use serde::{Deserialize, Serialize};

use super::listed::listed;

listed! {
    /// A way of reading rankfiles.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub enum Dialect {
        /// Open MPI 4.1.
        OpenMpi41,
        /// Open MPI 5.x.
        OpenMpi5,
        /// Open MPI 6.x.
        OpenMpi6,
    }
}

impl Dialect {
    /// Its version in sentences: `4.1`, `5.x`, `6.x`.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::OpenMpi41 => "4.1",
            Self::OpenMpi5 => "5.x",
            Self::OpenMpi6 => "6.x",
        }
    }

    /// Its version as the command line has it: `4.1`, `5`, `6`.
    #[must_use]
    pub const fn short_version(self) -> &'static str {
        match self {
            Self::OpenMpi41 => "4.1",
            Self::OpenMpi5 => "5",
            Self::OpenMpi6 => "6",
        }
    }

    /// Its name in files for programs: `open_mpi_4_1`, `open_mpi_5`, `open_mpi_6`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::OpenMpi41 => "open_mpi_4_1",
            Self::OpenMpi5 => "open_mpi_5",
            Self::OpenMpi6 => "open_mpi_6",
        }
    }
}

/// A value for each dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByDialect<T>([T; Dialect::ALL.len()]);

impl<T> ByDialect<T> {
    /// The values in the order of [`Dialect::ALL`].
    #[must_use]
    pub const fn new(values: [T; Dialect::ALL.len()]) -> Self {
        Self(values)
    }

    /// The value that `value` has for each dialect.
    #[must_use]
    pub fn of(value: impl FnMut(Dialect) -> T) -> Self {
        Self(Dialect::ALL.map(value))
    }

    /// The same of other values.
    #[must_use]
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> ByDialect<U> {
        ByDialect(self.0.map(change))
    }

    /// The same with another value for one dialect.
    #[must_use]
    pub fn with(mut self, dialect: Dialect, value: T) -> Self {
        self.0[dialect as usize] = value;
        self
    }

    /// Each dialect with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Dialect, &T)> {
        Dialect::ALL.into_iter().zip(&self.0)
    }
}

impl<T> ByDialect<Option<T>> {
    /// Whether no dialect has a value.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

impl<T: PartialEq> ByDialect<Option<T>> {
    /// The values that there are, each once for neighbouring dialects that have it alike, after their versions: `5.x, 6.x`.
    pub fn by_versions(&self) -> impl Iterator<Item = (String, &T)> {
        let mut runs: Vec<(String, &T)> = Vec::new();
        let mut before = None;
        for (dialect, value) in self.iter() {
            match (value, runs.last_mut().filter(|_| before == Some(value))) {
                (Some(_), Some((versions, _))) => *versions += &format!(", {}", dialect.version()),
                (Some(value), None) => runs.push((dialect.version().to_owned(), value)),
                (None, _) => {}
            }
            before = Some(value);
        }
        runs.into_iter()
    }
}

impl<T> Index<Dialect> for ByDialect<T> {
    type Output = T;

    fn index(&self, dialect: Dialect) -> &T {
        &self.0[dialect as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_own_value() {
        let words = ByDialect::of(Dialect::short_version);
        assert!(Dialect::ALL.into_iter().all(|dialect| words[dialect] == dialect.short_version()));
        assert!(words.iter().all(|(dialect, word)| dialect.short_version() == *word));
        assert!(ByDialect::<Option<u8>>::default().is_none() && !words.map(Some).is_none());
    }

    #[test]
    fn what_neighbours_have_alike_stands_once() {
        for (values, expected) in [
            ([Some('a'), Some('a'), Some('a')], &[("4.1, 5.x, 6.x", 'a')][..]),
            ([Some('a'), Some('b'), Some('b')], &[("4.1", 'a'), ("5.x, 6.x", 'b')]),
            ([Some('a'), None, Some('a')], &[("4.1", 'a'), ("6.x", 'a')]),
            ([None, None, Some('c')], &[("6.x", 'c')]),
            ([None; 3], &[]),
        ] {
            let values = ByDialect::new(values);
            let found: Vec<(String, char)> = values.by_versions().map(|(versions, value)| (versions, *value)).collect();
            let expected: Vec<(String, char)> = expected.iter().map(|(v, c)| ((*v).to_owned(), *c)).collect();
            assert_eq!(found, expected);
        }
    }
}
