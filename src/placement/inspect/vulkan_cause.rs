//! Why Vulkan does not list a GPU: the first link that is missing on the way from the kernel to Vulkan. A cause is named where its
//! evidence was seen, and else that it is not known, with what was looked at.

use super::{
    ASK_FOR_GPUS, unset,
    vulkan_facts::{DeviceFile, IcdFile, LibraryFault, NvidiaFacts, VulkanFacts},
};
use crate::topology::{Gpu, Witness};

const NVIDIA: u16 = 0x10de;
const EGL: &str = "libEGL_nvidia.so.0";
/// Beginnings of the names of X's libraries.
const X: [&str; 3] = ["libX", "libxcb", "libxshmfence"];

/// Why something is missing, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// What is so, as the rest of a sentence.
    pub what: String,
    /// The command or the deed that helps.
    pub hint: String,
}

impl Cause {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// What is known of a vendor's Vulkan driver.
struct Vendor {
    id: u16,
    name: &'static str,
    /// Parts of the names of its Vulkan libraries and of the files that name them.
    libraries: &'static [&'static str],
    install: &'static str,
}

const VENDORS: [Vendor; 3] = [
    Vendor {
        id: NVIDIA,
        name: "NVIDIA",
        libraries: &["nvidia", "nouveau"],
        install: "install the Vulkan part of NVIDIA's driver (Debian: nvidia-vulkan-icd)",
    },
    Vendor {
        id: 0x1002,
        name: "AMD",
        libraries: &["radeon", "amdvlk", "amd_icd"],
        install: "install AMD's Vulkan driver (Debian: mesa-vulkan-drivers)",
    },
    Vendor {
        id: 0x8086,
        name: "Intel",
        libraries: &["intel"],
        install: "install Intel's Vulkan driver (Debian: mesa-vulkan-drivers)",
    },
];

const UNKNOWN_VENDOR: Vendor =
    Vendor { id: 0, name: "its vendor", libraries: &[""], install: "install the vendor's Vulkan driver" };

impl Vendor {
    fn of(gpu: &Gpu) -> &'static Self {
        VENDORS.iter().find(|vendor| vendor.id == gpu.vendor_id).unwrap_or(&UNKNOWN_VENDOR)
    }

    fn has(&self, name: &str) -> bool {
        self.libraries.iter().any(|part| name.contains(part))
    }
}

/// Why Vulkan does not list `gpu`.
#[must_use]
pub fn why_unlisted(gpu: &Gpu, vulkan: &VulkanFacts) -> Cause {
    let vendor = Vendor::of(gpu);
    let its: Vec<&IcdFile> = vulkan.icd_files.iter().filter(|icd| vendor.has(&icd.library)).collect();
    kernel(gpu, vendor, &its)
        .or_else(|| device_files(gpu, vendor, &vulkan.device_files))
        .or_else(|| loader(vulkan))
        .or_else(|| icd_file(gpu, vendor, &its, vulkan))
        .or_else(|| library(vendor, &its, &vulkan.nvidia))
        .or_else(|| versions(gpu, &vulkan.nvidia))
        .unwrap_or_else(|| unknown(&its, vulkan))
}

/// Why Vulkan lists no software adapter.
#[must_use]
pub fn why_no_software(vulkan: &VulkanFacts) -> Cause {
    const INSTALL: &str = "install one: apt install mesa-vulkan-drivers";
    let setting = vulkan.restricted_by.as_ref().or(vulkan.icd_files.iter().find_map(|icd| icd.disabled_by.as_ref()));
    let faulty = vulkan.icd_files.iter().find_map(|icd| Some((icd, icd.fault.as_ref()?)));
    match (loader(vulkan), setting, faulty) {
        (Some(cause), ..) => cause,
        (_, Some(setting), _) => Cause::new(format!("{setting} is set"), unset(setting)),
        (_, _, Some((icd, fault))) => {
            Cause::new(format!("{} names {}: {}", icd.path, icd.library, in_words(fault)), INSTALL)
        }
        _ => Cause::new(format!("no Vulkan driver shows one; {}", files(&vulkan.icd_files)), INSTALL),
    }
}

/// What is wrong in the kernel.
fn kernel(gpu: &Gpu, vendor: &Vendor, its: &[&IcdFile]) -> Option<Cause> {
    let has_its_own = its.iter().any(|icd| icd.library.contains("nouveau"));
    match gpu.driver.as_deref() {
        // Only the kernel knows that.
        None if gpu.seen_by.contains(&Witness::Kernel) => Some(Cause::new(
            "no kernel driver holds it: the driver is not installed, or did not start",
            format!("install {}'s driver; `dmesg` tells why it did not start", vendor.name),
        )),
        Some("nouveau") if !has_its_own => Some(Cause::new(
            "the kernel driver nouveau holds it in the place of NVIDIA's, and no ICD file names a Vulkan driver for nouveau",
            "install NVIDIA's driver, which keeps nouveau away (Debian: nvidia-driver), and start the node anew",
        )),
        _ => None,
    }
}

