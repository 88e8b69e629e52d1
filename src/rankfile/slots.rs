//! The text after `slot=`: what its author asks for, and which cores each dialect makes of it.
//!
//! Open MPI reads numbers with `atoi` and splits at other places than people do, so that most slips
//! give another core and no message. Therefore the text is read several times, once as a person means
//! it ([`meant`]) and once as each dialect does ([`read_as`]); where the readings agree, the text
//! is safe. Knows no host, no rank, and of a node only the number of cores in each package.

use std::fmt;
use std::ops::Range;

pub(super) mod judge;
mod meant;
pub(super) mod read_as;
mod resolve;
mod shape;
pub(super) mod spelling;

pub use resolve::resolve;
pub use shape::NodeShape;

use crate::{launcher::Dialect, topology::SlotUnit, words::none_or_counted};

/// A part of a slot list. Numbers are logical, from 0, as hwloc counts them; ranges are half-open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Slots counted over the whole node: cores, or hardware threads where the launcher was told to count those.
    Slots(Range<u32>),
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
    /// What its numbers count.
    pub(super) unit: SlotUnit,
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
        spelling::in_words(&self.items, self.unit)
    }

    /// Whether all of it is counted over the whole node, so that its numbers mean the same on every node.
    #[must_use]
    pub fn counts_over_the_node(&self) -> bool {
        self.items.iter().all(|item| matches!(item, Item::Slots(_)))
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
    Meant,
    /// A launcher's.
    By(Dialect),
}

/// Why a slot list does not fit a node, or is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// The node has no such slot.
    NoSuchSlot {
        /// Logical number in the node.
        slot: u32,
        /// Slots of the node.
        slots: u32,
        /// What they are.
        unit: SlotUnit,
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
            Self::NoSuchSlot { slot, slots, unit } => {
                let noun = unit.noun();
                write!(f, "{noun} {slot} does not exist: the node has {}", numbered(noun, *slots))
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
    let counted = none_or_counted(usize::try_from(count).expect("a u32 fits a usize"), what);
    match count {
        0 => counted,
        1 => format!("{counted}, number 0"),
        _ => format!("{counted}, numbers 0 to {}", count - 1),
    }
}

/// Order, so that equal requests have equal items.
fn sort_key(item: &Item) -> (u8, u32, u32) {
    match item {
        Item::Slots(range) => (0, 0, range.start),
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
            (Some(Item::Slots(last)), Item::Slots(next)) | (Some(Item::Packages(last)), Item::Packages(next)) => {
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
