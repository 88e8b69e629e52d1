//! What the memory limits of control groups leave: that of this process's own group, which a batch system or a container sets
//! for the job, and those of all groups around it. Knows both versions of the hierarchy (kernel documentation, cgroup-v1/memory
//! and cgroup-v2), and nothing of what the memory is for.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The names that a version of the hierarchy has for its files and for what can be given back of the memory in use.
struct Version {
    /// Of the file system, in `/proc/self/mountinfo`.
    file_system: &'static str,
    limit: &'static str,
    usage: &'static str,
    /// Pages of files: the kernel drops them before it refuses anybody memory.
    caches: [&'static str; 2],
}

const V1: Version = Version {
    file_system: "cgroup",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    caches: ["total_inactive_file", "total_active_file"],
};
const V2: Version = Version {
    file_system: "cgroup2",
    limit: "memory.max",
    usage: "memory.current",
    caches: ["inactive_file", "active_file"],
};

/// Bytes that the tightest limit leaves; `None` where there is none, as off Linux. `root` is `/`, but for tests.
pub(super) fn left_bytes(root: &Path) -> Option<u64> {
    let own = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let groups = own.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        let version = if controllers.is_empty() { V2 } else { V1 };
        let is_ours = controllers.is_empty() || controllers.split(',').any(|controller| controller == "memory");
        is_ours.then_some((version, group))
    });
    groups
        .flat_map(|(version, group)| {
            let folders = mounts.lines().filter_map(|line| folder(line, &version, group)).collect::<Vec<_>>();
            folders.into_iter().flat_map(move |(mount, folder)| levels(&mount, &folder)).filter_map({
                move |folder| left_in(&root.join(folder.strip_prefix("/").unwrap_or(&folder)), &version)
            })
        })
        .min()
}

/// Where a line of mountinfo shows the hierarchy: the mount, and in it the folder of `group`.
fn folder(line: &str, version: &Version, group: &str) -> Option<(PathBuf, PathBuf)> {
    let (mount, source) = line.split_once(" - ")?;
    let mut source = source.split(' ');
    let is_memory = source.next()? == version.file_system
        && (version.file_system == V2.file_system || source.next_back()?.split(',').any(|option| option == "memory"));
    if !is_memory {
        return None;
    }
    let mut fields = mount.split(' ').skip(3).map(unescaped);
    let (shown, mount) = (fields.next()?, fields.next()?);
    // In a container the group may be named as the host sees it, while the mount shows only what is below it.
    let below = Path::new(group).strip_prefix(&shown).unwrap_or(Path::new(""));
    let is_below = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let folder = if is_below { mount.join(below) } else { mount.clone() };
    Some((mount, folder))
}

/// A field of mountinfo, in which blanks and backslashes are octal numbers.
fn unescaped(field: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = field.as_bytes();
    while let [first, after @ ..] = rest {
        let number = after.get(..3).and_then(|digits| str::from_utf8(digits).ok());
        match number.filter(|_| *first == b'\\').and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => (bytes.push(byte), rest = &after[3..]),
            None => (bytes.push(*first), rest = after),
        };
    }
    PathBuf::from(OsStr::from_bytes(&bytes))
}

/// `folder` and the folders around it, up to `mount`.
fn levels(mount: &Path, folder: &Path) -> Vec<PathBuf> {
    folder.ancestors().take_while(|level| level.starts_with(mount)).map(Path::to_owned).collect()
}

/// What the limit of one group leaves; `None` where it has none.
fn left_in(folder: &Path, version: &Version) -> Option<u64> {
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let limit = number(version.limit)?;
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let in_caches: u64 = statistics
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| version.caches.contains(name))
        .filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok())
        .sum();
    let in_use = number(version.usage)?.saturating_sub(in_caches);
    Some(limit.saturating_sub(in_use))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system with these files.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const V2_MOUNT: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn the_limit_of_a_batch_systems_step_counts_and_those_around_it() {
        let job = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_7";
        let step = format!("{job}/step_0/user/task_0");
        let files = |step_limit: &'static str| {
            [
                ("proc/self/cgroup".to_owned(), "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n"),
                ("proc/self/mountinfo".to_owned(), V2_MOUNT),
                (format!("{job}/memory.max"), "1000000\n"),
                (format!("{job}/memory.current"), "400000\n"),
                (format!("{job}/memory.stat"), "anon 200000\nfile 150000\ninactive_file 100000\nactive_file 50000\n"),
                (format!("{step}/memory.max"), step_limit),
                (format!("{step}/memory.current"), "100000\n"),
            ]
        };
        for (limit, left) in [("max\n", 750_000), ("300000\n", 200_000), ("50000\n", 0)] {
            let files = files(limit);
            let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
            assert_eq!(left_bytes(system(&files).path()), Some(left), "{limit}");
        }
    }

    #[test]
    fn the_first_version_of_the_hierarchy_is_read_at_its_own_mount() {
        let root = system(&[
            ("proc/self/cgroup", "11:cpuset:/slurm/uid_0\n9:memory,hugetlb:/slurm/uid_0/job_1\n0::/\n"),
            (
                "proc/self/mountinfo",
                "31 30 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n\
                 32 30 0:28 / /sys/fs/cgroup/my\\040memory rw shared:9 - cgroup cgroup rw,memory,hugetlb\n",
            ),
            ("sys/fs/cgroup/my memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/my memory/memory.usage_in_bytes", "7\n"),
            ("sys/fs/cgroup/my memory/slurm/uid_0/job_1/memory.limit_in_bytes", "5000\n"),
            ("sys/fs/cgroup/my memory/slurm/uid_0/job_1/memory.usage_in_bytes", "2000\n"),
            ("sys/fs/cgroup/my memory/slurm/uid_0/job_1/memory.stat", "inactive_file 1\ntotal_inactive_file 500\n"),
        ]);
        assert_eq!(left_bytes(root.path()), Some(3500));
    }

    #[test]
    fn in_a_container_the_mount_shows_the_group_itself() {
        for group in ["0::/docker/abc\n", "0::/\n", "0::/../elsewhere\n"] {
            let root = system(&[
                ("proc/self/cgroup", group),
                ("proc/self/mountinfo", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
                ("sys/fs/cgroup/memory.max", "5000\n"),
                ("sys/fs/cgroup/memory.current", "1000\n"),
            ]);
            assert_eq!(left_bytes(root.path()), Some(4000), "{group}");
        }
    }

    #[test]
    fn where_nothing_is_told_nothing_is_known() {
        assert_eq!(left_bytes(system(&[]).path()), None);
        let root = system(&[("proc/self/cgroup", "0::/a\nnonsense\n"), ("proc/self/mountinfo", V2_MOUNT)]);
        assert_eq!(left_bytes(root.path()), None);
    }
}
