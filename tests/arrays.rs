//! The guide's chapter on arrays and files: its programs leave files, its Python reads them and prints what the page shows, and ndarray's
//! calls do what its table says.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[allow(dead_code, reason = "the examples' test uses the rest")]
mod guide;
mod support;

use std::{fs, path::Path, process::Command};

use guide::blocks_of;
use ndarray::{Array2, Axis, ShapeBuilder, array, s};
use support::{HYBRID, Job, python};

const CHAPTER: &str = include_str!("../docs/guide/src/23-arrays.md");

/// The blocks of a page whose fence has these words behind it, each with the block that follows it.
fn marked<'a>(chapter: &'a str, words: &str) -> Vec<(&'a str, &'a str)> {
    let mut blocks = Vec::new();
    let mut parts = chapter.split("\n```").skip(1).step_by(2).peekable();
    while let Some(part) = parts.next() {
        let text = |part: &'a str| part.split_once('\n').unwrap().1;
        if part.lines().next() == Some(words) {
            blocks.push((text(part), parts.peek().map_or("", |next| text(next))));
        }
    }
    blocks
}

/// What the Python of a page does not print as the page shows, in a folder with the files that its other commands leave.
fn differences(chapter: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for block in blocks_of("23-arrays.md", chapter) {
        let program = Path::new(HYBRID).with_file_name("examples").join(&block.example);
        let ranks = block.ranks.to_string();
        Job::launched(folder.path(), &["-n", &ranks], &[program.to_str().unwrap()], &block.args).run().succeeded();
    }
    for (command, _) in marked(chapter, "sh run") {
        let words = command.trim().strip_prefix("mpiexec -n 2 target/release/hybrid ").expect("a job of two ranks");
        Job::mpiexec(folder.path(), 2, words).run().succeeded();
    }
    let scripts = marked(chapter, "python run");
    assert!(!scripts.is_empty(), "nothing was tried");
    let wrong = scripts.into_iter().filter_map(|(script, shown)| {
        let mut command = Command::new(python());
        command.args(["-c", script]);
        let job = Job::of(command, folder.path()).run();
        let is_shown = job.code == Some(0) && job.stdout.trim_end() == shown.trim_end();
        (!is_shown).then(|| format!("{script}\nprinted:\n{}{}\nshown:\n{shown}", job.stdout, job.stderr))
    });
    wrong.collect()
}

#[test]
fn python_prints_what_the_chapter_shows() {
    let wrong = differences(CHAPTER);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_wrong_output_and_a_script_that_fails_are_found_out() {
    for chapter in
        ["a\n```python run\nprint(1)\n```\n\n```text\n2\n```\n", "a\n```python run\nprint(\n```\n\n```text\n\n```\n"]
    {
        assert_eq!(differences(chapter).len(), 1, "{chapter}");
    }
    assert_eq!(differences("a\n```python run\nprint(1)\n```\n\n```text\n1\n```\n"), [""; 0]);
}

/// The right column of the table at the chapter's end.
#[test]
fn the_calls_of_ndarray_do_what_the_table_says() {
    assert_eq!(array![[1_i32, 2], [3, 4]][[1, 0]], 3);
    assert_eq!(Array2::<f64>::zeros((3, 4)).sum(), 0.0);
    let mut a = Array2::from_shape_vec((3, 4), (0..12).collect::<Vec<i32>>()).unwrap();
    assert_eq!((a.shape(), a.len(), a.strides(), a[[1, 2]]), (&[3, 4][..], 12, &[4, 1][..], 6));
    assert_eq!((a.row(1).to_vec(), a.column(1).to_vec()), (vec![4, 5, 6, 7], vec![1, 5, 9]));
    assert_eq!(a.slice(s![0..2, 1..;2]), array![[1, 3], [5, 7]]);
    assert_eq!((a.t().strides(), a.t().as_slice()), (&[1, 4][..], None));
    assert_eq!(a.t().as_standard_layout().as_slice().unwrap()[..4], [0, 4, 8, 1]);
    assert_eq!(Array2::<i32>::zeros((3, 4).f()).strides(), [1, 3]);
    assert_eq!((a.sum(), a.sum_axis(Axis(0))), (66, array![12, 15, 18, 21]));
    assert_eq!((&a * &a)[[2, 3]], 121);
    assert_eq!(a.mapv(|x| if x > 2 { x } else { 0 }).row(0), array![0, 0, 0, 3]);
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("a.npy");
    ndarray_npy::write_npy(&name, &a).unwrap();
    assert_eq!(ndarray_npy::read_npy::<_, Array2<i32>>(&name).unwrap(), a);
    let bytes = fs::read(&name).unwrap()[128..].to_vec();
    assert_eq!(bytemuck::pod_collect_to_vec::<u8, i32>(&bytes)[11].to_le(), 11);
    a.slice_mut(s![.., 1]).fill(100);
    assert_eq!(a.row(0).to_vec(), [0, 100, 2, 3]);
}
