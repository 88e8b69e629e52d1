//! What Vulkan is made of on this node: its loader, the files that name drivers, the libraries behind them, what a user may use,
//! and the adapters that come of it all. Facts alone, each of which was seen; what they mean for a GPU is judged in
//! [`crate::placement`].
//!
//! Files are read and nothing is loaded, but by the list of adapters, which is Vulkan's own. All else is a function of a root and
//! an environment.
//!
//! | file | what it is for |
//! |---|---|
//! | `system` | the root and the environment |
//! | `icd_files` | which drivers the loader reads |
//! | `loading`, `shared_library` | whether a library could be loaded, by what it says of itself |
//! | `nvidia` | the parts of NVIDIA's driver |
//! | `read` | what was read already |
//! | `device_files` | what this user may open |

mod device_files;
mod icd_files;
mod loading;
#[cfg(test)]
mod made_up;
mod nvidia;
mod read;
mod shared_library;
mod system;

use std::{env, path::Path};

use self::system::System;
use super::adapter::{self, AdapterFacts, Class};
use crate::{
    placement::{VulkanAdapter, VulkanFacts},
    topology::FileAccess,
};

const LOADER: &str = "libvulkan.so.1";

/// Looks for Vulkan on this node, and lists its adapters. Files are looked for below `root`, `/` but for tests. Costs a few tens of
/// milliseconds, most of it for the list.
#[must_use]
pub fn vulkan_facts(root: &Path) -> VulkanFacts {
    let variable = |name: &str| env::var(name).ok();
    let system = System::new(root, &variable, &FileAccess::to);
    VulkanFacts { adapters: adapter::list().into_iter().map(plain).collect(), ..facts(&system) }
}

/// All but the adapters.
fn facts(system: &System<'_>) -> VulkanFacts {
    let loader = system.library(LOADER, &[]);
    let (icd_files, unread_icd_files) = system.icd_files();
    VulkanFacts {
        loader: loader.is_some(),
        loader_fault: loader.and_then(|loader| system.fault(&loader)),
        icd_files,
        unread_icd_files,
        restricted_by: system.restriction(),
        nvidia: system.nvidia(),
        device_files: system.device_files(),
        adapters: Vec::new(),
    }
}

