//! README and the pages of docs/ hold what they say: every command in them is run, and what it prints is what the page shows.
//!
//! `page` tells how blocks are marked. What cannot be run where the tests run is named in the output, never left out in silence.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod folds;
mod like;
mod page;
#[path = "../support/mod.rs"]
mod support;
mod traps;

use page::{Outcome, try_page};

fn assert_holds(page: &str, text: &str) {
    let Outcome { faults, not_run, tried } = try_page(text);
    for reason in &not_run {
        support::not_run(&format!("{page}: {reason}"));
    }
    assert!(faults.is_empty(), "{page}:\n{}", faults.join("\n\n"));
    assert!(tried + not_run.len() > 0, "{page}: nothing was tried");
}

#[test]
fn the_readme_holds() {
    assert_holds("README.md", include_str!("../../README.md"));
}

#[test]
fn the_page_for_contributors_holds() {
    assert_holds("CONTRIBUTING.md", include_str!("../../CONTRIBUTING.md"));
}

#[test]
fn the_page_on_places_holds() {
    assert_holds("docs/placement.md", include_str!("../../docs/placement.md"));
}

#[test]
fn the_page_on_long_jobs_holds() {
    assert_holds("docs/long-jobs.md", include_str!("../../docs/long-jobs.md"));
}

#[test]
fn the_page_on_raspberry_pis_holds() {
    assert_holds("docs/raspberry-pis.md", include_str!("../../docs/raspberry-pis.md"));
}

#[test]
fn the_page_on_launchers_holds() {
    assert_holds("docs/launchers.md", include_str!("../../docs/launchers.md"));
}

#[test]
fn the_page_on_rankfiles_holds() {
    assert_holds("docs/rankfiles.md", include_str!("../../docs/rankfiles.md"));
}

#[test]
fn the_page_on_scripts_holds() {
    assert_holds("docs/scripts.md", include_str!("../../docs/scripts.md"));
}

#[test]
fn the_page_on_sweeps_holds() {
    assert_holds("docs/sweeps.md", include_str!("../../docs/sweeps.md"));
}

#[test]
fn the_chapter_on_benchmarks_holds() {
    assert_holds("docs/guide/src/10-benchmarks.md", include_str!("../../docs/guide/src/10-benchmarks.md"));
}

#[test]
fn the_class_holds() {
    assert_holds("24-class.md", include_str!("../../docs/guide/src/24-class.md"));
}

#[test]
fn the_class_on_a_cluster_holds() {
    assert_holds("25-class-on-a-cluster.md", include_str!("../../docs/guide/src/25-class-on-a-cluster.md"));
}

#[test]
fn a_page_that_is_wrong_is_found_out() {
    for wrong in [
        "```rankfile name=f\nrank 0=a slot=P1\n```\n",
        "```rankfile name=f trap=RF040\nrank 0=a slot=1\n```\n",
        "```sh run\nhybrid rankfile check missing\n```\n",
        "```sh run fails=1\ntrue\n```\n",
        "```sh run\necho a\n```\n```text\nb\n```\n",
        "```sh run\necho a 1\n```\n```text like\nb 1\n```\n",
        "```text console\n$ echo a; echo b >&2\na\n```\n",
        "```sh shown\nmpiexec hybrid rankfile wriet\n```\n",
        "```sh make\nmake no-such-target\n```\n",
    ] {
        assert_eq!(try_page(wrong).faults.len(), 1, "{wrong}");
    }
}

#[test]
#[should_panic(expected = "a block that nothing tries")]
fn a_block_without_a_mark_is_found_out() {
    try_page("```sh\ntrue\n```\n");
}
