//! The text after `slot=`: what its author asks for, and which cores each Open MPI makes of it.
//!
//! Open MPI reads numbers with `atoi` and splits at other places than people do, so that most slips
//! give another core and no message. Therefore the text is read three times, once as a person means
//! it ([`asked`]) and once as either version does ([`launcher`]); where the readings agree, the text
//! is safe. Knows no host, no rank, and of a node only the number of cores in each package.

use std::fmt;
use std::ops::Range;

mod asked;
pub(super) mod judge;
mod launcher;
pub(super) mod spelling;

/// A part of a slot list. Numbers are logical, from 0, as hwloc counts them; ranges are half-open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Cores counted over the whole node.
    Cores(Range<u32>),
    /// Cores counted within one package. An empty range asks only that the package exists.
    PackageCores(u32, Range<u32>),
    /// Every core of these packages.
    Packages(Range<u32>),
    /// Every core of the node.
    WholeNode,
}

/// A slot list that can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotList {
    pub(super) text: String,
    pub(super) items: Vec<Item>,
}

impl SlotList {
    /// The text as it stands in the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it asks for, in words: "cores 0-1 and core 2 of package 1" as its author means it.
    #[must_use]
    pub fn in_words(&self) -> String {
        spelling::in_words(&self.items)
    }

    /// What it asks for, in order and without overlaps.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }
}

/// Whose understanding of a slot list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The author's.
    Asked,
    /// Open MPI 4.1's.
    OpenMpi41,
    /// Open MPI 5.x's.
    OpenMpi5,
}

/// Why a slot list does not fit a node, or is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// The node has no such core.
    NoSuchCore {
        /// Logical number of the core in the node.
        core: u32,
        /// Cores in the node.
        cores: u32,
    },
    /// The node has no such package.
    NoSuchPackage {
        /// Logical number of the package.
        package: u32,
        /// Packages in the node.
        packages: u32,
        /// All its cores were asked for, which crashes both versions.
        whole: bool,
    },
    /// The package has no such core.
    NoSuchPackageCore {
        /// Logical number of the package.
        package: u32,
        /// Logical number of the core in the package.
        core: u32,
        /// Cores in the package.
        cores: u32,
    },
    /// The launcher calls the text a syntax error.
    Refused,
    /// The launcher dies of the text.
    Crash,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCore { core, cores } => {
                write!(f, "core {core} does not exist: the node has {}", numbered("core", *cores))
            }
            Self::NoSuchPackage { package, packages, .. } => {
                write!(f, "package {package} does not exist: the node has {}", numbered("package", *packages))
            }
            Self::NoSuchPackageCore { package, core, cores } => write!(
                f,
                "core {core} of package {package} does not exist: the package has {}",
                numbered("core", *cores)
            ),
            Self::Refused => f.write_str("the slot list is a syntax error"),
            Self::Crash => f.write_str("the slot list crashes the launcher"),
        }
    }
}

impl std::error::Error for Misfit {}

fn numbered(what: &str, count: u32) -> String {
    match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}, number 0"),
        _ => format!("{count} {what}s, numbers 0 to {}", count - 1),
    }
}

/// The logical cores that a slot list stands for on a node with `packages[p]` cores in package `p`,
/// ascending, each once. An empty list means that the launcher leaves the rank unbound.
///
/// # Errors
/// A core or package that the node does not have, and text that the launcher refuses or dies of.
pub fn resolve(slots: &SlotList, reading: Reading, packages: &[u32]) -> Result<Vec<u32>, Misfit> {
    match reading {
        Reading::Asked => resolve_items(&slots.items, false, packages),
        Reading::OpenMpi41 => resolve_items(&launcher::read_as_41(&slots.text)?, false, packages),
        // 5.x counts `package * cores of that package + core` over the node: right only where all
        // packages are equal, and past the end of a package it goes on into the next one.
        Reading::OpenMpi5 => resolve_items(&launcher::read_as_5(&slots.text)?, true, packages),
    }
}

fn resolve_items(items: &[Item], flat_packages: bool, packages: &[u32]) -> Result<Vec<u32>, Misfit> {
    let cores: u32 = packages.iter().sum();
    let count = u32::try_from(packages.len()).unwrap_or(u32::MAX);
    let cores_of = |package: u32, whole: bool| -> Result<Range<u32>, Misfit> {
        let index = usize::try_from(package).expect("a u32 fits a usize");
        let size = packages.get(index).ok_or(Misfit::NoSuchPackage { package, packages: count, whole })?;
        let first = packages[..index].iter().sum();
        Ok(first..first + size)
    };
    let mut found = vec![false; usize::try_from(cores).expect("a u32 fits a usize")];
    let mut take = |range: Range<u32>| {
        for core in range {
            found[usize::try_from(core).expect("a u32 fits a usize")] = true;
        }
    };
    for item in normalise(items) {
        match item {
            Item::WholeNode => take(0..cores),
            Item::Packages(range) => {
                for package in range {
                    take(cores_of(package, true)?);
                }
            }
            Item::Cores(range) => {
                if range.end > cores {
                    return Err(Misfit::NoSuchCore { core: range.start.max(cores), cores });
                }
                take(range);
            }
            Item::PackageCores(package, range) => {
                let own = cores_of(package, false)?;
                let (first, limit) = match flat_packages {
                    true => (u64::from(package) * u64::from(own.end - own.start), cores),
                    false => (u64::from(own.start), own.end),
                };
                if !range.is_empty() && first + u64::from(range.end) > u64::from(limit) {
                    let cores = own.end - own.start;
                    return Err(Misfit::NoSuchPackageCore { package, core: range.start.max(cores), cores });
                }
                let first = u32::try_from(first).unwrap_or(cores);
                take(first.saturating_add(range.start)..first.saturating_add(range.end));
            }
        }
    }
    Ok((0..).zip(found).filter_map(|(core, found)| found.then_some(core)).collect())
}

