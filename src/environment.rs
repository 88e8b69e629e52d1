//! Variables that libraries read, set before they start. The only file that changes the environment.
//!
//! Nothing that the user has set is changed, and nothing that could disable a network that is there.

#![expect(unsafe_code, reason = "changing the environment is unsafe where other threads read it")]

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// Folders whose entries are network devices that Open MPI has other transports for than TCP, and prefixes of device files
/// that stand for one: InfiniBand, RoCE and EFA; Slingshot; Omni-Path; True Scale; Aries.
const FABRIC_FOLDERS: [&str; 2] = ["/sys/class/infiniband", "/sys/class/cxi"];
const FABRIC_DEVICES: [&str; 4] = ["hfi1", "ipath", "cxi", "kgni"];
/// Where Open MPI reads settings from, beside the environment.
const SETTINGS_FILE: &str = "/etc/openmpi/openmpi-mca-params.conf";

/// Sets what the user has not set, and tells what was set for MPI. Call it first, before MPI or any thread is started.
///
/// * `XDG_RUNTIME_DIR`: without it the Vulkan loader's window-system libraries print an error on every rank, though no
///   window is wanted.
/// * `OMPI_MCA_pml=ob1`, where there is no fabric: Open MPI then does not load the drivers of fabrics to find that out, two
///   of which spend 100 ms each on calibrating a clock.
/// * `OMPI_MCA_mpi_yield_when_idle=1`: a rankfile makes Open MPI believe that no core is shared, and a rank that waits would
///   take half of a core from the rank that computes on it.
pub fn prepare(mpi_defaults: bool) -> Vec<String> {
    set("XDG_RUNTIME_DIR", env::temp_dir().into());
    if mpi_defaults {
        return Vec::new();
    }
    let transport_is_free = !is_set(&["OMPI_MCA_pml", "OMPI_MCA_btl", "OMPI_MCA_mtl"])
        && !settings_files().iter().any(|file| fs::read_to_string(file).is_ok_and(|text| chooses_transport(&text)))
        && !has_fabric(Path::new("/dev"), &FABRIC_FOLDERS.map(PathBuf::from));
    let mut settings = vec![("OMPI_MCA_mpi_yield_when_idle", "1")];
    if transport_is_free {
        settings.push(("OMPI_MCA_pml", "ob1"));
    }
    settings.retain(|(name, value)| set(name, value.into()));
    settings.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// Sets `name` where it is not set; tells whether it did.
fn set(name: &str, value: OsString) -> bool {
    let free = !is_set(&[name]);
    if free {
        // SAFETY: `main` calls `prepare` before anything that starts a thread, so nobody reads the environment meanwhile.
        unsafe { env::set_var(name, value) };
    }
    free
}

fn is_set(names: &[&str]) -> bool {
    names.iter().any(|name| env::var_os(name).is_some())
}

fn settings_files() -> Vec<PathBuf> {
    let own = env::home_dir().map(|home| home.join(".openmpi/mca-params.conf"));
    own.into_iter().chain([PathBuf::from(SETTINGS_FILE)]).collect()
}

/// Whether a settings file chooses a transport. One that only leaves some out, as Debian's does with `pml = ^ucx`, does not.
fn chooses_transport(text: &str) -> bool {
    let settings = text.lines().filter_map(|line| line.split_once('='));
    settings
        .map(|(name, value)| (name.trim(), value.trim()))
        .any(|(name, value)| matches!(name, "pml" | "btl" | "mtl") && !value.starts_with('^'))
}

fn has_fabric(devices: &Path, folders: &[PathBuf]) -> bool {
    let names = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    folders.iter().any(|folder| names(folder).next().is_some())
        || names(devices).any(|name| FABRIC_DEVICES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settings_file_that_chooses_a_transport_is_respected() {
        assert!(chooses_transport("# fast network\npml = ucx\n"));
        assert!(chooses_transport("mtl=psm2"));
        assert!(!chooses_transport("mtl = ^ofi\npml = ^ucx\nbtl_base_warn_component_unused=0\n#pml = ucx\n"));
    }

    #[test]
    fn a_fabric_is_found_by_its_folder_or_its_device_file() {
        let root = tempfile::tempdir().unwrap();
        let (devices, class) = (root.path().join("dev"), root.path().join("infiniband"));
        fs::create_dir(&devices).unwrap();
        let fabric = || has_fabric(&devices, std::slice::from_ref(&class));
        fs::write(devices.join("null"), "").unwrap();
        assert!(!fabric());
        fs::create_dir(&class).unwrap();
        assert!(!fabric(), "a class without a device is no fabric");
        fs::create_dir(class.join("mlx5_0")).unwrap();
        assert!(fabric());
        fs::remove_dir_all(&class).unwrap();
        fs::write(devices.join("hfi1_0"), "").unwrap();
        assert!(fabric());
    }
}
