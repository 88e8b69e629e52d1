//! The kernel's own list of PCI functions, `/sys/bus/pci/devices`. It is there also where hwloc was built without PCI devices.
//!
//! Only for the running machine. Which of the functions are GPUs is not known here.

use std::{fs, path::Path};

use super::{CpuSet, PciBusId, witnesses::Sighting};

/// Where the list is, below the root.
const LIST: &str = "sys/bus/pci/devices";
const PCI: &str = "sys/bus/pci";
const BUSES: &str = "sys/bus";

/// The functions that the file systems below `root` (`/`, but for tests) list.
///
/// # Errors
/// Why there is no list, in words.
pub(super) fn read(root: &Path) -> Result<Vec<Sighting>, String> {
    let entries = match fs::read_dir(root.join(LIST)) {
        Ok(entries) => entries,
        // A board without a PCI bus has the others; where all are missing, `/sys` is hidden.
        Err(_)
            if fs::read_dir(root.join(BUSES)).is_ok_and(|mut buses| buses.next().is_some())
                && !root.join(PCI).exists() =>
        {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(format!("/{LIST} cannot be read: {cause}")),
    };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(ids.filter_map(|id| sighting(&root.join(LIST), id)).collect())
}

/// `None` for a function that is gone, or of which the kernel does not tell what it is.
fn sighting(list: &Path, pci_bus_id: PciBusId) -> Option<Sighting> {
    let function = list.join(pci_bus_id.to_string());
    let number = |file: &str| {
        let text = fs::read_to_string(function.join(file)).ok()?;
        u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
    };
    Some(Sighting {
        pci_bus_id,
        vendor_id: number("vendor")?.try_into().ok()?,
        device_id: number("device")?.try_into().ok()?,
        // Its last byte is the programming interface.
        class_id: (number("class")? >> 8).try_into().ok()?,
        os_devices: drm_devices(&function),
        name: None,
        nics: Vec::new(),
        near: CpuSet::new(),
    })
}

/// The devices that a graphics driver has made, such as `card0` and `renderD128`.
fn drm_devices(function: &Path) -> Vec<String> {
    let entries = fs::read_dir(function.join("drm")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_listed_with_what_they_are_and_strange_entries_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let list = root.path().join(LIST);
        for (id, class, render_node) in
            [("0000:65:00.0", "0x030200", true), ("10000:01:00.0", "0x010802", false), ("0000:66:00.0", "", false)]
        {
            let function = list.join(id);
            fs::create_dir_all(if render_node { function.join("drm/renderD128") } else { function.clone() }).unwrap();
            for (file, text) in [("class", class), ("vendor", "0x10de"), ("device", "0x2335")] {
                fs::write(function.join(file), format!("{text}\n")).unwrap();
            }
        }
        fs::create_dir(list.join("readme")).unwrap();
        let mut seen = read(root.path()).unwrap();
        seen.sort_by_key(|sighting| sighting.pci_bus_id);
        let words = |it: &Sighting| {
            format!(
                "{} {:04x} {:04x}:{:04x} {:?}",
                it.pci_bus_id, it.class_id, it.vendor_id, it.device_id, it.os_devices
            )
        };
        assert_eq!(
            seen.iter().map(words).collect::<Vec<_>>(),
            ["0000:65:00.0 0302 10de:2335 [\"renderD128\"]", "10000:01:00.0 0108 10de:2335 []"]
        );
    }

    #[test]
    fn a_list_that_is_not_there_is_named() {
        let root = tempfile::tempdir().unwrap();
        let reason = read(root.path()).unwrap_err();
        assert!(reason.contains("/sys/bus/pci/devices") && reason.contains("No such file"), "{reason}");
        fs::create_dir_all(root.path().join("sys/bus/pci")).unwrap();
        assert!(read(root.path()).is_err(), "a part of it is hidden");
    }

    #[test]
    fn a_board_without_a_pci_bus_has_a_list_without_functions() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("sys/bus/platform")).unwrap();
        assert_eq!(read(root.path()), Ok(Vec::new()));
    }
}
