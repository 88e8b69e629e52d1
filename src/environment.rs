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
/// Byte transfer layers of Open MPI that are for fabrics alone.
const FABRIC_LAYERS: [&str; 3] = ["uct", "openib", "ofi"];
/// Where Open MPI reads settings from, beside the environment.
const SETTINGS_FILE: &str = "/etc/openmpi/openmpi-mca-params.conf";

/// Sets what the user has not set, and tells what was set for MPI. Call it first, before MPI or any thread is started.
///
/// * what [`quiet_vulkan`] sets;
/// * `OMPI_MCA_pml=ob1`, where there is no fabric: Open MPI then does not load the drivers of fabrics to find that out, two
///   of which spend 100 ms each on calibrating a clock.
/// * `OMPI_MCA_btl=^uct,openib,ofi`, where there is no fabric, and what a settings file leaves out besides: the layer `ofi` of
///   Open MPI 5 and 6 wakes up even so, and looks for a second for what is not there.
/// * `OMPI_MCA_reachable=weighted`: the other way of Open MPI 5.0.7 to pair addresses prints a line for each pair of ranks of a
///   node that has IPv6, "Unable to find reachable pairing", and then gets on without.
pub fn prepare(mpi_defaults: bool) -> Vec<String> {
    quiet_vulkan();
    if mpi_defaults {
        return Vec::new();
    }
    let files: Vec<String> = settings_files().iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let transport_is_free = !is_set(&["OMPI_MCA_pml", "OMPI_MCA_btl", "OMPI_MCA_mtl"])
        && !files.iter().any(|text| chooses_transport(text))
        && !has_fabric(Path::new("/dev"), &FABRIC_FOLDERS.map(PathBuf::from));
    let mut settings = Vec::new();
    if transport_is_free {
        settings.push(("OMPI_MCA_pml", "ob1".to_owned()));
        settings.push(("OMPI_MCA_btl", without_layers(&files)));
    }
    if !files.iter().any(|text| settings_of(text).any(|(name, _)| name == "reachable")) {
        settings.push(("OMPI_MCA_reachable", "weighted".to_owned()));
    }
    settings.retain(|(name, value)| set(name, value.into()));
    settings.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// Sets `XDG_RUNTIME_DIR`, without which the Vulkan loader's window-system libraries print an error on every rank, though no
/// window is wanted. Tells the name where it did, for who starts a program that is not to hear of it. As [`prepare`], to be called
/// before any thread is started.
pub fn quiet_vulkan() -> Option<&'static str> {
    const NAME: &str = "XDG_RUNTIME_DIR";
    set(NAME, env::temp_dir().into()).then_some(NAME)
}

/// Sets `name` where it is not set; tells whether it did.
fn set(name: &str, value: OsString) -> bool {
    let free = !is_set(&[name]);
    if free {
        // SAFETY: `main` calls these functions before anything that starts a thread, so nobody reads the environment meanwhile.
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

/// The names and values of a settings file.
fn settings_of(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.trim(), value.trim()))
}

/// Whether a settings file chooses a transport. One that only leaves some out, as Debian's does with `pml = ^ucx`, does not.
fn chooses_transport(text: &str) -> bool {
    settings_of(text).any(|(name, value)| matches!(name, "pml" | "btl" | "mtl") && !value.starts_with('^'))
}

/// A setting that leaves out the layers for fabrics and those that the first file which leaves any out does: the environment
/// comes before all files.
fn without_layers(files: &[String]) -> String {
    let of_file = |text| settings_of(text).filter(|(name, _)| *name == "btl").last();
    let left_out = files.iter().find_map(|text| of_file(text)).map_or("", |(_, value)| value.trim_start_matches('^'));
    let mut layers: Vec<&str> = left_out.split(',').map(str::trim).filter(|layer| !layer.is_empty()).collect();
    layers.extend(FABRIC_LAYERS.iter().filter(|layer| !left_out.split(',').any(|other| other.trim() == **layer)));
    format!("^{}", layers.join(","))
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
    fn layers_that_a_settings_file_leaves_out_stay_out() {
        let without = |files: &[&str]| without_layers(&files.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(without(&[]), "^uct,openib,ofi");
        assert_eq!(without(&["pml = ^ucx\n", "btl = ^uct,openib,ofi\n"]), "^uct,openib,ofi");
        assert_eq!(without(&["btl=^sm, ofi\n", "btl = ^tcp\n"]), "^sm,ofi,uct,openib");
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
