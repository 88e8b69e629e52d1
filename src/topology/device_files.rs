//! The device files through which GPUs are reached, and those of which this process may use none although the node has them: a
//! resource manager withholds by a device cgroup what it gave to other jobs, a container has the files of its own GPUs alone.
//!
//! Only for the running machine. No file is opened: that may start a GPU. What a GPU out of reach means for a rank is not known here.

use std::{fs, path::Path};

use rustix::{
    fs::{Access, access},
    io::Errno,
};

use super::{Gpu, PciBusId, sysfs::value};

/// The folder in which NVIDIA's driver tells of each of its GPUs.
const NVIDIA: &str = "proc/driver/nvidia/gpus";

/// What this process may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAccess {
    /// Read and write it.
    Open,
    /// Not both, by its permissions.
    Closed,
    /// Neither, whatever its permissions: a device cgroup withholds it (the kernel's EPERM where permissions give EACCES).
    Withheld,
    /// It is not there.
    Missing,
}

impl FileAccess {
    /// To that file.
    #[must_use]
    pub fn to(file: &Path) -> Self {
        match access(file, Access::READ_OK | Access::WRITE_OK) {
            Ok(()) => Self::Open,
            Err(Errno::PERM) => Self::Withheld,
            Err(Errno::NOENT) => Self::Missing,
            Err(_) => Self::Closed,
        }
    }
}

/// A GPU of the node that this process cannot reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    /// That GPU.
    pub gpu: PciBusId,
    /// What keeps it away, as the subject of a sentence.
    pub by: &'static str,
    /// Its device file.
    pub file: String,
}

/// Those of `gpus` that this process cannot reach although others could: below `root`, `/` but for tests.
#[must_use]
pub fn out_of_reach(root: &Path, gpus: &[Gpu]) -> Vec<OutOfReach> {
    out_of_reach_by(root, gpus, &FileAccess::to)
}

fn out_of_reach_by(root: &Path, gpus: &[Gpu], access: &dyn Fn(&Path) -> FileAccess) -> Vec<OutOfReach> {
    let files = gpus.iter().filter_map(|gpu| {
        let file = file_of_gpu(root, gpu)?;
        let access = access(&root.join(file.strip_prefix('/').unwrap_or(&file)));
        Some((gpu, file, access))
    });
    let files: Vec<(&Gpu, String, FileAccess)> = files.collect();
    let cases = files.iter().filter_map(|(gpu, file, access)| {
        let is_beside =
            |(other, _, access): &(&Gpu, String, FileAccess)| *access == FileAccess::Open && other.driver == gpu.driver;
        let by = match access {
            FileAccess::Withheld => "the device cgroup",
            // Where no GPU of the driver has a file, the driver itself is at fault.
            FileAccess::Missing if files.iter().any(is_beside) => "a container that lacks its files",
            FileAccess::Missing | FileAccess::Open | FileAccess::Closed => return None,
        };
        Some(OutOfReach { gpu: gpu.pci_bus_id, by, file: file.clone() })
    });
    cases.collect()
}

/// The device file of a GPU, whether it is there or not: NVIDIA's by the number that its driver gives it, or what the driver should
/// tell of it; others by their render node. `None` where nobody tells.
fn file_of_gpu(root: &Path, gpu: &Gpu) -> Option<String> {
    let id = gpu.pci_bus_id;
    if gpu.driver.as_deref() == Some("nvidia") {
        let Ok(information) = fs::read_to_string(root.join(NVIDIA).join(id.to_string()).join("information")) else {
            // A container is shown of its own GPUs alone what the driver tells.
            return fs::read_dir(root.join(NVIDIA)).is_ok().then(|| format!("/{NVIDIA}/{id}"));
        };
        let number: u32 = value(&information, "Device Minor:")?.parse().ok()?;
        return Some(format!("/dev/nvidia{number}"));
    }
    let entries = fs::read_dir(root.join(format!("sys/bus/pci/devices/{id}/drm"))).ok()?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with("renderD")).min().map(|name| format!("/dev/dri/{name}"))
}