/// Device files that are missing or may not be used.
fn device_files(gpu: &Gpu, vendor: &Vendor, files: &[DeviceFile]) -> Option<Cause> {
    let by_nvidia = gpu.driver.as_deref() == Some("nvidia");
    let (pattern, beginning) =
        if by_nvidia { ("/dev/nvidia*", "/dev/nvidia") } else { ("/dev/dri/renderD*", "/dev/dri/") };
    gpu.driver.as_ref()?;
    let is_its =
        |file: &&DeviceFile| file.path.starts_with(beginning) && file.gpu.is_none_or(|owner| owner == gpu.pci_bus_id);
    let its: Vec<&DeviceFile> = files.iter().filter(is_its).collect();
    if its.is_empty() {
        let container = if by_nvidia { "`--gpus all`" } else { "`--device /dev/dri`" };
        return Some(Cause::new(
            format!("the kernel driver holds it, and there is no device file {pattern}"),
            format!(
                "give a container its devices, as by {container}; elsewhere `dmesg` tells what {}'s driver lacks",
                vendor.name
            ),
        ));
    }
    let withheld: Vec<&str> = its.iter().filter(|file| file.withheld).map(|file| file.path.as_str()).collect();
    if !withheld.is_empty() {
        let what = format!("the device cgroup that this process is in withholds {}", withheld.join(", "));
        return Some(Cause::new(what, ASK_FOR_GPUS));
    }
    let closed: Vec<String> = its
        .iter()
        .filter(|file| !file.usable)
        .map(|file| format!("{} (mode {:03o}, group {})", file.path, file.mode, file.group))
        .collect();
    (!closed.is_empty()).then(|| {
        Cause::new(
            format!("this user may not read and write {}", closed.join(", ")),
            "let the user be of the files' group (`sudo usermod -aG GROUP USER`, often render or video), and log in anew",
        )
    })
}

/// What is wrong with Vulkan's loader.
fn loader(vulkan: &VulkanFacts) -> Option<Cause> {
    const INSTALL: &str = "install the loader (Debian: libvulkan1)";
    if !vulkan.loader {
        return Some(Cause::new("the Vulkan loader libvulkan.so.1 is not installed", INSTALL));
    }
    let fault = vulkan.loader_fault.as_ref()?;
    Some(Cause::new(format!("the Vulkan loader cannot be loaded: {}", in_words(fault)), INSTALL))
}

/// Why the loader knows of no driver.
fn icd_file(gpu: &Gpu, vendor: &Vendor, its: &[&IcdFile], vulkan: &VulkanFacts) -> Option<Cause> {
    if let Some(disabled) = its.iter().find_map(|icd| icd.disabled_by.as_ref()) {
        let all = its.iter().all(|icd| icd.disabled_by.is_some());
        return all.then(|| Cause::new(format!("{disabled} keeps the loader from {}", its[0].path), unset(disabled)));
    }
    if !its.is_empty() {
        return None;
    }
    if let Some(setting) = &vulkan.restricted_by {
        let unread: Vec<String> =
            vulkan.unread_icd_files.iter().map(|file| format!("{}: {}", file.path, file.reason)).collect();
        let what = if unread.is_empty() {
            format!("{setting} names no driver of {}", vendor.name)
        } else {
            format!("{setting} names what the loader cannot use ({})", unread.join("; "))
        };
        return Some(Cause::new(what, unset(setting)));
    }
    let broken = vulkan.unread_icd_files.iter().find(|file| vendor.has(&file.path));
    if let Some(file) = broken.filter(|_| vendor.id != 0) {
        let hint = format!("{}, which writes the file anew", vendor.install);
        return Some(Cause::new(format!("the loader cannot use {}: {}", file.path, file.reason), hint));
    }
    let of_nvidia = (gpu.vendor_id == NVIDIA).then(|| without_graphics(&vulkan.nvidia)).flatten();
    of_nvidia
        .or_else(|| {
            let there = vulkan.nvidia.graphics_libraries.last().filter(|_| gpu.vendor_id == NVIDIA)?;
            Some(Cause::new(
                format!("{there} is there, and no ICD file names it; {}", files(&vulkan.icd_files)),
                name_it(there),
            ))
        })
        .or_else(|| {
            let what = format!("no ICD file names a driver of {}; {}", vendor.name, files(&vulkan.icd_files));
            Some(Cause::new(what, vendor.install))
        })
}

/// NVIDIA's libraries for computing alone: so comes a container that did not ask for graphics.
fn without_graphics(nvidia: &NvidiaFacts) -> Option<Cause> {
    let lacks = nvidia.compute_library && nvidia.graphics_libraries.is_empty();
    let what =
        "libcuda.so.1 is there, and neither libGLX_nvidia.so.0 nor libEGL_nvidia.so.0, which have NVIDIA's Vulkan";
    lacks.then(|| match &nvidia.capabilities {
        Some(asked) if !asked.split(',').any(|capability| ["all", "graphics"].contains(&capability.trim())) => {
            Cause::new(
                format!(
                    "the container has NVIDIA's libraries without graphics: NVIDIA_DRIVER_CAPABILITIES={asked}; {what}"
                ),
                "start the container with NVIDIA_DRIVER_CAPABILITIES=all, or with graphics in the list",
            )
        }
        _ => Cause::new(
            format!("NVIDIA's driver is here without graphics: {what}"),
            "in a container set NVIDIA_DRIVER_CAPABILITIES=all; elsewhere install the driver's graphics part \
             (Debian: nvidia-vulkan-icd, Ubuntu: libnvidia-gl-VERSION)",
        ),
    })
}

