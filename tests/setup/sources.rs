//! What a build is known by: the digests of its sources, the same wherever those lie, and another for each change that matters.

use std::{fs, path::Path};

use crate::build::sources::{LOCK, Source, crosses, digest_of_all, digest_of_wire, read};
use syn::visit::Visit;
use tempfile::TempDir;

const OWN: &str = "[[package]]\nname = \"hybrid\"\nversion = \"0.1.0\"\ndependencies = [\n \"sha2\",\n]\n";
const SERDE: &str = "[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\n";
const WGPU: &str = "[[package]]\nname = \"wgpu\"\nversion = \"30.0.0\"\n";

/// A package of a few files, written in this order.
fn package(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::create_dir(folder.path().join("shaders")).unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

/// Both digests, of all and of the wire.
fn digests(files: &[(&str, &str)], lock: &str) -> (u64, u64) {
    let sources = read(package(files).path()).unwrap();
    (digest_of_all(&sources, lock), digest_of_wire(&sources, lock))
}

const FILES: [(&str, &str); 5] = [
    ("src/main.rs", "fn main() {}"),
    ("src/comm/wire.rs", "fn pack() {}"),
    ("src/device/gpu.rs", "fn open() {}"),
    ("src/words/told.rs", "#[derive(Serialize, Deserialize)] struct Told;"),
    ("shaders/pi.wgsl", "fn pi() {}"),
];

#[test]
fn the_digests_are_the_same_wherever_and_in_whatever_order_the_files_were_written() {
    let known = digests(&FILES, &[SERDE, WGPU].concat());
    assert_eq!(known, (0x8526_926c_da0e_f69f, 0xc314_3df5_9e72_28d9), "the same on every machine and architecture");
    let mut turned = FILES;
    turned.reverse();
    assert_eq!(digests(&turned, &[WGPU, SERDE].concat()), known);
    let beside = [("src/.main.rs.swp", "x"), ("src/main.rs~", "x"), ("target/x.rs", "x"), ("README.md", "x")];
    assert_eq!(digests(&[&FILES[..], &beside].concat(), &[SERDE, WGPU].concat()), known, "not what lies beside");
    // A published package has the same dependencies, but says less of itself.
    assert_eq!(digests(&FILES, &["version = 4\n\n", OWN, "\n", SERDE, "\n", WGPU].concat()), known);
}

#[test]
fn each_change_of_a_source_is_seen_and_that_of_what_crosses_in_the_wire() {
    let lock = [SERDE, WGPU].concat();
    let known = digests(&FILES, &lock);
    for (index, crosses) in [(0, false), (1, true), (2, false), (3, true), (4, false)] {
        let mut files = FILES;
        let text = format!("{} ", files[index].1);
        files[index].1 = &text;
        let changed = digests(&files, &lock);
        assert_ne!(changed.0, known.0, "{}", files[index].0);
        assert_eq!(changed.1 != known.1, crosses, "{}", files[index].0);
        let mut files = FILES;
        let name = files[index].0.replace('.', "2.");
        files[index].0 = &name;
        assert_ne!(digests(&files, &lock).0, known.0, "{name}");
    }
    let more = [&FILES[..], &[("src/more.rs", "")]].concat();
    assert_ne!(digests(&more, &lock).0, known.0);
    let (of_serde, of_wgpu) = (lock.replace("1.0.1", "1.0.2"), lock.replace("30.0.0", "30.0.1"));
    assert!(digests(&FILES, &of_serde).0 != known.0 && digests(&FILES, &of_serde).1 != known.1);
    assert!(digests(&FILES, &of_wgpu).0 != known.0 && digests(&FILES, &of_wgpu).1 == known.1);
}

/// Finds what a file has to do with the wire by its syntax: values that can be read back, and names of what is in `comm`.
#[derive(Default)]
struct Finder(bool);

impl<'ast> Visit<'ast> for Finder {
    fn visit_ident(&mut self, name: &'ast syn::Ident) {
        self.0 |= name == "comm" || name == "Deserialize" || name == "DeserializeOwned";
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.0 |= list.path.is_ident("derive") && list.tokens.to_string().contains("Deserialize");
        }
    }
}

#[test]
fn every_file_that_defines_a_value_or_knows_the_ranks_counts_for_the_wire() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = read(root).unwrap();
    let mut found = 0;
    for source @ (path, text) in sources.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let mut finder = Finder::default();
        finder.visit_file(&syn::parse_file(std::str::from_utf8(text).unwrap()).unwrap());
        // It names the modules, and none of what is in them.
        if finder.0 && path != "src/lib.rs" {
            found += 1;
            assert!(crosses(source), "{path}");
        }
    }
    assert!(found > 30, "{found}");
    let counted = sources.iter().filter(|source: &&Source| crosses(source)).count();
    assert!(
        counted * 2 < sources.len(),
        "{counted} of {}: a wire that is all of the program says nothing",
        sources.len()
    );
}

#[test]
fn the_program_tells_the_digests_of_these_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (sources, lock) = (read(root).unwrap(), fs::read_to_string(root.join(LOCK)).unwrap());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hybrid")).arg("--version").output().unwrap();
    let expected = format!(
        "hybrid {}\nsources     {:016x}\nwire format {:016x}\n",
        env!("CARGO_PKG_VERSION"),
        digest_of_all(&sources, &lock),
        digest_of_wire(&sources, &lock)
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
