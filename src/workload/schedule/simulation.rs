//! The scheduler in virtual time: ranks of any rate, assignments that take time on their way, one rank 0 that serves them all.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{Assignment, Measured, Scheduler, rate::SERVICE_S};

/// Bands a second of a rank at a time.
type Rate<'a> = &'a dyn Fn(f64) -> f64;

/// What a simulated job came to. Times in seconds.
struct Job {
    /// When the last band was done.
    end_s: f64,
    /// Longest time that a rank waited for assignments, all together.
    wait_s: f64,
    /// Orders and deliveries, each once.
    messages: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A delivery reaches rank 0. Times in nanoseconds.
    HandedIn { bands: u32, elapsed: u64, round_trip: u64 },
    /// An assignment reaches a rank.
    Assigned { first: u32, count: u32, limit_us: u32, answers: u32 },
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "virtual times of some minutes")]
fn nanoseconds(time_s: f64) -> u64 {
    (time_s * 1e9) as u64
}

fn seconds(time_ns: u64) -> f64 {
    time_ns as f64 / 1e9
}

/// A job of `bands` bands, whose messages take `way_s` seconds; rank 0 serves one at a time in [`SERVICE_S`]. Checks that
/// every band is done once.
fn simulate(mut scheduler: Scheduler, bands: u32, rates: &[Rate<'_>], way_s: f64) -> Job {
    let mut events = BinaryHeap::new();
    let mut done = vec![0_u8; bands as usize];
    let (mut free_from, mut waited) = (vec![0_u64; rates.len()], vec![0_u64; rates.len()]);
    let mut deliveries = vec![Vec::new(); rates.len()];
    // Orders handed in when the last one was given back in part, and when the rank was told that there is no more.
    let (mut gave_back, mut leaves_with) = (vec![0; rates.len()], vec![None; rates.len()]);
    let (mut server_free, mut messages) = (0, 0);
    loop {
        for (rank, Assignment { chunk, limit_us, answers }) in scheduler.assignments(&(0..u32::MAX)) {
            server_free += nanoseconds(SERVICE_S) / 2;
            messages += 1;
            assert_eq!(chunk.stride, 1, "assigned dynamically");
            let assignment = Event::Assigned { first: chunk.first, count: chunk.count, limit_us, answers };
            events.push(Reverse((server_free + nanoseconds(way_s), rank, assignment)));
        }
        let Some(Reverse((now, rank, event))) = events.pop() else { break };
        match event {
            Event::HandedIn { bands, elapsed, round_trip } => {
                server_free = now.max(server_free) + nanoseconds(SERVICE_S) / 2;
                messages += 1;
                scheduler
                    .hand_in(rank, Measured { bands, elapsed_s: seconds(elapsed), round_trip_s: seconds(round_trip) });
            }
            // The rank leaves when it has done what it holds, unless it gives back a part of that.
            Event::Assigned { count: 0, answers, .. } => leaves_with[rank] = Some(answers as usize),
            Event::Assigned { first, count, limit_us, answers } => {
                let has_left = leaves_with[rank].is_some_and(|answers| gave_back[rank] <= answers);
                assert!(!has_left, "rank {rank} gets an assignment at {} s when it has left", seconds(now));
                let begins = now.max(free_from[rank]);
                let band_s = 1.0 / rates[rank](seconds(begins));
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
                let in_time = (f64::from(limit_us) / 1e6 / band_s).ceil() as u32;
                let bands = if limit_us == Assignment::NO_LIMIT { count } else { count.min(in_time.max(1)) };
                (first..first + bands).for_each(|band| done[band as usize] += 1);
                let elapsed = nanoseconds(f64::from(bands) * band_s);
                waited[rank] += begins - free_from[rank];
                free_from[rank] = begins + elapsed;
                let answered = answers.checked_sub(1).map(|index| deliveries[rank][index as usize]);
                let round_trip = answered.map_or(0, |delivered: u64| now - delivered);
                deliveries[rank].push(free_from[rank]);
                if bands < count {
                    gave_back[rank] = deliveries[rank].len();
                }
                let handed_in = Event::HandedIn { bands, elapsed, round_trip };
                events.push(Reverse((free_from[rank] + nanoseconds(way_s), rank, handed_in)));
            }
        }
    }
    assert!(scheduler.is_over() && done.iter().all(|times| *times == 1), "every band is done once");
    let last = |times: Vec<u64>| seconds(times.into_iter().max().unwrap_or(0));
    Job { end_s: last(free_from), wait_s: last(waited), messages }
}

fn dynamic(bands: u32, ranks: usize) -> Scheduler {
    Scheduler::new(0..bands, vec![1; ranks], u32::MAX)
}

/// A message between hosts, in seconds.
const WAY_S: f64 = 50e-6;

#[test]
fn devices_of_a_thousand_to_one_end_together() {
    let rates: [Rate<'_>; 4] = [&|_| 10_000.0, &|_| 10.0, &|_| 10.0, &|_| 100.0];
    let job = simulate(dynamic(20_000, 4), 20_000, &rates, WAY_S);
    let ideal_s = 20_000.0 / 10_120.0;
    assert!(job.end_s < 1.1 * ideal_s, "{} s against {ideal_s} s", job.end_s);
}

#[test]
fn a_rank_that_slows_down_to_a_tenth_in_mid_run_costs_little() {
    let slows = |now: f64| if now < 1.0 { 1000.0 } else { 100.0 };
    let rates: [Rate<'_>; 4] = [&|_| 1000.0, &slows, &|_| 1000.0, &|_| 1000.0];
    let job = simulate(dynamic(12_000, 4), 12_000, &rates, WAY_S);
    let ideal_s = 1.0 + (12_000.0 - 4000.0) / 3100.0;
    assert!(job.end_s < 1.05 * ideal_s, "{} s against {ideal_s} s", job.end_s);
}

#[test]
fn a_short_job_with_a_rank_of_a_tenth_of_the_speed_ends_in_time() {
    let rates: [Rate<'_>; 4] = [&|_| 1500.0, &|_| 150.0, &|_| 1500.0, &|_| 1500.0];
    let job = simulate(dynamic(600, 4), 600, &rates, WAY_S);
    // With the start of the ranks, as the user waits for it; chunks are long where nothing is known of the way of assignments.
    let start_s = 0.07;
    let ideal_s = start_s + 600.0 / 4650.0;
    assert!(start_s + job.end_s < 1.15 * ideal_s, "{} s against {ideal_s} s", start_s + job.end_s);
}

#[test]
fn rows_that_cost_a_thousand_times_as_much_as_those_before_are_shared() {
    // What is done in the first millisecond tells nothing of the rest.
    let rate: Rate<'_> = &|now| if now < 0.001 { 50_000.0 } else { 50.0 };
    let job = simulate(dynamic(65, 2), 65, &[rate; 2], 0.001);
    assert!(job.end_s < 1.3 * 65.0 / 100.0, "{} s", job.end_s);
}

#[test]
fn a_scheduler_that_took_nothing_back_would_be_caught_here() {
    // Chunks as large, and none with a limit: what the first assignment of the slow rank holds.
    let rates: [Rate<'_>; 4] = [&|_| 1500.0, &|_| 150.0, &|_| 1500.0, &|_| 1500.0];
    let assignments = dynamic(600, 4).assignments(&(0..u32::MAX));
    let first = assignments.iter().find(|(rank, _)| *rank == 1).map_or(0, |(_, assignment)| assignment.chunk.count);
    let alone_s = f64::from(first) / rates[1](0.0);
    assert!(alone_s > 1.15 * 600.0 / 4650.0, "{alone_s} s for {first} bands");
}

#[test]
fn ranks_that_share_cores_do_not_wait_for_assignments() {
    // Each message waits some turns of the scheduler; 100 ms of work for each rank.
    let rate: Rate<'_> = &|_| 1500.0;
    let job = simulate(dynamic(600, 4), 600, &[rate; 4], 0.004);
    let compute_s = 600.0 / 1500.0 / 4.0;
    let at_the_start_s = 0.004 + SERVICE_S * 4.0;
    assert!(job.wait_s - at_the_start_s < 0.05 * compute_s, "{} s", job.wait_s);
    assert!(job.end_s < 1.15 * (compute_s + at_the_start_s), "{} s", job.end_s);
}

#[test]
fn ten_thousand_ranks_are_served_by_one() {
    let ranks = 10_000;
    let rate: Rate<'_> = &|_| 200.0;
    // 40 s of work for every rank, in bands of 5 ms.
    let bands = 80_000_000;
    let job = simulate(dynamic(bands, ranks), bands, &vec![rate; ranks], WAY_S);
    let ideal_s = f64::from(bands) / (200.0 * ranks as f64);
    assert!(job.end_s < 1.05 * ideal_s, "{} s against {ideal_s} s, {} messages", job.end_s, job.messages);
    assert!(job.messages < 100 * ranks, "{} messages", job.messages);
}