/// Why a driver's library does not come to be loaded.
fn library(vendor: &Vendor, its: &[&IcdFile], nvidia: &NvidiaFacts) -> Option<Cause> {
    let usable = |icd: &&&IcdFile| icd.disabled_by.is_none();
    if its.iter().filter(usable).any(|icd| icd.library_found && icd.fault.is_none()) {
        return None;
    }
    let icd = its.iter().filter(usable).max_by_key(|icd| icd.library_found)?;
    let Some(fault) = &icd.fault else {
        let cause = (vendor.id == NVIDIA && icd.library.contains("nvidia")).then(|| without_graphics(nvidia)).flatten();
        let what = format!("{} names {}, which is not there", icd.path, icd.library);
        return Some(match cause {
            Some(cause) => Cause::new(format!("{what}; {}", cause.what), cause.hint),
            None => Cause::new(what, vendor.install),
        });
    };
    let what = format!("{} names {}, which cannot be loaded: {}", icd.path, icd.library, in_words(fault));
    Some(Cause::new(what, way_out(fault, vendor, &icd.library, nvidia)))
}

/// What mends a library that cannot be loaded.
fn way_out(fault: &LibraryFault, vendor: &Vendor, library: &str, nvidia: &NvidiaFacts) -> String {
    match fault {
        LibraryFault::Missing { library: missing, .. } if X.iter().any(|start| missing.starts_with(start)) => {
            let has_egl = nvidia.graphics_libraries.iter().any(|name| name == EGL);
            let install = format!("install {missing} (Debian: libx11-6, libxext6)");
            match library.contains("libGLX_nvidia") && has_egl {
                true => format!("{}; or {install}", name_it(EGL)),
                false => install,
            }
        }
        LibraryFault::Missing { library, .. } => {
            format!("install {library} (Debian: `apt-file search {library}` names the package)")
        }
        LibraryFault::TooOld { .. } => {
            format!("{}, in the version for this system; a driver of another system does not run here", vendor.install)
        }
        LibraryFault::Unusable { .. } => format!("{}, for this kind of machine", vendor.install),
    }
}

/// How to make an ICD file for a library.
fn name_it(library: &str) -> String {
    format!(
        "name {library} in an ICD file, which needs no X: `echo '{{\"file_format_version\": \"1.0.0\", \"ICD\": \
         {{\"library_path\": \"{library}\", \"api_version\": \"1.3.0\"}}}}' > $HOME/nvidia_egl.json; export \
         VK_DRIVER_FILES=$HOME/nvidia_egl.json`"
    )
}

/// A kernel module and libraries that do not belong together.
fn versions(gpu: &Gpu, nvidia: &NvidiaFacts) -> Option<Cause> {
    let (module, library) = (nvidia.module_version.as_ref()?, nvidia.library_version.as_ref()?);
    (gpu.vendor_id == NVIDIA && module != library).then(|| {
        Cause::new(
            format!("NVIDIA's kernel module is of version {module} and its libraries are of {library}"),
            "start the node anew, so that the module of the installed driver is loaded; in a container leave the libraries of \
             its image away",
        )
    })
}

/// Nothing that was looked at is wrong.
fn unknown(its: &[&IcdFile], vulkan: &VulkanFacts) -> Cause {
    let drivers: Vec<String> = its.iter().map(|icd| format!("{} in {}", icd.library, icd.path)).collect();
    let devices: Vec<&str> = vulkan.device_files.iter().map(|file| file.path.as_str()).collect();
    let devices = if devices.is_empty() { "no device file" } else { &devices.join(", ") };
    Cause::new(
        format!(
            "why is not known: its driver does not offer it, though the loader, {}, what that library needs, and {devices} were \
             looked at and found in order",
            drivers.join(", ")
        ),
        "`VK_LOADER_DEBUG=error,warn,driver vulkaninfo --summary` shows what the driver says; `dmesg` what the kernel does",
    )
}

fn in_words(fault: &LibraryFault) -> String {
    match fault {
        LibraryFault::Unusable { library, reason } => format!("{library}: {reason}"),
        LibraryFault::Missing { library, by } => format!("{by} needs {library}, which is not there"),
        LibraryFault::TooOld { library, needs, newest, by } => {
            let newest = newest.as_ref().map_or_else(String::new, |newest| format!(", whose newest is {newest}"));
            format!("{by} needs {needs} of {library}{newest}")
        }
    }
}

fn files(icd_files: &[IcdFile]) -> String {
    let paths: Vec<&str> = icd_files.iter().map(|icd| icd.path.as_str()).collect();
    if paths.is_empty() { "there is no ICD file".to_owned() } else { format!("there are {}", paths.join(", ")) }
}
