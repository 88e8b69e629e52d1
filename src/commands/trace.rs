//! `--trace FILE.json`: what each rank does is recorded from the start of a job, and written when it is done.

use std::time::{Duration, Instant};

use super::beginning;
use crate::{
    cli::ReportArgs,
    comm::{Failure, World},
    output::{
        file::whole::WholeFile,
        report::trace::{RankTrace, trace},
    },
    timeline::{self, Track, What},
};

/// A trace that is being recorded.
#[derive(Debug)]
pub(super) struct Tracing {
    /// When the record began.
    zero: Instant,
    /// The file, on rank 0.
    file: Option<WholeFile>,
}

impl Tracing {
    /// Records from now on, where that is wanted; the process began at `began` and has been starting for `start_s` seconds. Collective.
    pub(super) fn begin(
        world: &World,
        args: &ReportArgs,
        began: Instant,
        start_s: f64,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.trace else { return Ok(None) };
        let file =
            world.agree(Some(path).filter(|_| world.is_root()).map(|path| WholeFile::create(path)).transpose())?;
        timeline::turn_on(began);
        timeline::note(Track::Main, What::Start, began, Duration::from_secs_f64(start_s), 0);
        Ok(Some(Self { zero: began, file }))
    }

    /// Writes what all ranks have recorded. Collective.
    pub(super) fn end(self, world: &World, command: &str) -> Result<(), Failure> {
        let record = timeline::take();
        let zero = beginning(world, self.zero);
        let mine = RankTrace { rank: world.rank(), host: world.host().to_owned(), zero, record };
        let ranks = world.all.gather(&mine);
        let written = self.file.zip(ranks).map(|(file, ranks)| file.complete(trace(command, &ranks).as_bytes()));
        world.agree(written.unwrap_or(Ok(())))
    }
}
