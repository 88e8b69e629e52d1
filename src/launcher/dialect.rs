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
    }
}

impl Dialect {
    /// Its version in sentences: `4.1`, `5.x`.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::OpenMpi41 => "4.1",
            Self::OpenMpi5 => "5.x",
        }
    }

    /// Its version as the command line has it: `4.1`, `5`.
    #[must_use]
    pub const fn short_version(self) -> &'static str {
        match self {
            Self::OpenMpi41 => "4.1",
            Self::OpenMpi5 => "5",
        }
    }

    /// Its name in files for programs: `open_mpi_4_1`, `open_mpi_5`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::OpenMpi41 => "open_mpi_4_1",
            Self::OpenMpi5 => "open_mpi_5",
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
}
