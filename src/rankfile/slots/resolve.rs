//! Requests for slots into the slots of one node, of which only the shape is known.

use std::ops::Range;

use super::read_as::{counts_flat, read_as};
use super::{Item, Misfit, NodeShape, Reading, SlotList, normalise};

/// The slots that a list stands for on a node of this shape, ascending, each once: logical cores, or hardware threads where the node
/// counts those. Cores of a package are cores in either case. An empty list means that the launcher leaves the rank unbound.
///
/// # Errors
/// A slot or package that the node does not have, and text that the launcher refuses or dies of.
pub fn resolve(slots: &SlotList, reading: Reading, shape: &NodeShape) -> Result<Vec<u32>, Misfit> {
    let node = |flat| Node { shape, cores: shape.cores(), flat };
    match reading {
        Reading::Meant => node(false).slots_of(&slots.items),
        Reading::By(dialect) => node(counts_flat(dialect)).slots_of(&read_as(dialect, &slots.text)?),
    }
}

struct Node<'a> {
    shape: &'a NodeShape,
    cores: u32,
    /// As [`counts_flat`] has it.
    flat: bool,
}

impl Node<'_> {
    fn slots_of(&self, items: &[Item]) -> Result<Vec<u32>, Misfit> {
        let mut taken = vec![false; index(self.shape.slots())];
        for item in normalise(items) {
            let range = match item {
                Item::WholeNode => 0..self.shape.slots(),
                Item::Slots(range) => self.within_node(range)?,
                Item::PackageCores(package, range) => self.shape.slots_of_cores(self.within_package(package, &range)?),
                Item::Packages(range) => self.shape.slots_of_cores(self.whole_packages(&range)?),
            };
            taken[index(range.start)..index(range.end)].fill(true);
        }
        Ok((0..).zip(taken).filter_map(|(slot, taken)| taken.then_some(slot)).collect())
    }

    /// The cores of a package, counted over the node.
    fn package(&self, package: u32) -> Result<Range<u32>, Misfit> {
        let sizes = &self.shape.cores_per_package;
        let packages = u32::try_from(sizes.len()).unwrap_or(u32::MAX);
        let size = sizes.get(index(package));
        let size = size.ok_or(Misfit::NoSuchPackage { package, packages, whole: false })?;
        let first: u32 = sizes[..index(package)].iter().sum();
        Ok(first..first + size)
    }

    fn whole_packages(&self, range: &Range<u32>) -> Result<Range<u32>, Misfit> {
        let packages = u32::try_from(self.shape.cores_per_package.len()).unwrap_or(u32::MAX);
        let last = range.end - 1;
        if last >= packages {
            return Err(Misfit::NoSuchPackage { package: range.start.max(packages), packages, whole: true });
        }
        Ok(self.package(range.start)?.start..self.package(last)?.end)
    }

    fn within_node(&self, range: Range<u32>) -> Result<Range<u32>, Misfit> {
        let slots = self.shape.slots();
        if range.end <= slots {
            return Ok(range);
        }
        Err(Misfit::NoSuchSlot { slot: range.start.max(slots), slots, unit: self.shape.unit })
    }

    fn within_package(&self, package: u32, range: &Range<u32>) -> Result<Range<u32>, Misfit> {
        let own = self.package(package)?;
        let size = own.end - own.start;
        if range.is_empty() {
            return Ok(0..0);
        }
        let (first, limit) = if self.flat { (package.saturating_mul(size), self.cores) } else { (own.start, own.end) };
        let end = first.saturating_add(range.end);
        if end > limit {
            return Err(Misfit::NoSuchPackageCore { package, core: range.start.max(size), cores: size });
        }
        Ok(first + range.start..end)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("a u32 fits a usize")
}

#[cfg(test)]
mod tests {
    use super::super::meant;
    use super::*;
    use crate::{
        launcher::{ByDialect, Dialect},
        topology::SlotUnit,
    };

    fn slots(text: &str) -> SlotList {
        SlotList { text: text.to_owned(), items: meant::read(text).items, unit: SlotUnit::Core }
    }

