//! What Linux knows of a PCI device and hwloc does not pass on: its driver, whose virtual function it is, what is near
//! to it, the names that the driver gives it.
//!
//! Only for the running machine. Each fact may be missing, as off Linux or in a container without `/sys`; then nothing is
//! known, which is no error.

use std::{fs, path::Path};

use super::{PciBusId, nearness::KernelSays};
use crate::visible::visible;

/// Facts on one PCI function.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Name of the kernel driver that holds the device.
    pub(super) driver: Option<String>,
    /// The physical function behind a virtual one.
    pub(super) physical_function: Option<PciBusId>,
    /// What is near to it; no NUMA node also where the firmware does not tell (the kernel's -1).
    pub(super) place: KernelSays,
    /// The product's name, by NVIDIA's driver.
    pub(super) model: Option<String>,
    /// `GPU-...`, as `CUDA_VISIBLE_DEVICES` and `ROCR_VISIBLE_DEVICES` have it.
    pub(super) uuid: Option<String>,
    /// Instances that NVIDIA's driver has made of the GPU (MIG); 0 where it is whole.
    pub(super) mig_instances: usize,
}

/// Reads what the file systems below `root` (`/`, but for tests) have on the function `id`.
pub(super) fn facts(root: &Path, id: PciBusId) -> Facts {
    let device = root.join(format!("sys/bus/pci/devices/{id}"));
    let target = |link: &str| {
        let target = fs::read_link(device.join(link)).ok()?;
        Some(target.file_name()?.to_str()?.to_owned())
    };
    let line = |file: &str| Some(fs::read_to_string(device.join(file)).ok()?.trim().to_owned());
    let nvidia = fs::read_to_string(root.join(format!("proc/driver/nvidia/gpus/{id}/information"))).unwrap_or_default();
    Facts {
        driver: target("driver"),
        physical_function: target("physfn").and_then(|id| id.parse().ok()),
        place: KernelSays {
            numa: line("numa_node").and_then(|text| text.parse().ok()),
            pus: line("local_cpulist").and_then(|text| text.parse().ok()).unwrap_or_default(),
        },
        model: value(&nvidia, "Model:").map(|model| visible(model).into_owned()),
        uuid: nvidia_uuid(&nvidia).or_else(|| line("unique_id").map(|unique| format!("GPU-{unique}"))),
        mig_instances: mig_instances(root, &nvidia),
    }
}

/// The version of a kernel driver on the running machine; `None` of one that is a part of the kernel.
#[must_use]
pub fn driver_version(driver: &str) -> Option<String> {
    module_version(Path::new("/"), driver)
}

fn module_version(root: &Path, driver: &str) -> Option<String> {
    let file = root.join(format!("sys/module/{}/version", driver.replace('-', "_")));
    let text = fs::read_to_string(file).ok()?;
    Some(visible(text.trim()).into_owned()).filter(|version| !version.is_empty())
}

/// NVIDIA's driver lists its GPUs in `/proc`, in lines `NAME: VALUE`; AMD's adds `unique_id` to the device.
fn nvidia_uuid(information: &str) -> Option<String> {
    let value = value(information, "GPU UUID:")?;
    value.starts_with("GPU-").then(|| value.to_owned())
}

/// A folder `gi3` for each GPU instance, in that of the GPU's device file.
fn mig_instances(root: &Path, information: &str) -> usize {
    let Some(minor) = value(information, "Device Minor:") else { return 0 };
    let instances = fs::read_dir(root.join(format!("proc/driver/nvidia/capabilities/gpu{minor}/mig")));
    let is_instance = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("gi");
    instances.map_or(0, |entries| entries.flatten().filter(is_instance).count())
}

