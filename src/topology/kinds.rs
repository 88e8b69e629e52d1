//! Kinds of cores, where a processor has cores that are made for speed and others that are made to save power. The kernel knows them
//! on a running node, hwloc's XML on a stored one; hwloc itself tells of them only from 2.4 on, and has cores that differ in nothing
//! but their clock as kinds of their own.

use std::{collections::BTreeMap, fs, path::Path};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{Core, CpuSet};

/// What a kind is known by; of two the more capable is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u64);

/// Gives each core the number of its kind; `kinds` has their PUs, the least capable first.
pub(super) fn set(cores: &mut [Core], kinds: &[CpuSet]) {
    for core in cores {
        let kind = kinds.iter().position(|kind| core.pus.intersects(kind)).unwrap_or_default();
        core.kind = u32::try_from(kind).expect("a kind has a PU");
    }
}

/// The PUs of each kind as the kernel below `root` has them, the least capable first; none where it knows no difference.
pub(super) fn of_kernel(root: &Path) -> Vec<CpuSet> {
    let devices = root.join("sys/devices");
    let list = |path: &str| fs::read_to_string(devices.join(path)).ok()?.trim().parse::<CpuSet>().ok();
    // Processors of Intel with two kinds have one counter of events for each.
    if let (Some(small), Some(large)) = (list("cpu_atom/cpus"), list("cpu_core/cpus")) {
        return vec![small, large];
    }
    let capacity = |pu: usize| {
        let text = fs::read_to_string(devices.join(format!("system/cpu/cpu{pu}/cpu_capacity"))).ok()?;
        Some(Rank(text.trim().parse().ok()?))
    };
    let present = list("system/cpu/possible").unwrap_or_default();
    // The kernel reckons it for all or for none, and a large machine has thousands.
    if present.iter().next().and_then(capacity).is_none() {
        return Vec::new();
    }
    ranked(present.iter().filter_map(|pu| Some((capacity(pu)?, [pu].into_iter().collect()))))
}

/// The same as hwloc's XML has them.
pub(super) fn of_xml(xml: &str) -> Vec<CpuSet> {
    if !xml.contains("<cpukind") {
        return Vec::new();
    }
    let mut reader = Reader::from_str(xml);
    let mut kinds: Vec<(CpuSet, Option<Rank>)> = Vec::new();
    let mut is_inside = false;
    // What hwloc has read before is well-formed; of anything else nothing is known.
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Eof => break,
            Event::Start(tag) if tag.name().as_ref() == "cpukind" => {
                let pus = attribute(&tag, "cpuset").and_then(|mask| of_mask(&mask)).unwrap_or_default();
                kinds.push((pus, None));
                is_inside = true;
            }
            Event::End(tag) if tag.name().as_ref() == "cpukind" => is_inside = false,
            Event::Start(tag) | Event::Empty(tag) if is_inside && tag.name().as_ref() == "info" => {
                let rank =
                    attribute(&tag, "name").zip(attribute(&tag, "value")).and_then(|(name, value)| rank(&name, &value));
                if let (Some((_, known)), Some(rank)) = (kinds.last_mut(), rank) {
                    *known = Some(rank);
                }
            }
            _ => {}
        }
    }
    ranked(kinds.into_iter().filter_map(|(pus, rank)| Some((rank?, pus))))
}

/// What an attribute of hwloc's says of how capable a kind is: the type of Intel's cores, the capacity that Linux reckons of others.
fn rank(name: &str, value: &str) -> Option<Rank> {
    match (name, value) {
        ("CoreType", "IntelAtom") => Some(Rank(0)),
        ("CoreType", "IntelCore") => Some(Rank(1)),
        ("LinuxCapacity", capacity) => capacity.parse().ok().map(Rank),
        _ => None,
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok()??;
    Some(found.value.into_owned())
}

/// The PUs of equal ranks together, the lowest rank first.
fn ranked(kinds: impl Iterator<Item = (Rank, CpuSet)>) -> Vec<CpuSet> {
    let mut by_rank: BTreeMap<Rank, CpuSet> = BTreeMap::new();
    for (rank, pus) in kinds {
        let all = by_rank.entry(rank).or_default();
        *all = &*all | &pus;
    }
    by_rank.into_values().collect()
}

/// A set as hwloc writes it: words of 32 bits in hexadecimal digits, the highest first; a word without digits is 0.
fn of_mask(mask: &str) -> Option<CpuSet> {
    let words = mask.split(',').map(|word| format!("{:0>8}", word.trim_start_matches("0x")));
    CpuSet::of_mask(&words.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kinds: &[CpuSet]) -> Vec<String> {
        kinds.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn cores_that_differ_in_their_clock_alone_are_of_one_kind() {
        // As hwloc 2.9 has a processor with two favoured cores, two others for speed, and four that save power.
        let kind = |mask: &str, kind: &str, clock: u32| {
            format!(
                r#"<cpukind cpuset="{mask}"><info name="CoreType" value="{kind}"/><info name="FrequencyMaxMHz" value="{clock}"/></cpukind>"#
            )
        };
        let xml = format!(
            "<topology>{}{}{}</topology>",
            kind("0x00000f00", "IntelAtom", 3700),
            kind("0x0000000f", "IntelCore", 4900),
            kind("0x000000f0", "IntelCore", 5000)
        );
        assert_eq!(shown(&of_xml(&xml)), ["8-11", "0-7"]);
        assert!(of_xml("<topology/>").is_empty());
        assert!(of_xml(&xml.replace("CoreType", "Other")).is_empty());
    }

    #[test]
    fn the_capacity_that_the_kernel_reckons_ranks_cores() {
        let folder = tempfile::tempdir().unwrap();
        let cpu = folder.path().join("sys/devices/system/cpu");
        for (pu, capacity) in [(0, "512"), (1, "1024"), (2, "512")] {
            fs::create_dir_all(cpu.join(format!("cpu{pu}"))).unwrap();
            fs::write(cpu.join(format!("cpu{pu}/cpu_capacity")), format!("{capacity}\n")).unwrap();
        }
        fs::write(cpu.join("possible"), "0-3\n").unwrap();
        assert_eq!(shown(&of_kernel(folder.path())), ["0,2", "1"]);
        for (name, pus) in [("cpu_atom", "4-7"), ("cpu_core", "0-3")] {
            fs::create_dir_all(folder.path().join("sys/devices").join(name)).unwrap();
            fs::write(folder.path().join("sys/devices").join(name).join("cpus"), pus).unwrap();
        }
        assert_eq!(shown(&of_kernel(folder.path())), ["4-7", "0-3"]);
    }

    #[test]
    fn a_mask_has_its_highest_word_first() {
        assert_eq!(of_mask("0x00000003,,0x80000000").unwrap().to_string(), "31,64-65");
        assert_eq!(of_mask("0xf...f"), None);
    }
}
