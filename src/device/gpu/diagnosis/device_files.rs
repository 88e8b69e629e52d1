//! The device files through which Vulkan's drivers reach a GPU, and whether this user may use them. None is opened: that may
//! start a GPU.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::system::System;
use crate::{
    placement::DeviceFile,
    topology::{FileAccess, gpu_of_file},
};

impl System<'_> {
    /// Those of NVIDIA's driver and the render nodes of all others.
    pub(super) fn device_files(&self) -> Vec<DeviceFile> {
        let of_nvidia = |name: &String| {
            let rest = name.strip_prefix("nvidia");
            rest.is_some_and(|rest| rest == "ctl" || (!rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())))
        };
        let nvidia = self.names("/dev").into_iter().filter(of_nvidia).map(|name| format!("/dev/{name}"));
        let render = self.names("/dev/dri").into_iter().filter(|name| name.starts_with("renderD"));
        let render = render.map(|name| format!("/dev/dri/{name}"));
        nvidia.chain(render).filter_map(|path| self.device_file(path)).collect()
    }

    fn device_file(&self, path: String) -> Option<DeviceFile> {
        let file = self.at(&path);
        let facts = fs::metadata(&file).ok()?;
        let access = (self.access)(&file);
        Some(DeviceFile {
            gpu: gpu_of_file(self.root, Path::new(&path)),
            usable: access == FileAccess::Open,
            withheld: access == FileAccess::Withheld,
            mode: facts.mode() & 0o7777,
            group: facts.gid(),
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::made_up::Made, *};

    #[test]
    fn files_of_gpus_are_found_with_what_this_user_may_do() {
        let mut made = Made::with(&[
            ("dev/nvidia0", ""),
            ("dev/nvidiactl", ""),
            ("dev/nvidia-uvm", ""),
            ("dev/dri/card0", ""),
            ("dev/dri/renderD128", ""),
        ]);
        made.forbidden.push(("dev/nvidia0", FileAccess::Closed));
        made.forbidden.push(("dev/dri/renderD128", FileAccess::Withheld));
        let files = made.system(|system| system.device_files());
        let words: Vec<String> =
            files.iter().map(|file| format!("{} {} {}", file.path, file.usable, file.withheld)).collect();
        assert_eq!(words, ["/dev/nvidia0 false false", "/dev/nvidiactl true false", "/dev/dri/renderD128 false true"]);
    }
}