fn plain(facts: AdapterFacts) -> VulkanAdapter {
    VulkanAdapter {
        driver: format!("{} {}", facts.driver, facts.driver_info).trim().to_owned(),
        vendor_id: facts.vendor_id,
        device_id: facts.device_id,
        pci_bus_id: facts.pci_bus_id.and_then(|id| id.parse().ok()),
        is_software: facts.class == Class::Software,
        name: facts.name,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        made_up::{Made, library},
        *,
    };
    use crate::{
        placement::why_unlisted,
        topology::{Gpu, Witness},
    };

    const ICD_GLX: &str = r#"{"ICD": {"library_path": "libGLX_nvidia.so.0"}}"#;
    const ICD: &str = "usr/share/vulkan/icd.d/nvidia_icd.json";
    const GLX: &str = "usr/lib/libGLX_nvidia.so.0";
    const EGL: &str = "usr/lib/libEGL_nvidia.so.0";

    fn gpu(vendor_id: u16, driver: Option<&str>) -> Gpu {
        Gpu {
            driver: driver.map(str::to_owned),
            seen_by: [Witness::Kernel].into(),
            ..Gpu::named("65:00.0".parse().unwrap(), vendor_id, 0x2335, "a GPU".to_owned())
        }
    }

    /// A node on which NVIDIA's driver is all there.
    fn whole() -> Made {
        let made = Made::with(&[
            (ICD, ICD_GLX),
            ("dev/nvidia0", ""),
            ("dev/nvidiactl", ""),
            ("usr/lib/libcuda.so.1", ""),
            ("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  Tue\n"),
        ]);
        let at = |name: &str| made.path(name);
        library(&at("usr/lib/libvulkan.so.1"), &[], None);
        library(&at("usr/lib/libc.so.6"), &[], Some("GLIBC_2.38"));
        library(&at("usr/lib/libX11.so.6"), &[], None);
        library(&at(GLX), &[&at("usr/lib/libX11.so.6"), &at("usr/lib/libc.so.6")], None);
        library(&at(EGL), &[&at("usr/lib/libc.so.6")], None);
        made
    }

    /// What is said of a GPU of NVIDIA.
    fn said(made: &Made) -> String {
        said_of(made, &gpu(0x10de, Some("nvidia")))
    }

    fn said_of(made: &Made, gpu: &Gpu) -> String {
        let cause = why_unlisted(gpu, &made.system(facts));
        format!("{} / {}", cause.what, cause.hint)
    }

    fn without(files: &[&str]) -> Made {
        let made = whole();
        files.iter().for_each(|file| std::fs::remove_file(made.path(file)).unwrap());
        made
    }

    fn with_variable(name: &'static str, value: &str) -> Made {
        let mut made = whole();
        made.variables.push((name, value.to_owned()));
        made
    }

    #[track_caller]
    fn expect(said: &str, parts: &[&str]) {
        assert!(parts.iter().all(|part| said.contains(part)), "{said}\nlacks one of {parts:?}");
    }

    #[test]
    fn where_nothing_is_wrong_the_cause_is_not_known_and_what_was_looked_at_is_told() {
        let parts = ["why is not known", "libGLX_nvidia.so.0 in /usr/share/vulkan", "/dev/nvidia0", "VK_LOADER_DEBUG"];
        expect(&said(&whole()), &parts);
    }

    #[test]
    fn a_missing_or_broken_loader_is_named() {
        expect(&said(&without(&["usr/lib/libvulkan.so.1"])), &["libvulkan.so.1 is not installed", "libvulkan1"]);
        let made = whole();
        made.write("usr/lib/libvulkan.so.1", "<html>");
        expect(&said(&made), &["the Vulkan loader cannot be loaded", "no library for this machine"]);
    }

    #[test]
    fn missing_icd_files_are_named_and_one_is_written_where_the_library_is_there() {
        let made = without(&[ICD]);
        expect(
            &said(&made),
            &["libEGL_nvidia.so.0 is there, and no ICD file names it", "there is no ICD file", "echo"],
        );
        let made = without(&[ICD, GLX, EGL, "usr/lib/libcuda.so.1"]);
        expect(&said(&made), &["no ICD file names a driver of NVIDIA", "nvidia-vulkan-icd"]);
        let made = whole();
        made.write(ICD, "{");
        expect(&said(&made), &["the loader cannot use /usr/share/vulkan/icd.d/nvidia_icd.json: it is no JSON"]);
    }

    #[test]
    fn a_library_that_is_missing_or_is_for_another_system_is_named() {
        let made = without(&[GLX, EGL, "usr/lib/libcuda.so.1"]);
        expect(&said(&made), &["names libGLX_nvidia.so.0, which is not there", "nvidia-vulkan-icd"]);
        let made = whole();
        library(&made.path("usr/lib/libc.so.6"), &[], Some("GLIBC_2.36"));
        let parts = ["cannot be loaded", "needs GLIBC_2.38 of /usr/lib/libc.so.6, whose newest is GLIBC_2.36"];
        expect(&said(&made), &parts);
        let made = whole();
        made.write(GLX, "for another machine");
        expect(&said(&made), &["/usr/lib/libGLX_nvidia.so.0: it is no library for this machine"]);
        expect(&said(&without(&["usr/lib/libc.so.6"])), &["needs libc.so.6, which is not there", "apt-file search"]);
    }

    #[test]
    fn where_x_is_missing_the_library_that_needs_none_is_the_cure() {
        let made = without(&["usr/lib/libX11.so.6"]);
        let parts =
            ["needs libX11.so.6, which is not there", "name libEGL_nvidia.so.0 in an ICD file", "VK_DRIVER_FILES="];
        expect(&said(&made), &parts);
        std::fs::remove_file(made.path(EGL)).unwrap();
        let said = said(&made);
        expect(&said, &["needs libX11.so.6", "install libX11.so.6"]);
        assert!(!said.contains("EGL"), "{said}");
    }

    #[test]
    fn a_container_without_graphics_is_named() {
        for icd in [&[ICD][..], &[]] {
            let mut made = without(&[icd, &[GLX, EGL]].concat());
            expect(&said(&made), &["without graphics", "libcuda.so.1 is there", "NVIDIA_DRIVER_CAPABILITIES=all"]);
            made.variables.push(("NVIDIA_DRIVER_CAPABILITIES", "compute,utility".to_owned()));
            expect(&said(&made), &["NVIDIA_DRIVER_CAPABILITIES=compute,utility", "with graphics in the list"]);
            made.variables[0].1 = "compute,graphics".to_owned();
            assert!(!said(&made).contains("compute,graphics"), "it was asked for: {}", said(&made));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_module_and_libraries_of_different_versions_are_named() {
        let made = without(&[GLX]);
        library(&made.path("usr/lib/libGLX_nvidia.so.570.86.15"), &[&made.path("usr/lib/libX11.so.6")], None);
        std::os::unix::fs::symlink("libGLX_nvidia.so.570.86.15", made.path(GLX)).unwrap();
        expect(
            &said(&made),
            &["kernel module is of version 580.159.04 and its libraries are of 570.86.15", "start the node"],
        );
        std::fs::remove_file(made.path("proc/driver/nvidia/version")).unwrap();
        expect(&said(&made), &["why is not known"]);
    }

    #[test]
    fn device_files_that_are_missing_or_closed_are_named() {
        let mut made = whole();
        made.forbidden.push(("dev/nvidiactl", FileAccess::Closed));
        expect(&said(&made), &["this user may not read and write /dev/nvidiactl (mode ", "usermod"]);
        expect(&said(&without(&["dev/nvidia0", "dev/nvidiactl"])), &["no device file /dev/nvidia*", "--gpus all"]);
        let amd = gpu(0x1002, Some("amdgpu"));
        expect(&said_of(&made, &amd), &["no device file /dev/dri/renderD*", "--device /dev/dri"]);
        made.write("dev/dri/renderD128", "");
        expect(&said_of(&made, &amd), &["no ICD file names a driver of AMD", "mesa-vulkan-drivers"]);
        made.forbidden.push(("dev/dri/renderD128", FileAccess::Closed));
        expect(&said_of(&made, &amd), &["/dev/dri/renderD128"]);
    }

    #[test]
    fn device_files_that_a_cgroup_withholds_are_no_business_of_groups() {
        let mut made = whole();
        made.forbidden.push(("dev/nvidia0", FileAccess::Withheld));
        let withheld = said(&made);
        expect(&withheld, &["the device cgroup", "withholds /dev/nvidia0", "--gpus-per-node"]);
        assert!(!withheld.contains("usermod"), "{withheld}");
    }

    #[test]
    fn the_device_file_of_another_gpu_is_no_cause() {
        let mut made = whole();
        for (id, number) in [("0000:65:00.0", 0), ("0000:66:00.0", 1)] {
            let information = format!("proc/driver/nvidia/gpus/{id}/information");
            made.write(&information, &format!("Device Minor: \t {number}\n"));
        }
        made.write("dev/nvidia1", "");
        made.forbidden.push(("dev/nvidia1", FileAccess::Closed));
        expect(&said(&made), &["why is not known"]);
        made.forbidden.push(("dev/nvidia0", FileAccess::Closed));
        let closed = said(&made);
        expect(&closed, &["may not read and write /dev/nvidia0"]);
        assert!(!closed.contains("/dev/nvidia1"), "{closed}");
    }

    #[test]
    fn settings_that_keep_the_driver_away_are_named() {
        for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
            let parts = [
                &format!("{name}=/gone.json names what the loader cannot use"),
                "No such file",
                &format!("unset {name}"),
            ];
            expect(&said(&with_variable(name, "/gone.json")), &parts.map(|part: &str| part));
        }
        let made = with_variable("VK_DRIVER_FILES", "/lvp.json");
        made.write("lvp.json", r#"{"ICD": {"library_path": "libvulkan_lvp.so"}}"#);
        expect(&said(&made), &["VK_DRIVER_FILES=/lvp.json names no driver of NVIDIA", "unset VK_DRIVER_FILES"]);
        let made = with_variable("VK_LOADER_DRIVERS_DISABLE", "*nvidia*");
        expect(
            &said(&made),
            &["VK_LOADER_DRIVERS_DISABLE=*nvidia* keeps the loader from /usr", "unset VK_LOADER_DRIVERS_DISABLE"],
        );
    }

    #[test]
    fn a_driver_of_the_kernel_that_is_missing_or_another_is_named() {
        let made = whole();
        expect(&said_of(&made, &gpu(0x10de, None)), &["no kernel driver holds it", "dmesg"]);
        let nouveau = gpu(0x10de, Some("nouveau"));
        expect(&said_of(&made, &nouveau), &["nouveau holds it in the place of NVIDIA's", "nvidia-driver"]);
        made.write("usr/share/vulkan/icd.d/nouveau_icd.json", r#"{"ICD": {"library_path": "libvulkan_nouveau.so"}}"#);
        made.write("dev/dri/renderD128", "");
        assert!(!said_of(&made, &nouveau).contains("in the place of"), "it has a Vulkan driver");
        // What only a hidden kernel could tell is not told.
        let mut unknown = gpu(0x10de, None);
        unknown.seen_by = [Witness::Hwloc].into();
        expect(&said_of(&made, &unknown), &["why is not known"]);
    }
}
