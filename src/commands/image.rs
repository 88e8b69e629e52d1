//! The commands that compute a picture: from the options to the files and the report.

use std::{path::Path, time::Instant};

use super::{
    Began,
    place::{self, RankDevice},
    trace::Tracing,
};
use crate::{
    cli::{Picture, Schedule},
    comm::{Failure, World},
    error::Error,
    kernel::{Kernel, band::Bands, image::Image},
    output::{
        image::color::Coloring,
        report::{
            RankReport, Report,
            image::{ImageShare, ImageSummary},
            progress::Progress,
        },
    },
    timeline::{self, Track, What},
    workload::{
        image::{
            Job, Outcome,
            assembly::Assembly,
            open::{self, Names},
            run,
            watch::Watch,
        },
        memory,
        schedule::Policy,
    },
};

/// Runs the command on all ranks. Collective.
pub(super) fn run(world: &World, asked: &dyn Picture, Began { at: started, stop }: Began) -> Result<(), Failure> {
    let start_s = started.elapsed().as_secs_f64();
    let args = asked.shared();
    let image = world.agree(picture(asked, world.size()))?;
    let stop = world.agree(stop)?;
    let tracing = Tracing::begin(world, &args.report, started, start_s)?;

    let placing = Instant::now();
    let mut place = place::take(world, &args.device, &Kernel::Image(image.kernel))?;
    let precision = place::precision(world, &place, args.precision)?;
    let took = placing.elapsed();
    timeline::note(Track::Main, What::Device, placing, took, 0);
    let device_s = took.as_secs_f64();

    let coloring = Coloring::new(args.color, args.color_scale());
    let names = Names { picture: asked.output(), counts: args.counts.as_deref() };
    let keep_counts = open::takes_counts(&image, coloring, names);
    let job = Job { image, precision, coloring, keep_counts, verify: args.verify };
    let assembly = open_files(world, asked, &job, names, place.device.identity().threads)?;
    let resumed_bands = assembly.as_ref().map_or(0, Assembly::bands);

    let bands = u64::from(job.bands().len());
    let progress = Progress::new(world.is_root(), args.report.progress, args.report.quiet, "the bands", bands);
    let policy = match args.schedule {
        Schedule::Dynamic => Policy::Dynamic,
        Schedule::Static => Policy::Static,
    };
    let watch = Watch { progress: &progress, stop: &stop };
    let cores = place.cores.clone();
    let fallback = place.fallback.clone();
    let fallback = move || fallback.open(&cores);
    let (outcome, share) = run::run(world, &mut place.device, &fallback, &job, policy, assembly, &watch)?;
    progress.finish();
    tracing.map_or(Ok(()), |tracing| tracing.end(world, job.image.kernel.name()))?;

    let notes = world.all.gather(&share.notes).into_iter().flatten().flatten();
    place.notes.extend(notes);
    place.note_missing_threads(world);
    let mine = RankReport {
        run: place.report(world, start_s, device_s, share.compute_s, share.wait_s),
        share: ImageShare {
            pixels: share.pixels,
            iterations: share.iterations,
            computed: share.computed,
            encode_s: share.encode_s,
            busy_s: share.busy_s,
        },
    };
    let clocks = super::clocks(world, args.report.form(), started);
    if let Some(ranks) = world.all.gather(&mine) {
        let mut report = report(world, asked, (&job, names), &outcome, &place, ranks, started);
        report.summary.resumed_bands = resumed_bands;
        let form = super::in_form(args.report.form(), &report, &clocks);
        super::print_beside_files(&form);
    }
    Ok(())
}

/// Rank 0's files, where every node has the memory for the job and the files' disks have the room. Collective.
fn open_files(
    world: &World,
    asked: &dyn Picture,
    job: &Job,
    names: Names<'_>,
    threads: usize,
) -> Result<Option<Assembly>, Failure> {
    let args = asked.shared();
    let needed_bytes = job.needed_bytes(threads, world.is_root());
    let what = format!("a picture of {} x {} pixels", job.image.width, job.image.height);
    world.agree(memory::check(&world.node, &what, needed_bytes, threads).map_err(Error::from))?;
    let opened = if world.is_root() { open::open(job, names, args.resume).map(Some) } else { Ok(None) };
    let (assembly, warnings) = world.agree(opened)?.unzip();
    let warnings = warnings.unwrap_or_default();
    warnings.iter().filter(|_| !args.report.quiet).for_each(|warning| super::warn(warning));
    Ok(assembly)
}

