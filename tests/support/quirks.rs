//! What some launchers and libraries cannot do by themselves, whatever program they start, so that tests ask for no more.

use std::{process::Command, sync::LazyLock};

use super::{
    Finished,
    launchers::{Launcher, kind, launcher},
};

/// Whether the launcher may end with 0 although a rank was killed. MPICH's did from 4.1 until 4.3: where it saw the end of a
/// second rank before it had the status of the first, it took both for ranks that it had killed itself ("hydra/proxy: prevent
/// double resetting exit_status").
fn may_hide_a_kill() -> bool {
    static MAY: LazyLock<bool> = LazyLock::new(|| {
        let output = Command::new(&launcher()[0]).arg("--version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let version = text.lines().find_map(|line| line.trim().strip_prefix("Version:")).unwrap_or_default();
        kind() == Some(Launcher::Mpich) && ["4.1", "4.2"].iter().any(|bad| version.trim().starts_with(bad))
    });
    *MAY
}

impl Finished {
    /// Passes on a job of which a rank was killed, where the launcher's exit code says so or cannot.
    #[track_caller]
    pub fn was_killed(self) -> Self {
        assert!(self.code != Some(0) || may_hide_a_kill(), "{self:#?}");
        self
    }

    /// Whether MPI itself could not start further ranks: the device `ch4:ucx` of MPICH before 5, as Debian builds it, has no ports.
    pub fn cannot_spawn(&self) -> bool {
        kind() == Some(Launcher::Mpich)
            && self.stderr.contains("MPID_Comm_spawn_multiple(")
            && self.stderr.contains(": Error in spawn call")
    }
}

/// What Open MPI 5 says where it could not start, by chance and whatever it was to start: seen once in 360 starts, six at a time.
/// Who starts it again has what it would have done.
const DID_NOT_START: &str = "The PMIx server's listener thread failed to start";
/// How often a launcher that did not start is started again.
const STARTS: u32 = 3;

/// What comes of `start`, which is tried again where what the launcher has `said` is that it did not start.
pub fn started_at_last<T>(mut start: impl FnMut() -> T, said: impl Fn(&T) -> &str) -> T {
    let mut outcome = start();
    for _ in 0..STARTS {
        if !said(&outcome).contains(DID_NOT_START) {
            break;
        }
        outcome = start();
    }
    outcome
}

/// A value that keeps MPI from starting, for a program that is not to start it.
pub const NO_MPI: [(&str, &str); 3] = [
    ("OMPI_MCA_pml", "no-such-component"),
    ("MPIR_CVAR_ASYNC_PROGRESS", "neither-yes-nor-no"),
    ("MPIR_CVAR_PMI_VERSION", "no-such-version"),
];
