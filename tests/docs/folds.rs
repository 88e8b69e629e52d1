//! The guide's folds hold whole programs, from the files themselves: none is missing, and none differs from its file. Knows nothing of
//! mdBook.
//!
//! A fold is what stands between `<details` and `</details>`. A block in it is an include, `{{#include FILE}}`, which mdBook replaces by
//! the file, or the text of a file to the letter.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Where programs are, each a file or a folder with a `main.rs`.
const FOLDERS: [&str; 2] = ["examples", "examples/library"];

/// The files of a guide's chapters.
fn chapters(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "md")).collect()
}

/// The blocks in the folds of a chapter.
fn folded(chapter: &str) -> Vec<String> {
    let folds = chapter.split("<details").skip(1).map(|fold| fold.split("</details>").next().unwrap());
    let blocks = folds.flat_map(|fold| fold.split("\n```").skip(1).step_by(2));
    blocks.map(|block| block.split_once('\n').map_or("", |(_, text)| text).to_owned() + "\n").collect()
}

/// Files that a chapter includes, as it names them; anywhere, not only in folds.
fn included(chapter: &str) -> Vec<&str> {
    let directives = chapter.split("{{#include ").skip(1);
    directives.map(|rest| rest.split("}}").next().unwrap().split(':').next().unwrap()).collect()
}

/// Every file of every program below `root`.
fn program_files(root: &Path) -> BTreeSet<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let is_source = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs" || end == "wgsl");
    let top: Vec<PathBuf> = FOLDERS.iter().flat_map(|folder| entries(&root.join(folder))).collect();
    let of_folders = top.iter().filter(|path| path.join("main.rs").exists()).flat_map(|folder| entries(folder));
    top.iter().cloned().chain(of_folders).filter(is_source).collect()
}

/// What is wrong with the folds of the guide in `chapters`, which shows the programs below `root`.
fn faults(root: &Path, folder: &Path) -> Vec<String> {
    let (mut found, mut shown) = (Vec::new(), BTreeSet::new());
    let programs = program_files(root);
    for path in chapters(folder) {
        let chapter = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let missing = included(&chapter).into_iter().filter(|file| !folder.join(file).exists());
        found.extend(missing.map(|file| format!("{name} includes {file}, which does not exist")));
        for block in folded(&chapter) {
            let file = included(&block).first().and_then(|file| folder.join(file).canonicalize().ok());
            let to_the_letter = || programs.iter().find(|file| fs::read_to_string(file).unwrap() == block).cloned();
            shown.extend(file.or_else(to_the_letter));
        }
    }
    let unseen = programs.iter().filter(|file| !shown.contains(&file.canonicalize().unwrap()));
    found.extend(unseen.map(|file| format!("no fold holds {}", file.strip_prefix(root).unwrap().display())));
    found
}

#[test]
fn every_program_is_in_a_fold_of_the_guide() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(program_files(root).len() > 40);
    let found = faults(root, &root.join("docs/guide/src"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_program_that_no_fold_holds_and_an_include_of_nothing_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (name, text) in [("one.rs", "1\n"), ("two/main.rs", "2\n"), ("two/more.rs", "3\n"), ("library/four.rs", "4\n")]
    {
        write(&format!("examples/{name}"), text);
    }
    let guide = folder.path().join("guide");
    let fold = |text: &str| format!("<details>\n<summary>a</summary>\n\n```rust,ignore\n{text}\n```\n\n</details>\n");
    let whole =
        ["{{#include ../examples/one.rs}}", "2", "{{#include ../examples/two/more.rs}}", "4"].map(fold).concat();
    write("guide/a.md", &whole);
    assert_eq!(faults(folder.path(), &guide), [""; 0]);

    write("guide/a.md", &whole.replace("\n4\n", "\n5\n"));
    assert_eq!(faults(folder.path(), &guide), ["no fold holds examples/library/four.rs"]);
    write("guide/a.md", &whole.replace("two/more.rs", "two/mor.rs"));
    assert_eq!(
        faults(folder.path(), &guide),
        ["a.md includes ../examples/two/mor.rs, which does not exist", "no fold holds examples/two/more.rs"]
    );
    // Outside of a fold a program is not there for the asking.
    write("guide/a.md", &(whole.replacen("<details>", "", 1).replacen("</details>", "", 1)));
    assert_eq!(faults(folder.path(), &guide), ["no fold holds examples/one.rs"]);
}
