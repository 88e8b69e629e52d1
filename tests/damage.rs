//! Whatever happens to what an unfinished job has left, a job that goes on from there ends in the right bytes or says that it
//! cannot: damage to the unfinished files is mended by computing bands again, a damaged journal or state is refused.
//!
//! A few hundred damages are tried, and ten thousand by `.ci/long`; the seed is fixed.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[path = "support/picture.rs"]
mod picture;
#[path = "support/random.rs"]
mod random;

use std::{fs, path::Path};

use hybrid::inside::{
    output::file::sealed::{seal, unseal},
    workload::{
        image::journal::Mark,
        pi::checkpoint::{Checkpoint, StateFile},
    },
};
use picture::Picture;
use random::Random;
use serde::{Deserialize, Serialize};

const SOME: usize = 400;
const MANY: usize = 10_000;

/// Something that can happen to a file.
fn damaged(whole: &[u8], other: &[u8], random: &mut Random) -> (Vec<u8>, &'static str) {
    let mut bytes = whole.to_vec();
    let length = bytes.len();
    let block = |random: &mut Random| {
        let start = random.below(length);
        start..(start + 1 + random.below(4096)).min(length)
    };
    let kind = match random.below(8) {
        0 | 1 => {
            bytes[random.below(length)] ^= 1 << random.below(8);
            "a bit"
        }
        2 => {
            bytes[random.below(length)] = random.byte();
            "a byte"
        }
        3 => {
            bytes.truncate(random.below(length));
            "a cut"
        }
        4 => {
            bytes[block(random)].fill(0);
            "zeros"
        }
        5 => {
            let (from, to) = (block(random), random.below(length));
            let count = from.len().min(length - to);
            bytes.copy_within(from.start..from.start + count, to);
            "a block of its own elsewhere"
        }
        6 => {
            let at = block(random);
            let count = at.len().min(other.len());
            bytes[at.start..at.start + count].copy_from_slice(&other[..count]);
            "a block of another file"
        }
        _ => {
            bytes = other.to_vec();
            "another file"
        }
    };
    (bytes, kind)
}

/// The files that an unfinished job has left.
fn left(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect();
    files.sort();
    files
}

fn put(folder: &Path, files: &[(String, Vec<u8>)]) {
    fs::read_dir(folder).unwrap().for_each(|entry| fs::remove_file(entry.unwrap().path()).unwrap());
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
}

/// What was tried and what came of it.
#[derive(Debug, Default)]
struct Tally {
    mended: usize,
    undisturbed: usize,
    refused: usize,
}

#[test]
fn no_damage_to_what_a_job_left_makes_a_wrong_picture() {
    damage_what_a_job_left(SOME);
}

#[test]
#[ignore = "takes some minutes"]
fn not_one_of_ten_thousand_damages_makes_a_wrong_picture() {
    damage_what_a_job_left(MANY);
}