/// The picture that the options describe.
fn picture(asked: &dyn Picture, ranks: usize) -> Result<Image, Error> {
    let args = asked.shared();
    let (width, height) = args.size_px();
    let [left, right, bottom, top] = asked.view().0;
    let [radius] = args.radius.0;
    for (low, high, name) in [(left, right, "X0 is not below X1"), (bottom, top, "Y0 is not below Y1")] {
        if low >= high || !(high - low).is_finite() {
            return Err(Error::Usage(format!(
                "--view {left},{right},{bottom},{top}: {name}; give left,right,bottom,top, such as -2,2,-1.5,1.5"
            )));
        }
    }
    if radius <= 0.0 || !(radius * radius).is_finite() {
        return Err(Error::Usage(format!(
            "--radius {radius}: a radius is above 0 and its square is finite, such as 3"
        )));
    }
    if u32::try_from(ranks).is_ok_and(|ranks| ranks > height) || ranks > u32::MAX as usize {
        return Err(Error::Usage(format!(
            "{ranks} ranks for {height} rows: there is nothing to do for some; start at most {height} ranks or take a larger image"
        )));
    }
    // Noise in three colors, half as large again when compressed, and the counts.
    const MAX_BYTES_PER_PX: u64 = 5 + 2;
    let band_bytes = u64::from(Bands::of(width, height).band_rows()) * u64::from(width) * MAX_BYTES_PER_PX;
    if band_bytes > u64::from(u32::MAX / 2) {
        return Err(Error::Usage(format!(
            "{width} pixels in a row: a band of rows may come to {band_bytes} bytes, and an MPI message holds 2147483647; take a narrower picture"
        )));
    }
    let (x, y) = ((left, right), (bottom, top));
    Ok(Image { width, height, x, y, radius, max_iter: args.max_iter, kernel: asked.kernel() })
}

fn report(
    world: &World,
    asked: &dyn Picture,
    (job, names): (&Job, Names<'_>),
    outcome: &Outcome,
    place: &RankDevice,
    ranks: Vec<RankReport<ImageShare>>,
    started: Instant,
) -> Report<ImageSummary> {
    let image = &job.image;
    let Names { picture, counts } = names;
    let shown = |path: &Path| path.display().to_string();
    let summary = ImageSummary {
        width: image.width,
        height: image.height,
        parameters: image.kernel.parameters().into_iter().collect(),
        view: asked.view().0,
        radius: image.radius,
        max_iter: image.max_iter,
        precision: job.precision,
        iterations: outcome.iterations,
        computed: ranks.iter().map(|rank| rank.share.computed).sum(),
        min: outcome.min.into(),
        max: outcome.max.into(),
        resumed_bands: 0,
        band_rows: job.bands().band_rows(),
        output: shown(picture),
        counts: counts.map(shown),
        total_s: started.elapsed().as_secs_f64(),
        gather_s: outcome.gather_s,
        encode_s: ranks.iter().map(|rank| rank.share.encode_s).fold(0.0, f64::max),
        write_s: outcome.write_s,
    };
    Report { head: super::head(world, image.kernel.name()), summary, notes: place.notes.clone(), ranks }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{Cli, Parsed, parse};

    fn refused(words: &str, ranks: usize) -> String {
        let words = ["hybrid", "julia"].into_iter().chain(words.split_whitespace()).map(OsString::from);
        let Parsed::Run(Cli { command, .. }) = parse(words) else { panic!("words that parse") };
        picture(command.picture().expect("a picture's command"), ranks).unwrap_err().to_string()
    }

    #[test]
    fn options_that_make_no_picture_are_refused_with_the_value_and_the_way_out() {
        assert!(refused("--view 2,-2,-1,1", 1).contains("X0 is not below X1"));
        assert!(refused("--view -2,2,1,1", 1).contains("Y0 is not below Y1"));
        assert!(refused("--radius -1", 1).contains("--radius -1"));
        assert!(refused("--radius 1e200", 1).contains("finite"));
        assert!(refused("--size 10x3", 4).contains("4 ranks for 3 rows"));
    }
}
