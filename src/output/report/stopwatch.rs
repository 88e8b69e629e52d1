//! A report as the lines of cloudmesh's StopWatch, which scripts find with `fgrep "# csv"` and cut at commas: so no field has one.
//! Times are in seconds with nine digits; when a phase began is told in UTC by rank 0's clock.

use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_nanos;
use serde::{Deserialize, Serialize};

use super::{RankReport, RankRun, Report, Share, Summary};
use crate::{comm::Beginning, visible::visible};

/// What stands above the lines, and names their fields.
const HEADER: &str = "# csv,timer,status,time,sum,start,tag,msg,uname.node,user,uname.system,platform.version";

/// When a rank's process began, and on what system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankClock {
    /// When its process began.
    pub began: Beginning,
    /// Who runs it.
    pub user: String,
    /// The operating system.
    pub system: String,
    /// Its release.
    pub release: String,
}

impl<S: Summary> Report<S> {
    /// A line for each phase of each rank, then its least, mean and most over ranks and the imbalance, most over mean less one; and
    /// what the command measured as a whole. `clocks` has one for each rank.
    #[must_use]
    pub fn stopwatch(&self, clocks: &[RankClock]) -> String {
        let command = self.head.command;
        let mut text = format!("{HEADER}\n");
        for (rank, clock) in self.ranks.iter().zip(clocks) {
            for Timer { phase, time_s, after_s } in timers(rank) {
                let name = format!("{command} {phase} rank {}", rank.run.rank);
                let device = format!("{} +- {} ns", rank.run.adapter, clock.began.clock.error_ns);
                text += &line(&name, time_s, clock, after_s, [rank.run.device.to_string(), device], &rank.run.host);
            }
        }
        let Some((first, clock)) = self.ranks.first().zip(clocks.first()) else { return text };
        for (index, Timer { phase, after_s, .. }) in timers(first).into_iter().enumerate() {
            let of_phase = |rank: &RankReport<S::Share>| timers(rank).get(index).map(|timer| timer.time_s);
            let times: Vec<f64> = self.ranks.iter().filter_map(of_phase).collect();
            for (what, value) in over_ranks(&times) {
                let tag = ["ranks".to_owned(), format!("over {} ranks", times.len())];
                text += &line(&format!("{command} {phase} {what}"), value, clock, after_s, tag, &first.run.host);
            }
        }
        for (phase, time_s) in self.summary.timers() {
            let tag = ["job".to_owned(), format!("{} ranks", self.ranks.len())];
            text += &line(&format!("{command} {phase}"), time_s, clock, 0.0, tag, &first.run.host);
        }
        text
    }
}

/// A phase of a rank.
struct Timer {
    phase: &'static str,
    time_s: f64,
    /// From the start of the process until it began first.
    after_s: f64,
}

/// The phases of a rank: those of every workload, and those of its share, which begin with the work.
fn timers<S: Share>(RankReport { run, share }: &RankReport<S>) -> Vec<Timer> {
    let RankRun { start_s, device_s, compute_s, wait_s, .. } = *run;
    let work = start_s + device_s;
    let timer = |phase, time_s, after_s| Timer { phase, time_s, after_s };
    let every = [
        timer("start", start_s, 0.0),
        timer("device", device_s, start_s),
        timer("compute", compute_s, work),
        timer("wait", wait_s, work),
    ];
    every.into_iter().chain(share.timers().into_iter().map(|(phase, time_s)| timer(phase, time_s, work))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "ranks are counted in 32 bits")]
fn over_ranks(times: &[f64]) -> [(&'static str, f64); 4] {
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    let most = times.iter().copied().fold(0.0, f64::max);
    let imbalance = if mean > 0.0 { most / mean - 1.0 } else { 0.0 };
    [
        ("min", times.iter().copied().fold(f64::INFINITY, f64::min)),
        ("mean", mean),
        ("max", most),
        ("imbalance", imbalance),
    ]
}

fn line(timer: &str, time_s: f64, clock: &RankClock, after_s: f64, [tag, msg]: [String; 2], host: &str) -> String {
    let time = format!("{time_s:.9}");
    let fields = [
        timer,
        "ok",
        &time,
        &time,
        &began(clock, after_s),
        &tag,
        &msg,
        host,
        &clock.user,
        &clock.system,
        &clock.release,
    ];
    let fields: Vec<String> = fields.iter().map(|field| visible(&field.replace(',', ";")).into_owned()).collect();
    format!("# csv,{}\n", fields.join(","))
}

/// Such as `2026-05-04 03:02:01.000000001`.
fn began(clock: &RankClock, after_s: f64) -> String {
    let began_ns = clock.began.by_rank_0_ns().unsigned_abs();
    let at = SystemTime::UNIX_EPOCH + Duration::from_nanos(began_ns) + Duration::from_secs_f64(after_s.max(0.0));
    format_rfc3339_nanos(at).to_string().replace('T', " ").replace('Z', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        comm::ClockOffset,
        device::Kind,
        output::report::{
            example_head, example_run,
            pi::{PiShare, PiSummary},
        },
    };

    fn clock(ahead_ns: i64) -> RankClock {
        RankClock {
            began: Beginning { own_ns: 1_000_000_000 + ahead_ns, clock: ClockOffset { ahead_ns, error_ns: 40 } },
            user: "a,b".into(),
            system: "Linux".into(),
            release: "6.1".into(),
        }
    }

    #[test]
    fn every_line_has_twelve_fields_and_clocks_are_one() {
        let ranks: Vec<_> = [0.5, 1.5]
            .into_iter()
            .enumerate()
            .map(|(rank, compute_s)| RankReport {
                run: RankRun { compute_s, ..example_run(rank, Kind::Cpu, "A CPU, 4 cores", None) },
                share: PiShare { darts: 1, hits: 1 },
            })
            .collect();
        let summary = PiSummary {
            seed: 7,
            darts: 2,
            hits: 2,
            pi: 4.0,
            std_error: 0.1,
            deviation: 0.0,
            resumed_darts: 0,
            total_s: 2.0,
            throw_s: 1.5,
            darts_per_s: 1.0,
        };
        let report = Report { head: example_head("pi"), summary, notes: Vec::new(), ranks };
        let text = report.stopwatch(&[clock(0), clock(5_000_000)]);
        assert!(text.lines().all(|line| line.split(',').count() == HEADER.split(',').count()), "{text}");
        for expected in [
            "# csv,pi compute rank 1,ok,1.500000000,1.500000000,1970-01-01 00:00:01.300000000,cpu,A CPU; 4 cores +- 40 ns,pi4,a;b,Linux,6.1",
            "# csv,pi start rank 0,ok,0.250000000,0.250000000,1970-01-01 00:00:01.000000000,",
            "# csv,pi compute mean,ok,1.000000000,",
            "# csv,pi compute imbalance,ok,0.500000000,",
            "# csv,pi total,ok,2.000000000,",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }
}
