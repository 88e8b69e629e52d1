//! The first messages of a job: every rank tells rank 0 its build, and rank 0 tells every rank whether the job goes on. Before them
//! nothing is sent, and what they say is read by any build.
//!
//! A build from before these messages waits in a call of its own and sends none. So there is a time limit for the first from each
//! rank, which a job of one build is far from: MPI starts on all ranks together. They are messages and no collective call, which
//! would be taken for another one of such a build.

use std::{
    fmt,
    time::{Duration, Instant},
};

use mpi::{
    environment::Universe,
    topology::{Communicator, SimpleCommunicator},
};

use super::{
    Pause,
    hello::Hello,
    mail::{self, Tag},
    mixed,
};
use crate::{build_id::BuildId, error::Error, streams};

/// How long a rank may say nothing: far longer than the ranks of a job on a busy system come to run one after the other, since those
/// that wait here sleep, and MPI has started on all of them; and short enough for those who sit before it.
pub(crate) const LIMIT: Duration = Duration::from_secs(8);
/// What each rank leaves to the one before it, where rank 0 says nothing: so the first that hears nothing speaks, and no other.
const PRECEDENCE: Duration = Duration::from_millis(250);
/// The last rank that others are left to by this.
const LAST_WITH_PRECEDENCE: i32 = 12;
/// A look counts as this long at most: a process that had no turn, or was stopped, has not listened meanwhile.
const LONGEST_LOOK: Duration = Duration::from_millis(20);
/// Exit code of a job that is aborted since a rank said nothing, the same as where builds are told to differ.
const SILENT: i32 = 2;
/// Exit code of a job that is aborted since a rank could not read what it was told, as on a network that changes it.
const GARBLED: i32 = 1;
/// What rank 0 says at last, whatever the build.
const GO_ON: [u8; 8] = *b"go on\0\0\0";
const END: [u8; 8] = *b"end\0\0\0\0\0";
/// What a rank says that speaks where rank 0 does not.
const I_SPEAK: [u8; 8] = *b"I speak\0";

/// Which ranks are let into a job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admission {
    /// The build of the rank with this number; `None` for one that says nothing, as in a test.
    pub(crate) build: fn(usize) -> Option<BuildId>,
    /// Whether sources may differ where version and wire format are the same. Rank 0's counts.
    pub(crate) allows_mixed: bool,
    /// How long a rank may say nothing.
    pub(crate) limit: Duration,
}

impl Admission {
    /// All ranks are of this build.
    pub(super) const STRICT: Self =
        Self { build: |_| Some(BuildId::of_this_program()), allows_mixed: false, limit: LIMIT };
}

/// A job that is none, since its ranks are of different builds. MPI ends when this is dropped, which is after it was told.
pub(crate) struct Refused {
    message: String,
    is_root: bool,
    _universe: Universe,
}

impl Refused {
    pub(super) fn new(message: String, is_root: bool, universe: Universe) -> Self {
        Self { message, is_root, _universe: universe }
    }

    /// What is wrong and the way out, on rank 0, and on the others that something is. Ranks of different builds disagree as those do
    /// that were given different words.
    pub(crate) fn error(&self) -> Error {
        Error::Usage(self.message.clone())
    }

    /// Whether it is for this rank to say so.
    pub(crate) fn is_root(&self) -> bool {
        self.is_root
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.message).finish()
    }
}

/// Compares the builds of all ranks. Collective, before anything else is. Where they differ and that is allowed, rank 0 has what to
/// know of it.
///
/// # Errors
/// On every rank, what is wrong; rank 0 has all of it.
pub(super) fn compare(comm: &SimpleCommunicator, host: &str, admission: Admission) -> Result<Option<String>, String> {
    let number = |rank: i32| usize::try_from(rank).expect("MPI numbers ranks from 0");
    let (rank, size) = (number(comm.rank()), number(comm.size()));
    let Some(build) = (admission.build)(rank).filter(|_| size > 1) else { return Ok(None) };
    let mine = Hello { build, host: host.to_owned() };
    if rank == 0 {
        ask(comm, size, &mine, admission)
    } else {
        answer(comm, rank, size, &mine, admission.limit).map(|()| None)
    }
}

/// Rank 0's part.
fn ask(comm: &SimpleCommunicator, size: usize, mine: &Hello, admission: Admission) -> Result<Option<String>, String> {
    let tell_all = |bytes: &[u8]| (1..size).for_each(|other| mail::send(comm, other, Tag::Build, bytes));
    tell_all(&mine.to_bytes());
    let mut told = vec![None; size];
    told[0] = Some(mine.to_bytes().to_vec());
    let mut listening = Listening::for_at_most(admission.limit);
    while told.contains(&None)
        && let Some((from, bytes)) = listening.next(comm)
    {
        told[from] = Some(bytes);
    }
    let silent: Vec<usize> = (0..size).filter(|rank| told[*rank].is_none()).collect();
    if !silent.is_empty() {
        end(comm, &mixed::silent(&silent, admission.limit.as_secs(), 0, mine), SILENT);
    }
    let hellos: Vec<Option<Hello>> = told.iter().flatten().map(|bytes| Hello::of_bytes(bytes)).collect();
    let judged = mixed::judge(&hellos, admission.allows_mixed);
    tell_all(if judged.is_ok() { &GO_ON } else { &END });
    judged
}

/// The part of any other rank.
fn answer(comm: &SimpleCommunicator, rank: usize, size: usize, mine: &Hello, limit: Duration) -> Result<(), String> {
    mail::send(comm, 0, Tag::Build, &mine.to_bytes());
    let before_me = (comm.rank().min(LAST_WITH_PRECEDENCE) - 1).unsigned_abs();
    let mut listening = Listening::for_at_most(limit + PRECEDENCE * before_me);
    // Rank 0 is there, or somebody else speaks: either will end this, however long it takes.
    if listening.next(comm).is_none() {
        (rank + 1..size).for_each(|other| mail::send(comm, other, Tag::Build, &I_SPEAK));
        end(comm, &mixed::silent(&[0], limit.as_secs(), rank, mine), SILENT);
    }
    let mut listening = Listening::without_end();
    loop {
        match listening.next(comm) {
            Some((0, verdict)) if verdict == GO_ON => return Ok(()),
            Some((0, verdict)) if verdict == END => return Err("ranks of different builds are in one job".to_owned()),
            // The others may be in the job by now, and would wait for this rank.
            Some((0, _)) => end(comm, &mixed::not_understood(rank, mine), GARBLED),
            _ => {}
        }
    }
}

/// Waits for these messages from any rank.
struct Listening {
    left: Option<Duration>,
}

impl Listening {
    fn for_at_most(limit: Duration) -> Self {
        Self { left: Some(limit) }
    }

    fn without_end() -> Self {
        Self { left: None }
    }

    /// The next one and its sender; `None` where none has come in the time.
    fn next(&mut self, comm: &SimpleCommunicator) -> Option<(usize, Vec<u8>)> {
        let mut pause = Pause::default();
        loop {
            let looked = Instant::now();
            if let Some(heard) = mail::try_receive(comm, None, Tag::Build) {
                return Some(heard);
            }
            if self.left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            pause.sleep();
            self.left = self.left.map(|left| left.saturating_sub(looked.elapsed().min(LONGEST_LOOK)));
        }
    }
}

/// Says why, and ends the job: the other ranks cannot be asked for anything.
fn end(comm: &SimpleCommunicator, message: &str, code: i32) -> ! {
    streams::tell_at_last(&format!("error: {message}"));
    comm.abort(code)
}
