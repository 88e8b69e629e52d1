//! The pages that this program writes, in a browser: `make test-pages`. All is there that a reader needs, it fits on narrow screens,
//! and nothing is fetched.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod browser;
mod guide;
#[path = "../support/mod.rs"]
mod support;

use std::{env, fs, path::Path, process::Command};

use browser::Browser;
use support::{HYBRID, Job, launcher};

/// A sweep of 24 runs of this program, and its report.
fn report(folder: &Path) {
    let launcher = launcher().join(" ") + " -n {np}";
    let mut sweep = Command::new(HYBRID);
    sweep.args(["sweep", "-q", "-o", "pi.jsonl", "--np", "1,2", "--repeat", "6", "--launcher", &launcher]);
    sweep.args(["pi", "--darts", "1e6,4e7", "--device", "cpu"]);
    Job::of(sweep, folder).run().succeeded();
    Job::alone(folder, "report pi.jsonl -o pi.html").run().succeeded();
}

/// Keeps a picture of the page that is shown, to be looked at, where `HYBRID_TEST_PICTURES` names a folder.
fn keep(name: &str, browser: &mut Browser) {
    if let Some(folder) = env::var_os("HYBRID_TEST_PICTURES") {
        fs::write(Path::new(&folder).join(format!("{name}.png.base64")), browser.picture()).unwrap();
    }
}

#[test]
#[ignore = "needs a browser: make test-pages"]
fn a_report_is_whole_on_wide_and_on_narrow_screens_and_fetches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    report(folder.path());
    let page = folder.path().join("pi.html");
    let mut browser = Browser::start();
    for (width, scheme) in [(1280, "light"), (400, "light"), (400, "dark"), (1280, "dark")] {
        browser.show(&page, width, scheme);
        let at = format!("{width} px, {scheme}");
        let mut is = |expression: &str| assert_eq!(browser.evaluate(expression), true, "{at}: {expression}");
        is("document.querySelector('h1').textContent.includes('pi.jsonl')");
        is("document.querySelectorAll('#short li').length >= 2");
        is("document.querySelector('#short').textContent.includes('times as fast as 1 rank')");
        for figure in ["time", "speedup", "efficiency", "phases", "ranks"] {
            let shown = format!(
                "[...document.querySelectorAll('#{figure} svg')].filter(svg => svg.getBoundingClientRect().width > 0)"
            );
            is(&format!("{shown}.length == 1"));
            // Words of a chart are no smaller than those of small print.
            is(&format!(
                "{shown}.every(svg => [...svg.querySelectorAll('text')].every(text => !text.textContent.trim() || text.getBoundingClientRect().height >= 10))"
            ));
            is(&format!("document.querySelector('#{figure} figcaption').textContent.length > 40"));
            // And none is cut off.
            is(&format!(
                "{shown}.every(svg => [...svg.querySelectorAll('text')].every(text => text.getBoundingClientRect().right <= innerWidth && text.getBoundingClientRect().left >= 0))"
            ));
        }
        is("document.querySelectorAll('#tables article').length == 3");
        is("document.querySelectorAll('#tables article:last-of-type tbody tr').length == 4");
        is("document.querySelector('#commands').textContent.includes('--darts=4e7')");
        is("document.documentElement.scrollWidth <= innerWidth");
        let paper = if scheme == "dark" { "rgb(21, 25, 29)" } else { "rgb(255, 255, 255)" };
        is(&format!("getComputedStyle(document.body).backgroundColor == '{paper}'"));
        is("performance.getEntriesByType('resource').filter(entry => !entry.name.startsWith('data:')).length == 0");
        keep(&format!("report-{width}-{scheme}"), &mut browser);
    }
    let others: Vec<&String> =
        browser.fetched.iter().filter(|url| !url.ends_with("/pi.html") && !url.starts_with("data:")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
#[ignore = "needs a browser: make test-pages"]
fn a_page_that_fetches_something_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("a.html");
    fs::write(&page, "<!doctype html><title>a</title><img src='http://127.0.0.1:9/a.png'>").unwrap();
    let mut browser = Browser::start();
    browser.show(&page, 400, "light");
    assert!(browser.fetched.iter().any(|url| url.ends_with("/a.png")), "{:?}", browser.fetched);
}
