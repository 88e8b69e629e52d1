//! Who ends a run when the sweep is gone: a shell that waits for a word from the sweep, or for its end. It leads the process group in
//! which the run is started, so there is no moment at which a run has nobody; and it holds the file of the results until the run is
//! over, so that a sweep that is started again does not measure beside it.

use std::{
    io::{self, PipeReader, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::output::file::lock::Lock;

/// A line ends the guard. Where its input ends without one the sweep is gone: then it ends its group, which has two seconds to do so in an
/// orderly way, as a launcher does with its ranks. Its stderr is the end of a pipe into which the run writes, and which is at its end
/// when the run is.
const SCRIPT: &str = "
trap '' TERM INT HUP
read -r word && exit
kill -TERM 0
(sleep 2; kill -KILL 0) &
cat <&2 >/dev/null
kill -KILL 0
";

/// The guard of a run.
pub(super) struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts it, with its share of the lock, for a run that writes into the other end of `pipe`.
    pub(super) fn start(lock: &Lock, pipe: PipeReader) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(lock.share()?).stderr(pipe);
        Ok(Self { shell: command.process_group(0).spawn()? })
    }

    /// Has `command` join the group.
    pub(super) fn takes(&self, command: &mut Command) {
        command.process_group(self.group().as_raw_nonzero().get());
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.shell)
    }

    /// Sends a signal to the whole group. The guard hears SIGKILL alone.
    pub(super) fn signal(&self, signal: Signal) {
        // They may all have ended.
        let _ = kill_process_group(self.group(), signal);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.shell.stdin.take() {
            // It may have been killed with its group.
            let _ = stdin.write_all(b"over\n");
        }
        let _ = self.shell.wait();
    }
}
