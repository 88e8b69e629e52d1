//! Any bytes as the journal of an unfinished picture, and any contents with a checksum that fits, beside files of any length: no
//! panic, and no file is believed that does not have what the journal tells.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none journal`
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use hybrid::inside::{
    cli::{Color, ColorScale},
    kernel::{Precision, image::Image},
    output::{image::color::Coloring, file::sealed},
    workload::image::{
        Job,
        open::{self, Names},
    },
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const KIND: &str = "hybrid image journal";
const VERSION: u32 = 3;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("hybrid-fuzz-journal-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder of the fuzzer's own");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    resume(bytes, &bytes[bytes.len() / 2..]);
    // What a checksum cannot keep away: contents that somebody has sealed.
    if let Ok(mut content) = serde_json::from_slice::<Value>(bytes)
        && let Some(fields) = content.as_object_mut()
    {
        ["kind", "version", "checksum"].iter().for_each(|field| drop(fields.shift_remove(*field)));
        fields.insert("picture".to_owned(), job().picture().into());
        resume(&sealed::seal(KIND, VERSION, &content), bytes);
    }
});

fn job() -> Job {
    let image = Image { width: 4, height: 300, ..Image::tutorial() };
    let coloring = Coloring::new(Color::Viridis, ColorScale::Linear);
    Job { image, precision: Precision::F64, coloring, keep_counts: true, verify: false }
}

fn resume(journal: &[u8], part: &[u8]) {
    let at = |name: &str| FOLDER.join(name);
    for (name, bytes) in [("a.png.journal", journal), ("a.png.part", part), ("a.npy.part", part)] {
        fs::write(at(name), bytes).expect("a file of the fuzzer's own");
    }
    let (picture, counts) = (at("a.png"), at("a.npy"));
    if let Ok((assembly, _)) = open::open(&job(), Names { picture: &picture, counts: Some(&counts) }, true) {
        assert!(assembly.bands() <= job().bands().len());
    }
}
