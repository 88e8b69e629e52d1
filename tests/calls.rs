//! The guide's table of calls has every call of rsmpi, whose source is read for that, and none that it has not.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use syn::{ImplItem, Item, TraitItem, Visibility};

/// What a program does not call by name, or has as a trait's method of Rust's own.
const NO_CALLS: [&str; 34] = [
    "as_communicator",
    "as_datatype",
    "as_handle",
    "as_mut_ptr",
    "as_ptr",
    "as_raw",
    "as_raw_mut",
    "as_ref",
    "clone",
    "comm_copy_attr_fn",
    "comm_delete_attr_fn",
    "count",
    "counts",
    "destination_rank",
    "displs",
    "downgrade",
    "from_raw",
    "get_key",
    "into_raw",
    "is",
    "is_empty",
    "len",
    "new",
    "pointer",
    "pointer_mut",
    "reborrow",
    "reborrow_mut",
    "register",
    "root_rank",
    "scope",
    "target_size",
    "try_from_raw",
    "unregister",
    "check_derive_equivalence_universe_state",
];

/// Where cargo has unpacked rsmpi.
fn source() -> PathBuf {
    let words = ["metadata", "--format-version", "1", "--offline", "--locked"];
    let output = Command::new(env!("CARGO")).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "mpi").unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("src")
}

/// The names of the public functions and methods, and of the methods of public traits.
fn names(file: &syn::File) -> BTreeSet<String> {
    let is_public = |visibility: &Visibility| matches!(visibility, Visibility::Public(_));
    let mut names = BTreeSet::new();
    for item in &file.items {
        match item {
            Item::Fn(function) if is_public(&function.vis) => names.extend([function.sig.ident.to_string()]),
            Item::Trait(item) if is_public(&item.vis) => {
                names.extend(item.items.iter().filter_map(|item| match item {
                    TraitItem::Fn(method) => Some(method.sig.ident.to_string()),
                    _ => None,
                }));
            }
            Item::Impl(item) if item.trait_.is_none() => {
                names.extend(item.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(method) if is_public(&method.vis) => Some(method.sig.ident.to_string()),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    names
}

/// All calls, without the twins that the chapter names once for all: those with a tag, and collectives that do not wait.
fn calls() -> BTreeSet<String> {
    let source = source();
    let files = ["attribute", "collective", "datatype", "environment", "point_to_point", "request"];
    let files = files
        .into_iter()
        .map(|name| format!("{name}.rs"))
        .chain(["topology/mod.rs".into(), "topology/cartesian.rs".into()]);
    let mut calls = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(source.join(&file)).unwrap();
        let found = names(&syn::parse_file(&text).unwrap());
        calls.extend(found.into_iter().filter(|name| file != "collective.rs" || !name.starts_with("immediate_")));
    }
    let calls = calls.into_iter().map(|name| name.trim_start_matches("r#").to_owned());
    let mut calls: BTreeSet<String> = calls.collect();
    calls.retain(|name| !name.contains("with_tag") || name == "split_by_subgroup_with_tag");
    calls.retain(|name| !name.contains("unchecked") && !NO_CALLS.contains(&name.as_str()));
    // A shorter form, which stores what the longer one returns.
    calls.retain(|name| !["get_layout_into", "rank_to_coordinates_into"].contains(&name.as_str()));
    calls
}

/// The words of code in a chapter.
fn words(chapter: &str) -> BTreeSet<String> {
    let code = chapter.split('`').skip(1).step_by(2);
    code.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_')).map(str::to_owned).collect()
}

fn chapter() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/src/18-calls.md")).unwrap()
}

#[test]
fn every_call_of_rsmpi_is_in_the_table() {
    let (calls, words) = (calls(), words(&chapter()));
    assert!(calls.len() > 100, "{calls:?}");
    let missing: Vec<_> = calls.difference(&words).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_call_that_is_missing_is_found_out() {
    let chapter = chapter().replace("exclusive_scan_into", "scan_into");
    assert_eq!(calls().difference(&words(&chapter)).collect::<Vec<_>>(), ["exclusive_scan_into"]);
}

/// Calls in the second column, `x.name(...)`, that rsmpi does not have.
#[test]
fn no_call_in_the_table_is_made_up() {
    let chapter = chapter();
    let (tables, _) = chapter.split_once("## What rsmpi lacks").unwrap();
    let source = source();
    let text: String = ["attribute", "collective", "datatype", "environment", "point_to_point", "request", "lib"]
        .map(|name| format!("{name}.rs"))
        .iter()
        .chain(&["topology/mod.rs".to_owned(), "topology/cartesian.rs".to_owned()])
        .map(|file| fs::read_to_string(source.join(file)).unwrap())
        .collect();
    // Constructors of the system operations are made by a macro: `max => ...`. The last three are Rust's own words.
    let is_there = |name: &str| {
        text.contains(&format!("fn {name}"))
            || text.contains(&format!("{name} =>"))
            || ["from", "try", "derive"].contains(&name)
    };
    let called = |cell: &str| -> Vec<String> {
        let calls = cell.split('(').rev().skip(1);
        let name = |before: &str| before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
        calls.map(name).filter(|name| name.chars().next().is_some_and(char::is_lowercase)).collect()
    };
    let cells = tables.lines().filter_map(|row| row.split(" | ").nth(1));
    let names: Vec<String> = cells.flat_map(called).collect();
    assert!(names.len() > 100, "{names:?}");
    let made_up: Vec<&String> = names.iter().filter(|name| !is_there(name)).collect();
    assert!(made_up.is_empty(), "{made_up:?}");
    assert!(!is_there("receive_everything"));
}