/// The GPU that a device file is of: NVIDIA's by the number that its driver gives it, others by their render node.
#[must_use]
pub fn gpu_of_file(root: &Path, file: &Path) -> Option<PciBusId> {
    let name = file.strip_prefix("/dev").ok()?.to_str()?;
    if let Some(number) = name.strip_prefix("nvidia").filter(|number| !number.is_empty()) {
        let number: u32 = number.parse().ok()?;
        let folders = fs::read_dir(root.join(NVIDIA)).ok()?;
        return folders.flatten().find_map(|folder| {
            let information = fs::read_to_string(folder.path().join("information")).ok()?;
            (value(&information, "Device Minor:")?.parse() == Ok(number))
                .then(|| folder.file_name().to_string_lossy().parse().ok())?
        });
    }
    let node = name.strip_prefix("dri/").filter(|name| name.starts_with("renderD"))?;
    let device = fs::read_link(root.join("sys/class/drm").join(node).join("device")).ok()?;
    device.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn gpu(bus: u8, driver: &str) -> Gpu {
        let id = PciBusId { domain: 0, bus, device: 0, function: 0 };
        Gpu { driver: Some(driver.to_owned()), ..Gpu::named(id, 0x10de, 0x2335, "a GPU".to_owned()) }
    }

    /// A node with two GPUs of NVIDIA, whose numbers run against their bus ids, and two of AMD.
    fn node() -> (tempfile::TempDir, Vec<Gpu>) {
        let root = tempfile::tempdir().unwrap();
        let gpus = vec![gpu(0x10, "nvidia"), gpu(0x20, "nvidia"), gpu(0x30, "amdgpu"), gpu(0x40, "amdgpu")];
        for (gpu, number) in gpus.iter().zip([1, 0, 128, 129]) {
            let id = gpu.pci_bus_id;
            if number < 2 {
                let folder = root.path().join(NVIDIA).join(id.to_string());
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("information"), format!("Device Minor: \t {number}\n")).unwrap();
            } else {
                let folder = root.path().join(format!("sys/bus/pci/devices/{id}/drm"));
                fs::create_dir_all(folder.join(format!("renderD{number}"))).unwrap();
            }
        }
        (root, gpus)
    }

    /// `BUS by FILE` of what is out of reach where the files that end so are not open.
    fn said(files: &[(&str, FileAccess)]) -> Vec<String> {
        let (root, gpus) = node();
        let access = |file: &Path| {
            files.iter().find(|(name, _)| file.ends_with(name)).map_or(FileAccess::Open, |(_, access)| *access)
        };
        let cases = out_of_reach_by(root.path(), &gpus, &access);
        cases.iter().map(|OutOfReach { gpu, by, file }| format!("{:02x} {by} {file}", gpu.bus)).collect()
    }

    #[test]
    fn what_a_cgroup_withholds_is_out_of_reach_and_what_permissions_close_is_not() {
        use FileAccess::{Closed, Missing, Open, Withheld};

        assert_eq!(said(&[]), [""; 0]);
        assert_eq!(said(&[("dev/nvidia0", Withheld)]), ["20 the device cgroup /dev/nvidia0"]);
        assert_eq!(
            said(&[("dev/nvidia1", Withheld), ("dev/nvidia0", Withheld), ("dev/dri/renderD129", Withheld)]),
            [
                "10 the device cgroup /dev/nvidia1",
                "20 the device cgroup /dev/nvidia0",
                "40 the device cgroup /dev/dri/renderD129"
            ]
        );
        assert_eq!(said(&[("dev/nvidia1", Closed), ("dev/dri/renderD128", Open)]), [""; 0]);
        let container = "30 a container that lacks its files /dev/dri/renderD128";
        assert_eq!(said(&[("dev/dri/renderD128", Missing)]), [container]);
        assert_eq!(said(&[("dev/nvidia0", Missing), ("dev/nvidia1", Missing)]), [""; 0], "the driver lacks files");
    }

    #[test]
    fn a_gpu_of_which_nvidias_driver_tells_nothing_beside_one_that_is_there_is_another_containers() {
        let (root, gpus) = node();
        fs::remove_dir_all(root.path().join(NVIDIA).join(gpus[1].pci_bus_id.to_string())).unwrap();
        let access = |file: &Path| {
            if file.starts_with(root.path().join("dev")) { FileAccess::Open } else { FileAccess::to(file) }
        };
        let cases = out_of_reach_by(root.path(), &gpus, &access);
        assert_eq!(cases.len(), 1);
        assert_eq!(
            (cases[0].gpu, cases[0].file.as_str()),
            (gpus[1].pci_bus_id, "/proc/driver/nvidia/gpus/0000:20:00.0")
        );
        let without_files = |file: &Path| FileAccess::to(&file.join("gone"));
        assert_eq!(out_of_reach_by(root.path(), &gpus, &without_files), [], "none has a file");
    }

    #[test]
    fn a_gpu_whose_file_nobody_names_is_not_said_to_be_out_of_reach() {
        let (root, gpus) = node();
        fs::remove_dir_all(root.path().join("proc")).unwrap();
        fs::remove_dir_all(root.path().join("sys")).unwrap();
        assert_eq!(out_of_reach_by(root.path(), &gpus, &|_| FileAccess::Withheld), []);
    }

    #[test]
    fn access_is_what_the_kernel_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert_eq!(FileAccess::to(&file), FileAccess::Missing);
        fs::write(&file, "").unwrap();
        assert_eq!(FileAccess::to(&file), FileAccess::Open);
        assert_eq!(FileAccess::to(&file.join("below")), FileAccess::Closed);
    }

    #[test]
    fn device_files_are_those_of_a_gpu() {
        let root = tempfile::tempdir().unwrap();
        let nvidia = root.path().join("proc/driver/nvidia/gpus/0000:65:00.0");
        fs::create_dir_all(&nvidia).unwrap();
        fs::write(nvidia.join("information"), "Model: \t NVIDIA H200\nDevice Minor: \t 3\n").unwrap();
        let drm = root.path().join("sys/class/drm/renderD129");
        fs::create_dir_all(&drm).unwrap();
        symlink("../../../0000:c1:00.0", drm.join("device")).unwrap();
        for (file, expected) in [
            ("/dev/nvidia3", Some("0000:65:00.0")),
            ("/dev/nvidia4", None),
            ("/dev/nvidiactl", None),
            ("/dev/dri/renderD129", Some("0000:c1:00.0")),
            ("/dev/dri/card0", None),
            ("/home/nvidia3", None),
        ] {
            assert_eq!(gpu_of_file(root.path(), Path::new(file)), expected.map(|id| id.parse().unwrap()), "{file}");
        }
    }
}
