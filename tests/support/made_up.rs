//! A kernel and adapters that are made up, which builds with debug assertions read in place of the machine's own.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use super::Job;

/// The PCI bus id of the GPU.
pub const ID: &str = "0000:65:00.0";

/// A root whose kernel lists these functions, each with its class and vendor.
pub fn kernel(functions: &[(&str, &str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("sys/bus/pci/devices")).unwrap();
    for (id, class, vendor) in functions {
        let function = root.path().join("sys/bus/pci/devices").join(id);
        fs::create_dir(&function).unwrap();
        let files = [
            ("class", *class),
            ("vendor", vendor),
            ("device", "0x2335"),
            ("numa_node", "-1"),
            ("local_cpulist", "0-15"),
        ];
        files.iter().for_each(|(file, text)| fs::write(function.join(file), format!("{text}\n")).unwrap());
    }
    root
}

/// A process alone, with this root and these adapters of Vulkan, and an hwloc that looks for no devices.
pub fn job(folder: &Path, root: &Path, adapters: &str, words: &str) -> Job {
    on(Job::alone(folder, words), root, adapters)
}

/// `job` with this root, these adapters of Vulkan, and an hwloc that looks for no devices.
pub fn on(job: Job, root: &Path, adapters: &str) -> Job {
    job.env("HYBRID_TEST_ROOT", &root.display().to_string())
        .env("HYBRID_TEST_VULKAN", adapters)
        .env("HWLOC_COMPONENTS", "-linuxio,-pci")
}

/// The texts of a report's findings of that code.
pub fn findings(report: &Value, code: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    findings.map(|finding| format!("{} / {}", finding["message"], finding["mend"])).collect()
}
