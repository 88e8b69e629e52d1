//! A stream whose other end is gone or full: the exit code is that of the work.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::HYBRID;

/// Runs `hybrid words` with its stdout or stderr (1 or 2) as the shell's `end` makes it, and returns the exit code, beside the
/// other stream.
fn run(folder: &Path, words: &str, stream: u8, end: &str) -> Output {
    // Python makes the ends: Rust has no terminals.
    let script = match end {
        "no reader" => format!(
            "import os, subprocess, sys\n\
             r, w = os.pipe()\nos.close(r)\n\
             ends = {{1: subprocess.PIPE, 2: subprocess.PIPE}}\nends[{stream}] = w\n"
        ),
        "no terminal" => format!(
            "import os, pty, subprocess, sys\n\
             m, w = pty.openpty()\nos.close(m)\n\
             ends = {{1: subprocess.PIPE, 2: subprocess.PIPE}}\nends[{stream}] = w\n"
        ),
        "full" => format!(
            "import os, subprocess, sys\n\
             ends = {{1: subprocess.PIPE, 2: subprocess.PIPE}}\nends[{stream}] = os.open('/dev/full', os.O_WRONLY)\n"
        ),
        _ => format!(
            "import os, subprocess, sys\n\
             os.close({stream})\nends = {{1: None, 2: None, {}: subprocess.PIPE}}\n",
            3 - stream
        ),
    };
    let script = format!(
        "{script}p = subprocess.run(sys.argv[1:], stdout=ends[1], stderr=ends[2], stdin=subprocess.DEVNULL)\n\
         f = open('result', 'wb')\n\
         f.write((p.stdout or b'') + (p.stderr or b''))\nf.close()\n\
         os._exit(p.returncode if p.returncode >= 0 else 200 - p.returncode)\n"
    );
    Command::new("python3")
        .args(["-c", &script, HYBRID])
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("python3: run `make setup-test`")
}

#[test]
fn the_exit_code_is_that_of_the_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.rankfile"), "rank 0=vm slot=p1\n").unwrap();
    fs::write(folder.path().join("good.rankfile"), "rank 0=vm slot=0\n").unwrap();
    for end in ["no reader", "no terminal", "closed", "full"] {
        for (words, code) in [
            ("--help", 0),
            ("julia --help", 0),
            ("--version", 0),
            ("", 2),
            ("julia --bogus", 2),
            ("rankfile check bad.rankfile", 1),
            ("rankfile explain good.rankfile", 0),
            ("where --strict --rankfile /no/such", 1),
            ("julia --scale 1 --device cpu -o a.png", 0),
            ("pi --darts 1000 --device cpu", 0),
        ] {
            for stream in [1, 2] {
                // On a disk that is full, what was asked for on stdout is lost, which is a failure; beside files it is none.
                let is_lost = end == "full" && stream == 1 && code == 0 && !words.contains(".png");
                let expected = if is_lost { 1 } else { code };
                let output = run(folder.path(), words, stream, end);
                let said = fs::read_to_string(folder.path().join("result")).unwrap();
                assert_eq!(output.status.code(), Some(expected), "`{words}`, stream {stream}, {end}: {said}");
                if end == "full" && stream == 1 && code == 0 {
                    assert!(said.contains("standard output") && said.contains("No space left"), "{words}: {said}");
                }
            }
        }
    }
    assert!(folder.path().join("a.png").exists());
}
