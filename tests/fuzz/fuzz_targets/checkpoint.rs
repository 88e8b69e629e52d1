//! Any bytes as the state of a run of pi, and any contents with a checksum that fits: no panic, and what is believed is a state
//! that a run can have.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none checkpoint`
#![no_main]

use hybrid::inside::{output::file::sealed, workload::pi::checkpoint::Checkpoint};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const KIND: &str = "hybrid pi, threefry4x32-13";
const VERSION: u32 = 2;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Ok(mut content) = serde_json::from_slice::<Value>(bytes)
        && let Some(fields) = content.as_object_mut()
    {
        ["kind", "version", "checksum"].iter().for_each(|field| drop(fields.shift_remove(*field)));
        read(&sealed::seal(KIND, VERSION, &content));
    }
});

fn read(bytes: &[u8]) {
    for until in [None, Some(1e-5)] {
        if let Ok(state) = Checkpoint::of_text(bytes, &Checkpoint::start(7, until)) {
            assert!(state.hits <= state.darts && state.darts <= state.target);
            assert!(state.text() == bytes);
        }
    }
}
