//! Any bytes through the rankfile library: no panic, and what is called clean must be understood
//! alike in all dialects and survive being written again.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none rankfile`
#![no_main]

use std::collections::BTreeMap;

use hybrid::inside::launcher::Dialect;
use hybrid::inside::rankfile::{
    NodeShape, RankLine, Reading, lint, lint_against, parse, render, resolve, write,
};
use hybrid::inside::topology::SlotUnit;
use libfuzzer_sys::fuzz_target;

const PACKAGES: [u32; 2] = [4, 4];

fuzz_target!(|bytes: &[u8]| {
    let parsed = parse(bytes);
    for diagnostic in &parsed.diagnostics {
        assert!(is_harmless(&render(diagnostic, bytes, "FILE")));
        if let Some(corrected) = &diagnostic.corrected {
            assert!(!corrected.contains('\n'));
        }
    }
    let shape = NodeShape::new(&PACKAGES, &[2; 8], SlotUnit::Core);
    let hosts = parsed.rankfile.entries.iter().map(|entry| (entry.host.clone(), shape.clone()));
    let nodes: BTreeMap<String, NodeShape> = hosts.collect();
    for diagnostic in lint_against(&parsed.rankfile, &nodes) {
        assert!(is_harmless(&render(&diagnostic, bytes, "FILE")));
    }
    if lint(bytes, &Dialect::ALL).is_empty() {
        clean(&parsed.rankfile.entries);
    }
});

/// Nothing that a terminal obeys.
fn is_harmless(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && c != '\n')
}

/// A file without findings: all readings agree, and it can be written again.
fn clean(entries: &[hybrid::inside::rankfile::Entry]) {
    let mut lines = Vec::new();
    for entry in entries {
        let asked = resolve(&entry.slots, Reading::Meant, &NodeShape::of_cores(&PACKAGES));
        let read = Dialect::ALL.map(|dialect| resolve(&entry.slots, Reading::By(dialect), &NodeShape::of_cores(&PACKAGES)));
        // 5.x goes on into the next package where 4.1 refuses a core that is not there.
        assert_eq!(asked.is_ok(), read[0].is_ok());
        let Ok(asked) = asked else { return };
        assert!(read.iter().all(|read| read.as_ref() == Ok(&asked)));
        assert!(!asked.is_empty());
        lines.push(RankLine {
            rank: entry.rank,
            host: entry.host.clone(),
            cores: asked,
            device: entry.device,
        });
    }
    let text = write(&[], &lines).expect("a clean file can be written");
    assert!(lint(text.as_bytes(), &Dialect::ALL).is_empty());
    let again = parse(text.as_bytes()).rankfile;
    for line in &lines {
        let entry = again.entry(line.rank).expect("each rank is written");
        assert_eq!(entry.device, line.device);
        let cores = resolve(&entry.slots, Reading::Meant, &NodeShape::of_cores(&PACKAGES)).expect("its cores exist");
        assert_eq!(cores, line.cores);
    }
}
