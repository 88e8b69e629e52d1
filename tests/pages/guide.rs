//! Every page of the guide as a book, in a browser: nothing is cut on wide and on narrow screens, all can be read in light and in dark,
//! folds open, links lead somewhere, and nothing is fetched. `look.js` is what is asked of each page.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{browser::Browser, keep};

const SCREENS: [(u32, &str); 4] = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")];

/// The pages of a book, whole paths, in order.
fn pages(book: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(book).unwrap_or_else(|error| panic!("{}: {error}: run `make guide`", book.display()));
    let mut pages: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|end| end == "html"));
    pages.sort();
    pages
}

/// Where the links of the page that is shown lead: addresses without what they would go to on the page, and the names of such places.
fn links(browser: &mut Browser) -> BTreeSet<(String, String)> {
    let script = "[...document.querySelectorAll('a[href]')].map(link => { const to = new URL(link.href); \
        return [to.protocol == 'file:' ? decodeURIComponent(to.pathname) : to.protocol, decodeURIComponent(to.hash.slice(1))]; })";
    serde_json::from_value(browser.evaluate(script)).unwrap()
}

/// Whether such a link leads to something. Those to the network are not followed.
fn leads_somewhere((file, place): &(String, String)) -> bool {
    let is_elsewhere = ["http:", "https:", "mailto:"].contains(&file.as_str());
    is_elsewhere
        || fs::read_to_string(file).is_ok_and(|text| place.is_empty() || text.contains(&format!("id=\"{place}\"")))
}

/// What is wrong with a book, page by page.
fn faults(book: &Path) -> Vec<String> {
    let (mut found, mut browser) = (Vec::new(), Browser::start());
    // The page for printers prints itself.
    browser.call("Page.addScriptToEvaluateOnNewDocument", &json!({"source": "window.print = () => {};"}));
    for page in pages(book) {
        let name = page.file_stem().unwrap().to_str().unwrap();
        for (width, scheme) in SCREENS {
            browser.show(&page, width, scheme);
            let seen: Vec<String> = serde_json::from_value(browser.evaluate(include_str!("look.js"))).unwrap();
            let dead = links(&mut browser).into_iter().filter(|link| !leads_somewhere(link));
            let dead = dead.map(|(file, place)| format!("a dead link: {file}#{place}"));
            found.extend(seen.into_iter().chain(dead).map(|fault| format!("{name}, {width} px, {scheme}: {fault}")));
            // The page for printers is all others in one, and too large for a picture.
            if name != "print" {
                keep(&format!("guide-{name}-{width}-{scheme}"), &mut browser);
            }
        }
    }
    let fetched = browser.fetched.iter().filter(|url| !["file:", "data:"].iter().any(|kind| url.starts_with(kind)));
    found.extend(fetched.map(|url| format!("fetched: {url}")));
    found
}

#[test]
#[ignore = "needs a browser and the book: make test-pages"]
fn every_page_of_the_guide_is_whole_and_every_link_leads_somewhere() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/guide");
    let chapters = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/src")).unwrap();
    assert!(pages(&book).len() >= chapters.count() - 2, "{:?}", pages(&book));
    let found = faults(&book);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A page with one fault each.
#[test]
#[ignore = "needs a browser: make test-pages"]
fn a_page_with_a_fault_is_found_out() {
    const TABLE: &str = "<table><thead><tr><th>a<th>b</thead><tbody><tr><td>1<td>2</tbody></table>";
    const STACKED: &str =
        "<style>table, tbody, tr, td { display: block } td::before { content: attr(data-head) }</style>";
    let wide_table =
        format!("<div class='table-wrapper' style='overflow: auto'>{}</div>", TABLE.replace('1', &"1".repeat(3000)));
    let cases: [(&str, &str, usize); 12] = [
        ("<p>a</p>", "", 0),
        ("<div style='width: 2000px'>a</div>", "the page is 2000 px wide", 4),
        ("<div style='overflow: hidden'><p style='width: 2000px'>a</p></div>", "cut off: p", 4),
        (&wide_table, "a table is cut", 4),
        (
            &format!("<pre><code style='display: block; overflow: auto'>{}</code></pre>", "1".repeat(3000)),
            "a block of 3000 columns is cut",
            2,
        ),
        (TABLE, "a table is not stacked", 2),
        (&format!("{STACKED}{TABLE}"), "a cell has no label", 2),
        (
            "<details><p>b</p><summary style='pointer-events: none'>a</summary><pre style='height: 0'>c</pre></details>",
            "a fold does not open",
            4,
        ),
        ("<p style='color: #eee'>a</p>", "hard to read", 4),
        ("<a href='none.html'>a</a>", "a dead link", 4),
        ("<h2 id='one'>a</h2><a href='#two'>a</a>", "a dead link", 4),
        ("<img src='http://127.0.0.1:9/a.png'>", "fetched: http://127.0.0.1:9/a.png", 4),
    ];
    for (body, fault, times) in cases {
        let folder = tempfile::tempdir().unwrap();
        let head = "<!doctype html><title>a</title><meta name='viewport' content='width=device-width'>";
        fs::write(folder.path().join("a.html"), format!("{head}<style>body {{ margin: 0 }}</style>{body}")).unwrap();
        let found = faults(folder.path());
        assert_eq!(
            found.iter().filter(|found| found.contains(fault)).count(),
            times.max(found.len() * usize::from(times == 0)),
            "{body}: {found:?}"
        );
        assert_eq!(found.is_empty(), times == 0, "{body}: {found:?}");
    }
}