pub(super) fn value<'a>(information: &'a str, name: &str) -> Option<&'a str> {
    Some(information.lines().find_map(|line| line.strip_prefix(name))?.trim())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_driver_beside_the_kernel_has_a_version() {
        let root = tempfile::tempdir().unwrap();
        for (module, text) in [("nvidia", "580.159.04\n"), ("nvidia_drm", "580\n"), ("empty", "\n")] {
            let folder = root.path().join("sys/module").join(module);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("version"), text).unwrap();
        }
        let versions = ["nvidia", "nvidia-drm", "empty", "amdgpu"].map(|driver| module_version(root.path(), driver));
        assert_eq!(versions, [Some("580.159.04".to_owned()), Some("580".to_owned()), None, None]);
    }

    #[test]
    fn facts_are_read_where_the_kernel_gives_them() {
        let root = tempfile::tempdir().unwrap();
        let function = root.path().join("sys/bus/pci/devices/0000:0a:02.0");
        fs::create_dir_all(&function).unwrap();
        symlink("../../../bus/pci/drivers/amdgpu", function.join("driver")).unwrap();
        symlink("../0000:0a:00.0", function.join("physfn")).unwrap();
        fs::write(function.join("numa_node"), "1\n").unwrap();
        fs::write(function.join("local_cpulist"), "8-15\n").unwrap();
        fs::write(function.join("unique_id"), "18dc2e2d4f1a4d3b\n").unwrap();
        let id = "0a:02.0".parse().unwrap();
        let expected = Facts {
            driver: Some("amdgpu".into()),
            physical_function: Some("0a:00.0".parse().unwrap()),
            place: KernelSays { numa: Some(1), pus: "8-15".parse().unwrap() },
            model: None,
            uuid: Some("GPU-18dc2e2d4f1a4d3b".into()),
            mig_instances: 0,
        };
        assert_eq!(facts(root.path(), id), expected);

        fs::write(function.join("numa_node"), "-1\n").unwrap();
        assert_eq!(facts(root.path(), id).place.numa, None);
    }

    #[test]
    fn nvidias_unique_name_stands_in_proc() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("proc/driver/nvidia/gpus/0000:65:00.0");
        fs::create_dir_all(&folder).unwrap();
        let uuid_of = |line: &str| {
            let text = format!("Model: \t NVIDIA H100\nIRQ:   \t 64\n{line}\nBus Location: \t 0000:65:00.0\n");
            fs::write(folder.join("information"), text).unwrap();
            let facts = facts(root.path(), "65:00.0".parse().unwrap());
            assert_eq!(facts.model.as_deref(), Some("NVIDIA H100"));
            facts.uuid
        };
        assert_eq!(uuid_of("GPU UUID: \t GPU-5a5a0c8e").as_deref(), Some("GPU-5a5a0c8e"));
        assert_eq!(uuid_of("GPU UUID: \t ????"), None, "the driver has not started the GPU yet");
    }

    #[test]
    fn instances_of_a_gpu_in_mig_mode_are_counted_and_a_whole_gpu_has_none() {
        let root = tempfile::tempdir().unwrap();
        let nvidia = root.path().join("proc/driver/nvidia");
        fs::create_dir_all(nvidia.join("gpus/0000:65:00.0")).unwrap();
        fs::write(nvidia.join("gpus/0000:65:00.0/information"), "Device Minor: \t 1\n").unwrap();
        let count = || facts(root.path(), "65:00.0".parse().unwrap()).mig_instances;
        assert_eq!(count(), 0);
        for folder in ["gpu0/mig/gi1/ci0", "gpu1/mig/gi1/ci0", "gpu1/mig/gi2/ci0"] {
            fs::create_dir_all(nvidia.join("capabilities").join(folder)).unwrap();
        }
        fs::write(nvidia.join("capabilities/gpu1/mig/config"), "").unwrap();
        assert_eq!(count(), 2);
    }

    #[test]
    fn a_device_that_the_kernel_does_not_list_has_no_facts() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(facts(root.path(), "0a:02.0".parse().unwrap()), Facts::default());
    }
}
