//! Why Vulkan does not list a GPU, as users come to read it: in `hybrid where` and in the error of a job that was to use the GPU.
//! The system is made up, as builds with debug assertions allow; each cause by itself has its test beside the code.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{fs, os::unix::fs::symlink, path::Path};

use support::{
    Job,
    made_up::{self, ID},
};
use tempfile::TempDir;

/// A root with a GPU that NVIDIA's kernel driver holds, its device file, and what Vulkan's loader is.
fn root() -> TempDir {
    let root = made_up::kernel(&[(ID, "0x030200", "0x10de")]);
    let write = |path: &str, text: &str| {
        let file = root.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let driver = root.path().join("sys/bus/pci/devices").join(ID).join("driver");
    symlink("../../drivers/nvidia", driver).unwrap();
    ["dev/nvidia0", "dev/nvidiactl", "usr/lib/libcuda.so.1"].iter().for_each(|file| write(file, ""));
    // Any library will do for what is only looked at.
    fs::copy("/proc/self/exe", root.path().join("usr/lib/libvulkan.so.1")).unwrap();
    root
}

fn job(folder: &Path, root: &Path, words: &str) -> Job {
    made_up::job(folder, root, "", words)
        .env("LD_LIBRARY_PATH", "")
        .env("NVIDIA_DRIVER_CAPABILITIES", "compute,utility")
}

/// What the root lacks of what the file in the place of the loader needs.
fn complete(root: &Path) {
    for name in ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"] {
        let folders = ["/lib", "/lib64", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];
        if let Some(found) = folders.iter().map(|folder| Path::new(folder).join(name)).find(|file| file.exists()) {
            fs::copy(found, root.join("usr/lib").join(name)).unwrap();
        }
    }
}

#[test]
fn the_cause_is_in_the_finding_in_the_error_and_in_the_note() {
    let (root, work) = (root(), tempfile::tempdir().unwrap());
    complete(root.path());
    let cause = "the container has NVIDIA's libraries without graphics: NVIDIA_DRIVER_CAPABILITIES=compute,utility";
    let cure = "start the container with NVIDIA_DRIVER_CAPABILITIES=all";
    let table = job(work.path(), root.path(), "where").run().succeeded().stdout;
    let finding = "warning[gpu-without-vulkan]";
    assert!([finding, cause, cure].iter().all(|text| table.contains(text)), "{table}");

    let failed = job(work.path(), root.path(), "julia --size 64x48 --device gpu").run();
    assert_eq!((failed.code, failed.error_lines().len()), (Some(1), 1), "{failed:?}");
    assert!([cause, cure].iter().all(|text| failed.stderr.contains(text)), "{failed:?}");

    let notes = job(work.path(), root.path(), "julia --size 64x48").run().succeeded().stdout;
    assert!(notes.contains("computes on its cores") && notes.contains(cause), "{notes}");
}

#[test]
fn a_setting_that_hides_the_software_adapter_is_named_and_nothing_to_install() {
    let work = tempfile::tempdir().unwrap();
    for (words, code) in
        [("julia --size 64x48 --device gpu --software-gpu", 1), ("where --device gpu --software-gpu", 0)]
    {
        let job = Job::alone(work.path(), words).env("VK_DRIVER_FILES", "/gone.json").run();
        let told = format!("{}{}", job.stdout, job.stderr);
        assert_eq!(job.code, Some(code), "{told}");
        assert!(told.contains("VK_DRIVER_FILES=/gone.json is set") && told.contains("unset VK_DRIVER_FILES"), "{told}");
        assert!(!told.contains("apt install"), "{told}");
    }
}