fn damage_what_a_job_left(damages: usize) {
    let mut random = Random(2026);
    let mut tally = Tally::default();
    // The second has stretches of several bands.
    for (picture, notes) in [
        (Picture::new(160, 120, 255), vec![3, 20, 41]),
        (Picture::new(160, 120, 300), vec![120]),
        (Picture::new(3, 64 * 300, 40), vec![100, 200, 250]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        picture.leave(folder.path(), &[]);
        picture.resume(folder.path()).unwrap();
        let expected = Picture::files(folder.path());
        let folder = tempfile::tempdir().unwrap();
        let notes: Vec<_> = notes.into_iter().map(|bands| bands.min(picture.bands())).collect();
        picture.leave(folder.path(), &notes);
        let whole = left(folder.path());
        let names: Vec<_> = whole.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a.npy.part", "a.png.journal", "a.png.part"]);
        for _ in 0..damages / 3 {
            let mut files = whole.clone();
            let (victim, other) = (random.below(3), random.below(3));
            let (bytes, kind) = damaged(&whole[victim].1, &whole[other].1, &mut random);
            let is_changed = bytes != whole[victim].1;
            files[victim].1 = bytes;
            put(folder.path(), &files);
            let name = &files[victim].0;
            match picture.resume(folder.path()) {
                Ok((done, told)) => {
                    assert!(Picture::files(folder.path()) == expected, "{kind} in {name}");
                    assert!(done == *notes.last().unwrap() || told.len() == 1, "{kind} in {name}: {told:?}");
                    assert!(name != "a.png.journal" || !is_changed, "{kind} in {name} was believed");
                    *if told.is_empty() { &mut tally.undisturbed } else { &mut tally.mended } += 1;
                }
                Err(error) => {
                    assert!(name == "a.png.journal" && is_changed, "{kind} in {name}: {error}");
                    assert!(error.to_string().contains("a.png.journal"), "{error}");
                    tally.refused += 1;
                }
            }
        }
    }
    eprintln!("{tally:?}");
    assert!(tally.mended > damages / 4 && tally.refused > damages / 8, "{tally:?}");
}

/// The files of another job, whole in themselves.
#[test]
fn files_of_other_jobs_are_not_taken_for_ones_own() {
    let (picture, other) = (Picture::new(160, 120, 255), Picture::new(160, 120, 254));
    let folder = tempfile::tempdir().unwrap();
    picture.leave(folder.path(), &[40]);
    let own = left(folder.path());
    let folder = tempfile::tempdir().unwrap();
    picture.leave(folder.path(), &[]);
    picture.resume(folder.path()).unwrap();
    let expected = Picture::files(folder.path());
    let folder = tempfile::tempdir().unwrap();
    other.leave(folder.path(), &[50]);
    let others = left(folder.path());
    for replaced in 1..8 {
        let files: Vec<_> = (0..3)
            .map(|file| if replaced >> file & 1 == 1 { others[file].clone() } else { own[file].clone() })
            .collect();
        put(folder.path(), &files);
        let resumed = picture.resume(folder.path());
        // The second is the journal.
        assert_eq!(resumed.is_err(), replaced >> 1 & 1 == 1, "{replaced}: {resumed:?}");
        assert!(resumed.is_err() || Picture::files(folder.path()) == expected, "{replaced}");
    }
}

/// What is in a journal, as the program writes it.
#[derive(Serialize, Deserialize)]
struct Content {
    picture: String,
    files: Vec<Named>,
    marks: Vec<Mark>,
}

#[derive(Serialize, Deserialize)]
struct Named {
    role: String,
    name: String,
}

/// Somebody may write a journal with a checksum that fits.
#[test]
fn a_journal_that_contradicts_its_files_is_refused_although_its_checksum_fits() {
    const KIND: &str = "hybrid image journal";
    const VERSION: u32 = 3;
    let picture = Picture::new(160, 120, 255);
    type Lie = fn(&mut Mark);
    let lies: [(&str, Lie); 6] = [
        ("less than the head of the picture", |mark| mark.files[0].bytes = 1),
        ("less than the head of the counts", |mark| mark.files[1].bytes = 0),
        ("more than there can be", |mark| mark.files[0].bytes = u64::MAX),
        ("one file", |mark| mark.files.truncate(1)),
        ("more bands than there are", |mark| mark.tally.bands = 1000),
        ("counts beyond the limit", |mark| mark.tally.max = 256),
    ];
    for (lie, tell) in lies {
        let folder = tempfile::tempdir().unwrap();
        picture.leave(folder.path(), &[40]);
        let journal = folder.path().join("a.png.journal");
        let mut content: Content = unseal(KIND, VERSION, &fs::read(&journal).unwrap()).unwrap();
        tell(&mut content.marks[0]);
        fs::write(&journal, seal(KIND, VERSION, &content)).unwrap();
        match picture.resume(folder.path()) {
            Err(error) => assert!(error.to_string().contains("contradict"), "{lie}: {error}"),
            // What is not there is computed again.
            Ok((done, told)) => assert!(done == 0 && told[0].contains("damaged"), "{lie}: {done} {told:?}"),
        }
    }
}

#[test]
fn damage_in_the_middle_costs_the_bands_from_there_on() {
    let picture = Picture::new(160, 120, 255);
    let folder = tempfile::tempdir().unwrap();
    picture.leave(folder.path(), &[40]);
    let path = folder.path().join("a.npy.part");
    let mut counts = fs::read(&path).unwrap();
    // A byte of row 30, which is band 30.
    let head = counts.len() - 160 * 120;
    counts[head + 30 * 160] ^= 1;
    fs::write(&path, counts).unwrap();
    let (done, told) = picture.resume(folder.path()).unwrap();
    assert_eq!(done, 30);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("damaged: of 40 bands that were noted 10 are computed again"), "{told:?}");
}

#[test]
fn a_complete_picture_is_not_computed_again_and_a_changed_one_is() {
    let picture = Picture::new(160, 120, 255);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(picture.resume(folder.path()).unwrap().0, 0);
    let expected = Picture::files(folder.path());
    let (done, told) = picture.resume(folder.path()).unwrap();
    assert_eq!((done, told.len()), (picture.bands(), 1), "{told:?}");
    assert!(told[0].contains("a.png and ") && told[0].contains("complete already"), "{told:?}");
    let other = Picture::new(160, 120, 254);
    assert_eq!(other.resume(folder.path()).unwrap().0, 0, "it is of another picture");
    assert_eq!(picture.resume(folder.path()).unwrap().0, 0);
    for (name, at) in [("a.png", 100), ("a.png", 4000), ("a.npy", 20), ("a.npy", 10_000)] {
        let path = folder.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(picture.resume(folder.path()).unwrap().0, 0, "byte {at} of {name}");
        assert!(Picture::files(folder.path()) == expected, "byte {at} of {name}");
    }
    fs::remove_file(folder.path().join("a.npy")).unwrap();
    assert_eq!(picture.resume(folder.path()).unwrap().0, 0);
}

#[test]
fn no_damage_to_the_state_of_pi_is_believed() {
    let mut random = Random(7);
    let folder = tempfile::tempdir().unwrap();
    let start = Checkpoint::start(7, Some(1e-6));
    let state = Checkpoint { darts: 123_456_789, hits: 96_962_736, target: 200_000_000, ..start.clone() };
    let other = Checkpoint { darts: 123_456_788, ..state.clone() };
    let path = folder.path().join("pi.json");
    let file = StateFile::hold(&path).unwrap();
    for _ in 0..MANY {
        let (bytes, kind) = damaged(&state.text(), &other.text(), &mut random);
        fs::write(&path, &bytes).unwrap();
        match file.read(start.clone()) {
            Ok(read) => assert!(read == state && bytes == state.text() || read == other, "{kind}"),
            Err(error) => assert!(bytes != state.text() && error.to_string().contains("pi.json"), "{kind}: {error}"),
        }
    }
}
