//! The program `hybrid`: everything it does is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    hybrid::run()
}
