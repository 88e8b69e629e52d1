//! Where is built and run: folders that cargo is told of, that nobody may write, and machines with fewer cores than the demo's
//! rankfile names. (Every made-up system has a space in its path.)

use std::{fs, fs::Permissions, os::unix::fs::PermissionsExt};

use super::{System, assert_refuses, assert_says};

#[test]
fn the_folder_is_asked_of_cargo() {
    let mut system = System::complete();
    system.variable("CARGO_TARGET_DIR", Some("~/else where"));
    assert_eq!(system.setup("test").code, Some(0));
    assert!(system.path("else where/venv/bin/mpiexec").exists());
    assert!(!system.path("checkout/target").exists());
}

#[test]
fn a_folder_that_nobody_may_write_has_another_advised() {
    let mut system = System::complete();
    system.write("disk", "a file, below which there can be no folder");
    system.variable("CARGO_TARGET_DIR", Some("~/disk/target"));
    system.remove("bin/cc");
    assert_refuses(
        &system,
        "build",
        "setup: cannot write in ~/disk/target: set CARGO_TARGET_DIR to a folder that you may write, \
         as in CARGO_TARGET_DIR=~/hybrid-target make demo",
    );
}

/// The limit on files stands for a file system that is full: a folder can be made, and a file has no room.
#[test]
fn a_folder_without_room_has_another_advised() {
    let system = System::complete();
    system.remove("bin/cc");
    let answer = system.call(&["sh", "-c", "trap '' XFSZ; ulimit -f 100; exec .ci/setup build"]);
    assert_says(
        &answer,
        1,
        "setup: no room in ~/checkout/target (head: error writing 'standard output': File too large): \
         set CARGO_TARGET_DIR to a folder that has room, as in CARGO_TARGET_DIR=~/hybrid-target make demo",
    );
    assert_eq!(system.changes(), [""; 0]);
}

/// Where nothing can be made executable, the kernel refuses as it does on a file system mounted noexec.
#[test]
fn a_folder_without_programs_has_another_advised() {
    let system = System::complete();
    system.remove("bin/cc");
    system.program("chmod", "");
    assert_refuses(
        &system,
        "build",
        "setup: programs in ~/checkout/target cannot be run, as where noexec is mounted: set CARGO_TARGET_DIR to a folder \
         that programs can be run in, as in CARGO_TARGET_DIR=~/hybrid-target make demo",
    );
}

#[test]
fn temporary_files_must_have_a_folder_and_room() {
    let mut system = System::complete();
    system.remove("bin/cargo");
    system.variable("TMPDIR", Some("~/nowhere"));
    let cure = "set it to another folder, or leave it unset";
    assert_refuses(&system, "test", &format!("setup: cannot write in TMPDIR=~/nowhere: {cure}"));
    system.variable("TMPDIR", Some("~/home"));
    let answer = system.call(&["sh", "-c", "trap '' XFSZ; ulimit -f 10; exec .ci/setup build"]);
    let why = "head: error writing 'standard output': File too large";
    assert_says(&answer, 1, &format!("setup: no room in TMPDIR=~/home ({why}): {cure}"));
}

#[test]
fn a_folder_of_roots_has_its_owner_named() {
    let mut system = System::complete();
    system.program("id", "case $1 in -u) echo 1000 ;; *) echo ada ;; esac");
    system.variable("CARGO_TARGET_DIR", Some("/usr"));
    assert_refuses(
        &system,
        "build",
        "setup: /usr belongs to root, perhaps of a call with sudo: sudo chown -R ada '/usr'",
    );
}

#[test]
fn the_program_is_where_cargo_says() {
    let system = System::complete();
    let messages = r#"echo '{"reason":"compiler-artifact","target":{"name":"hybrid"},"executable":null}'
        echo '{"reason":"compiler-artifact","target":{"name":"hybrid"},"executable":"'"$PWD"'/target/arm/release/hybrid"}'
        echo '{"reason":"build-finished","success":true}'"#;
    system.program("cargo", &format!("if [ $1 = --version ]; then echo 'cargo 1.90.0'; exit; fi\n{messages}"));
    assert_says(&system.call(&[".ci/built"]), 0, "target/arm/release/hybrid");
}

#[test]
fn the_demo_runs_from_a_checkout_that_nobody_may_write() {
    let mut system = System::complete();
    system.variable("CARGO_TARGET_DIR", Some("~/else where"));
    let command = "if [ \"$2\" = command ]; then shift 2; printf mpiexec; printf \" '%s'\" \"$@\"; fi";
    system.script("else where/release/hybrid", command);
    let builds = r#"if [ $1 = build ]; then echo '{"target":{"name":"hybrid"},"executable":"'"$world"'/else where/release/hybrid"}'; fi"#;
    system.program("cargo", &format!("{builds}\n{}", include_str!("made_up/cargo")));
    let writable = |mode| fs::set_permissions(system.path("checkout"), Permissions::from_mode(mode)).unwrap();
    writable(0o555);
    let answer = system.call(&["make", "--silent", "demo"]);
    writable(0o755);
    let started = answer.printed.lines().find(|line| line.starts_with('[')).unwrap_or_default();
    assert_eq!(
        started,
        "[rankfiles/laptop.rankfile][--][~/else where/release/hybrid][julia][--scale][3]\
         [-o][~/else where/release/julia.png]",
        "{answer:?}"
    );
}

#[test]
fn the_demo_takes_a_rankfile_for_the_cores_there_are() {
    let system = System::complete();
    let hybrid = system.path("checkout/target/release/hybrid").display().to_string();
    let write = "[ \"$2\" = write ] || exit $(cat \"$world/check\")\ntouch \"$6\"";
    system.script("checkout/target/release/hybrid", write);
    system.write("check", "0");
    assert_says(&system.call(&[".ci/demo-rankfile", &hybrid]), 0, "rankfiles/laptop.rankfile");
    system.write("check", "1");
    let made = "~/checkout/target/release/demo.rankfile";
    assert_says(
        &system.call(&[".ci/demo-rankfile", &hybrid]),
        0,
        &format!(
            "{made}\nthis machine lacks a core that rankfiles/laptop.rankfile names: starting with {made}, \
             made for the cores there are"
        ),
    );
    assert!(system.path("checkout/target/release/demo.rankfile").exists());
}