/// Order, so that equal requests have equal items.
fn sort_key(item: &Item) -> (u8, u32, u32) {
    match item {
        Item::Cores(range) => (0, 0, range.start),
        Item::PackageCores(package, range) => (1, *package, range.start),
        Item::Packages(range) => (2, 0, range.start),
        Item::WholeNode => (3, 0, 0),
    }
}

/// The same request with its parts in order, those that touch or overlap joined.
pub(super) fn normalise(items: &[Item]) -> Vec<Item> {
    let mut sorted: Vec<Item> = items.to_vec();
    sorted.sort_by_key(sort_key);
    let mut joined: Vec<Item> = Vec::with_capacity(sorted.len());
    for item in sorted {
        let grown = match (joined.last_mut(), &item) {
            (Some(Item::Cores(last)), Item::Cores(next)) | (Some(Item::Packages(last)), Item::Packages(next)) => {
                grow(last, next)
            }
            (Some(Item::PackageCores(package, last)), Item::PackageCores(same, next)) => {
                package == same && grow(last, next)
            }
            (Some(Item::WholeNode), Item::WholeNode) => true,
            _ => false,
        };
        if !grown {
            joined.push(item);
        }
    }
    joined
}

fn grow(last: &mut Range<u32>, next: &Range<u32>) -> bool {
    let touches = next.start <= last.end;
    if touches {
        last.end = last.end.max(next.end);
    }
    touches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(text: &str) -> SlotList {
        SlotList { text: text.to_owned(), items: asked::read(text).items }
    }

    /// What the launchers bound when they were run on these nodes: `None` is a refusal.
    #[test]
    fn each_version_binds_what_it_bound_when_it_was_run() {
        let even: &[u32] = &[4, 4];
        type Row<'a> = (&'a str, &'a [u32], Option<&'a [u32]>, Option<&'a [u32]>);
        let rows: &[Row] = &[
            ("0", even, Some(&[0]), Some(&[0])),
            ("P1", even, Some(&[0]), Some(&[4, 5, 6, 7])),
            ("C1", even, Some(&[0]), Some(&[0])),
            ("S1", even, Some(&[4, 5, 6, 7]), Some(&[4, 5, 6, 7])),
            ("*", even, Some(&[0]), Some(&[0])),
            ("0x3", even, Some(&[0]), Some(&[0])),
            ("9", even, None, None),
            ("2-0", even, Some(&[]), Some(&[])),
            ("0:0,1", even, Some(&[0]), Some(&[0, 1])),
            ("0:0,1", &[2], None, Some(&[0, 1])),
            ("0:0-2,1:3", even, Some(&[0, 1, 2, 7]), Some(&[0, 1, 2, 3])),
            ("1:0-2,3", even, None, Some(&[4, 5, 6])),
            ("P1:2", even, Some(&[2]), Some(&[6])),
            ("s1:2-3", even, Some(&[6, 7]), Some(&[6, 7])),
            ("-1", even, Some(&[1]), Some(&[1])),
            ("-", even, None, None),
            ("1:2:3", even, Some(&[6, 7]), Some(&[6, 7])),
            ("0:0-1:3", even, Some(&[0, 1, 3]), Some(&[0, 1, 3])),
            ("99999999999999999999", even, Some(&[1]), Some(&[1])),
            ("4294967296", even, Some(&[0]), Some(&[0])),
            ("2147483648", even, None, None),
            ("0:", even, Some(&[]), Some(&[])),
            (":1", even, Some(&[]), Some(&[])),
            ("0-1,", even, Some(&[0, 1]), Some(&[0, 1])),
            ("0,1:1", even, Some(&[5]), Some(&[1])),
            ("S5", even, None, None),
            ("s0;1", even, Some(&[0, 1, 2, 3]), Some(&[0, 1, 2, 3])),
            ("p0-1", even, Some(&[0, 1]), Some(&[0, 1, 2, 3, 4, 5, 6, 7])),
            ("S0:1,S1:1", even, Some(&[1]), Some(&[0, 1])),
            ("C1-2", even, Some(&[0, 1, 2]), Some(&[0, 1, 2])),
            ("0:4", even, None, Some(&[4])),
            ("0:3-5", even, None, Some(&[3, 4, 5])),
            ("1:2-5", even, None, None),
            ("1:0", &[2, 4], Some(&[2]), Some(&[4])),
            ("1:2", &[2, 4], Some(&[4]), None),
            ("1:1", &[4, 2], Some(&[5]), Some(&[3])),
            ("0:2", &[2, 4], None, Some(&[2])),
            ("1:*", &[2, 4], Some(&[2, 3, 4, 5]), Some(&[2, 3, 4, 5])),
        ];
        for (text, packages, by_41, by_5) in rows {
            let read = |reading| resolve(&slots(text), reading, packages).ok();
            assert_eq!(read(Reading::OpenMpi41).as_deref(), *by_41, "4.1 {text} {packages:?}");
            assert_eq!(read(Reading::OpenMpi5).as_deref(), *by_5, "5.x {text} {packages:?}");
        }
    }

    #[test]
    fn huge_ranges_cost_nothing() {
        let wide = slots("0-2147483646;1:0-2147483646;S0-2147483646");
        for reading in [Reading::Asked, Reading::OpenMpi41, Reading::OpenMpi5] {
            assert!(resolve(&wide, reading, &[4, 4]).is_err());
        }
        assert!(resolve(&slots("0"), Reading::Asked, &[]).is_err());
    }
}
