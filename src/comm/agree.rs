//! Ranks fail together: one failure, known to all, printed once.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Group;
use crate::error::Error;

/// A failure that every rank of the job knows of, as [`World::agree`](super::World::agree) makes it: print it on rank 0, and end every
/// rank with [`exit_code`](Self::exit_code).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    rank: usize,
    others: usize,
    ranks: usize,
    host: String,
    exit_code: u8,
    message: String,
}

impl Failure {
    /// A failure that is not shared: met before there was a job, or when nothing is left to do for the other ranks.
    #[must_use]
    pub fn alone(error: &Error) -> Self {
        Self {
            rank: 0,
            others: 0,
            ranks: 1,
            host: String::new(),
            exit_code: error.exit_code(),
            message: error.to_string(),
        }
    }

    /// What the job ends with: as [`Error::exit_code`] of the failure that it is of.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl fmt::Display for Failure {
    /// `rank 2 on node07: ...`; what is wrong on every rank of the job is not any one rank's fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.others + 1 < self.ranks {
            write!(f, "rank {} on {}", self.rank, self.host)?;
            match self.others {
                0 => write!(f, ": ")?,
                1 => write!(f, " (and 1 more rank): ")?,
                others => write!(f, " (and {others} more ranks): ")?,
            }
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// See [`World::agree`](super::World::agree).
pub(super) fn agree<T>(all: &Group, host: &str, outcome: Result<T, Error>) -> Result<T, Failure> {
    let nobody = all.size();
    let my_vote = if outcome.is_err() { all.rank() } else { nobody };
    let first = usize::try_from(all.min(my_vote as u64)).expect("a rank's number fits");
    if first == nobody {
        return Ok(outcome.unwrap_or_else(|_| unreachable!("no rank failed, so this one did not")));
    }
    let failed = usize::try_from(all.sum(u64::from(outcome.is_err()))).expect("a number of ranks fits");
    let mine = outcome.err().map(|error| Failure {
        rank: first,
        others: failed - 1,
        ranks: all.size(),
        host: host.to_owned(),
        exit_code: error.exit_code(),
        message: error.to_string(),
    });
    Err(all.broadcast(first, &mine).expect("the first rank that failed has a failure"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(others: usize, ranks: usize) -> String {
        Failure { rank: 2, others, ranks, host: "n7".to_owned(), exit_code: 1, message: "no".to_owned() }.to_string()
    }

    #[test]
    fn one_rank_of_several_is_named() {
        assert_eq!(failure(0, 4), "rank 2 on n7: no");
        assert_eq!(failure(1, 4), "rank 2 on n7 (and 1 more rank): no");
    }

    #[test]
    fn what_is_wrong_everywhere_names_no_rank() {
        assert_eq!(failure(3, 4), "no");
        assert_eq!(failure(0, 1), "no");
    }
}
