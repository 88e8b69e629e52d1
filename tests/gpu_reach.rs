//! GPUs that a job was not given: the kernel lists them, and a device cgroup withholds their device files, as Slurm's
//! `ConstrainDevices` does. The cgroup and the device files are real, the GPUs are made up.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use support::{
    made_up::{self, findings},
    not_run,
};
use tempfile::TempDir;

/// GPUs of the node, in order of their bus ids; `/dev/nvidia0` is that of the second.
const IDS: [&str; 2] = ["0000:65:00.0", "0000:a5:00.0"];
const NUMBERS: [u32; 2] = [1, 0];

/// A root with two GPUs of NVIDIA and their device files. `None` for who may not make such files.
fn root() -> Option<TempDir> {
    let root = made_up::kernel(&IDS.map(|id| (id, "0x030200", "0x10de")));
    fs::create_dir(root.path().join("dev")).unwrap();
    for (id, number) in IDS.iter().zip(NUMBERS) {
        let driver = root.path().join("sys/bus/pci/devices").join(id).join("driver");
        symlink("../../drivers/nvidia", driver).unwrap();
        let folder = root.path().join("proc/driver/nvidia/gpus").join(id);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("information"), format!("Device Minor: \t {number}\n")).unwrap();
        let file = root.path().join(format!("dev/nvidia{number}"));
        let made =
            Command::new("mknod").args(["-m", "666"]).arg(&file).args(["c", "195", &number.to_string()]).output();
        if !made.is_ok_and(|made| made.status.success()) {
            return None;
        }
    }
    Some(root)
}

/// A device cgroup that withholds some files; it is gone when this goes.
struct Cgroup(PathBuf);

impl Cgroup {
    /// `None` where there is none of version 1, or where this user may make none.
    fn without(numbers: &[u32], name: &str) -> Option<Self> {
        let folder = Path::new("/sys/fs/cgroup/devices").join(format!("hybrid-{name}-{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        let cgroup = Self(folder);
        for number in numbers {
            fs::write(cgroup.0.join("devices.deny"), format!("c 195:{number} rwm")).ok()?;
        }
        Some(cgroup)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Its last process may still be on its way out.
        support::wait_until("the cgroup is empty", || fs::remove_dir(&self.0).is_ok());
    }
}

/// What a process alone in such a cgroup is told; its exit code, report or messages.
fn told(withheld: &[u32], name: &str, variables: &[(&str, &str)], words: &str) -> Option<support::Finished> {
    let (root, work) = (root()?, tempfile::tempdir().unwrap());
    let cgroup = Cgroup::without(withheld, name)?;
    let enter = format!("echo $$ >{}/cgroup.procs && exec \"$@\"", cgroup.0.display());
    let program = ["-c", &enter, "sh", env!("CARGO_BIN_EXE_hybrid")];
    let words = program.into_iter().chain(words.split(' '));
    let mut command = Command::new("sh");
    command.args(words);
    let job = made_up::on(support::Job::of(command, work.path()), root.path(), IDS[1]).envs(variables);
    Some(job.run())
}

const NOT_HERE: &str = "device cgroups: that takes root and cgroups of version 1";

#[test]
fn a_rank_gets_the_gpu_that_its_cgroup_leaves_whatever_number_it_has() {
    // CUDA counts what it can open: the second GPU is its number 0.
    for (name, variables) in [("bare", &[][..]), ("cuda", &[("CUDA_VISIBLE_DEVICES", "0")])] {
        let Some(job) = told(&[1], name, variables, "where --format json") else { return not_run(NOT_HERE) };
        let report = job.succeeded().json();
        assert_eq!(report["ranks"][0]["gpu"]["pci_bus_id"], IDS[1], "{report:#}");
        let masks = findings(&report, "gpu-mask");
        assert!(masks.len() == 1 && masks[0].contains("the device cgroup (/dev/nvidia1)"), "{masks:?}");
        assert!(masks[0].contains("1 of 2 are left"), "{masks:?}");
        assert_eq!(findings(&report, "gpu-without-vulkan"), [""; 0], "another job's GPU needs no mending");
    }
}

#[test]
fn a_job_without_a_gpu_on_a_node_with_gpus_is_told_to_ask_for_one() {
    let Some(job) = told(&[0, 1], "none", &[], "where --format json") else { return not_run(NOT_HERE) };
    let report = job.succeeded().json();
    assert!(report["ranks"][0]["gpu"].is_null(), "{report:#}");
    let masks = findings(&report, "gpu-mask");
    let parts = ["the device cgroup (/dev/nvidia1, /dev/nvidia0)", "0 of 2", "--gpus-per-node=1"];
    assert!(parts.iter().all(|part| masks[0].contains(part)), "{masks:?}");
    let software = told(&[0, 1], "soft", &[("HYBRID_TEST_VULKAN", "")], "where --format json").unwrap().succeeded();
    let found = findings(&software.json(), "software-only");
    assert!(found.iter().all(|text| !text.contains("install")), "no driver is missing: {found:?}");

    let failed = told(&[0, 1], "gpu", &[], "pi --darts 1000 --device gpu").unwrap();
    assert_eq!((failed.code, failed.error_lines().len()), (Some(1), 1), "{failed:?}");
    assert!(failed.stderr.contains("the device cgroup") && failed.stderr.contains("--gpus-per-node"), "{failed:?}");
}

#[test]
fn a_rankfile_for_the_nodes_of_a_job_gives_its_own_gpus_alone() {
    let Some(job) = told(&[1], "plan", &[], "rankfile write") else { return not_run(NOT_HERE) };
    let file = job.succeeded().stdout;
    assert!(file.contains(&format!("gpu={}", IDS[1])) && !file.contains(IDS[0]), "{file}");
}

#[test]
fn where_nothing_is_withheld_nothing_is_said() {
    let Some(job) = told(&[], "open", &[], "where --format json") else { return not_run(NOT_HERE) };
    assert_eq!(findings(&job.succeeded().json(), "gpu-mask"), [""; 0]);
}