    /// What the launchers bound when they were run on these nodes: `None` is a refusal.
    #[test]
    fn each_version_binds_what_it_bound_when_it_was_run() {
        let even: &[u32] = &[4, 4];
        type Row<'a> = (&'a str, &'a [u32], Option<&'a [u32]>, Option<&'a [u32]>, Option<&'a [u32]>);
        let rows: &[Row] = &[
            ("0", even, Some(&[0]), Some(&[0]), Some(&[0])),
            ("P1", even, Some(&[0]), Some(&[4, 5, 6, 7]), Some(&[4, 5, 6, 7])),
            ("C1", even, Some(&[0]), Some(&[0]), None),
            ("S1", even, Some(&[4, 5, 6, 7]), Some(&[4, 5, 6, 7]), Some(&[4, 5, 6, 7])),
            ("*", even, Some(&[0]), Some(&[0]), None),
            ("0x3", even, Some(&[0]), Some(&[0]), None),
            ("9", even, None, None, None),
            ("2-0", even, Some(&[]), Some(&[]), Some(&[])),
            ("0:0,1", even, Some(&[0]), Some(&[0, 1]), Some(&[0, 1])),
            ("0:0,1", &[2], None, Some(&[0, 1]), Some(&[0, 1])),
            ("0:0-2,1:3", even, Some(&[0, 1, 2, 7]), Some(&[0, 1, 2, 3]), None),
            ("1:0-2,3", even, None, Some(&[4, 5, 6]), None),
            ("P1:2", even, Some(&[2]), Some(&[6]), Some(&[6])),
            ("s1:2-3", even, Some(&[6, 7]), Some(&[6, 7]), Some(&[6, 7])),
            ("-1", even, Some(&[1]), Some(&[1]), Some(&[1])),
            ("-", even, None, None, None),
            ("1:2:3", even, Some(&[6, 7]), Some(&[6, 7]), Some(&[6, 7])),
            ("0:0-1:3", even, Some(&[0, 1, 3]), Some(&[0, 1, 3]), Some(&[0, 1, 3])),
            ("99999999999999999999", even, Some(&[1]), Some(&[1]), None),
            ("4294967296", even, Some(&[0]), Some(&[0]), None),
            ("2147483648", even, None, None, None),
            ("0:", even, Some(&[]), Some(&[]), Some(&[])),
            (":1", even, Some(&[]), Some(&[]), Some(&[])),
            ("0-1,", even, Some(&[0, 1]), Some(&[0, 1]), Some(&[0, 1])),
            ("0,1:1", even, Some(&[5]), Some(&[1]), None),
            ("S5", even, None, None, None),
            ("s0;1", even, Some(&[0, 1, 2, 3]), Some(&[0, 1, 2, 3]), Some(&[0, 1, 2, 3])),
            ("p0-1", even, Some(&[0, 1]), Some(&[0, 1, 2, 3, 4, 5, 6, 7]), Some(&[0, 1, 2, 3, 4, 5, 6, 7])),
            ("S0:1,S1:1", even, Some(&[1]), Some(&[0, 1]), None),
            ("C1-2", even, Some(&[0, 1, 2]), Some(&[0, 1, 2]), None),
            ("0:4", even, None, Some(&[4]), None),
            ("0:3-5", even, None, Some(&[3, 4, 5]), None),
            ("1:2-5", even, None, None, None),
            ("1:0", &[2, 4], Some(&[2]), Some(&[4]), Some(&[2])),
            ("1:2", &[2, 4], Some(&[4]), None, Some(&[4])),
            ("1:1", &[4, 2], Some(&[5]), Some(&[3]), Some(&[5])),
            ("0:2", &[2, 4], None, Some(&[2]), None),
            ("1:*", &[2, 4], Some(&[2, 3, 4, 5]), Some(&[2, 3, 4, 5]), Some(&[2, 3, 4, 5])),
        ];
        for (text, packages, by_41, by_5, by_6) in rows {
            let read = |reading| resolve(&slots(text), reading, &NodeShape::of_cores(packages)).ok();
            for (dialect, bound) in ByDialect::new([by_41, by_5, by_6]).iter() {
                assert_eq!(read(Reading::By(dialect)).as_deref(), **bound, "{dialect:?} {text} {packages:?}");
            }
        }
    }

    #[test]
    fn huge_ranges_cost_nothing() {
        let wide = slots("0-2147483646;1:0-2147483646;S0-2147483646");
        for reading in Dialect::ALL.map(Reading::By).into_iter().chain([Reading::Meant]) {
            assert!(resolve(&wide, reading, &NodeShape::of_cores(&[4, 4])).is_err());
        }
        assert!(resolve(&slots("0"), Reading::Meant, &NodeShape::of_cores(&[])).is_err());
    }
}
