//! What all ranks did when, as a trace that Perfetto and Chrome's tracing show: a process for each node, and for each rank a track for the
//! thread that speaks MPI, one for its work and one for its GPU. The format is Chrome's "Trace Event Format", complete events.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    comm::Beginning,
    timeline::{Record, Span, Track, What},
};

/// What a rank recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankTrace {
    /// The rank.
    pub rank: usize,
    /// Its node.
    pub host: String,
    /// The record's zero.
    pub zero: Beginning,
    /// What it did.
    pub record: Record,
}

/// One JSON object for all ranks, times in microseconds since the first of them began.
#[must_use]
pub fn trace(command: &str, ranks: &[RankTrace]) -> String {
    let zero = |rank: &RankTrace| rank.zero.by_rank_0_ns();
    let first = ranks.iter().map(zero).min().unwrap_or_default();
    let mut hosts: Vec<&str> = Vec::new();
    let mut events: Vec<Value> = Vec::new();
    let mut left_out: Vec<Value> = Vec::new();
    for rank in ranks {
        let node = hosts.iter().position(|host| *host == rank.host).unwrap_or_else(|| {
            hosts.push(&rank.host);
            let pid = hosts.len() - 1;
            events.push(json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": rank.host}}));
            pid
        });
        let mut tracks: Vec<Track> = rank.record.spans.iter().map(|span| span.track).collect();
        tracks.sort_unstable();
        tracks.dedup();
        for track in tracks {
            let (tid, name) = (tid(rank.rank, track), format!("rank {}{}", rank.rank, suffix(track)));
            events.push(json!({"ph": "M", "name": "thread_name", "pid": node, "tid": tid, "args": {"name": name}}));
            events.push(
                json!({"ph": "M", "name": "thread_sort_index", "pid": node, "tid": tid, "args": {"sort_index": tid}}),
            );
        }
        let shift_ns = zero(rank).saturating_sub(first);
        events.extend(rank.record.spans.iter().map(|span| event(rank, node, shift_ns, span)));
        left_out.extend(rank.record.left_out.iter().map(|(what, sum)| {
            json!({"rank": rank.rank, "name": name(*what), "spans": sum.spans, "seconds": micros(sum.length_ns) / 1e6})
        }));
    }
    let clocks: Vec<Value> = ranks
        .iter()
        .map(|rank| json!({"rank": rank.rank, "ahead_ns": rank.zero.clock.ahead_ns, "error_ns": rank.zero.clock.error_ns}))
        .collect();
    let other = json!({"program": format!("hybrid {}", env!("CARGO_PKG_VERSION")), "command": command, "clocks": clocks, "left_out": left_out});
    json!({"displayTimeUnit": "ns", "otherData": other, "traceEvents": events}).to_string() + "\n"
}

fn event(rank: &RankTrace, node: usize, shift_ns: i64, span: &Span) -> Value {
    let begin_ns = i64::try_from(span.begin_ns).unwrap_or(i64::MAX).saturating_add(shift_ns).max(0).unsigned_abs();
    let mut args = json!({"rank": rank.rank});
    if span.size > 0 {
        args[unit(span.what)] = span.size.into();
    }
    json!({
        "ph": "X",
        "name": name(span.what),
        "cat": name(span.what),
        "pid": node,
        "tid": tid(rank.rank, span.track),
        "ts": micros(begin_ns),
        "dur": micros(span.length_ns),
        "args": args,
    })
}

/// Tracks of a rank stand below each other.
fn tid(rank: usize, track: Track) -> usize {
    3 * rank + track as usize
}

fn suffix(track: Track) -> &'static str {
    match track {
        Track::Main => "",
        Track::Work => ": work",
        Track::Gpu => ": GPU",
    }
}

fn name(what: What) -> &'static str {
    match what {
        What::Start => "start",
        What::Device => "device",
        What::Compute => "compute",
        What::Wait => "wait",
        What::Receive => "receive",
        What::Write => "write",
        What::Dispatch => "dispatch",
    }
}

fn unit(what: What) -> &'static str {
    match what {
        What::Receive => "bytes",
        What::Start | What::Device | What::Compute | What::Wait | What::Write | What::Dispatch => "pieces",
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of 100 days are exact in 53 bits")]
fn micros(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{comm::ClockOffset, timeline::LeftOut};

    #[test]
    fn ranks_lie_on_one_time_axis_and_below_their_nodes() {
        let span = |what, track, begin_ns, size| Span { what, track, begin_ns, length_ns: 500, size };
        let rank = |rank: usize, host: &str, zero_ns, ahead_ns, spans| RankTrace {
            rank,
            host: host.to_owned(),
            zero: Beginning { own_ns: zero_ns, clock: ClockOffset { ahead_ns, error_ns: 9 } },
            record: Record { spans, left_out: [(What::Wait, LeftOut { spans: 2, length_ns: 4_000 })].into() },
        };
        let text = trace(
            "pi",
            &[
                rank(0, "a", 1_000_000, 0, vec![span(What::Compute, Track::Work, 2_000, 3)]),
                rank(1, "b", 9_001_000, 8_000_000, vec![span(What::Receive, Track::Main, 0, 77)]),
            ],
        );
        let trace: Value = serde_json::from_str(&text).unwrap();
        let of = |name: &str| {
            let events = trace["traceEvents"].as_array().unwrap();
            events.iter().find(|event| event["ph"] == "X" && event["name"] == name).unwrap().clone()
        };
        let (compute, receive) = (of("compute"), of("receive"));
        assert_eq!(
            (&compute["ts"], &compute["dur"], &compute["args"]["pieces"]),
            (&2.0.into(), &0.5.into(), &3.into())
        );
        // It began a microsecond later, by rank 0's clock.
        assert_eq!((&receive["ts"], &receive["pid"], &receive["args"]["bytes"]), (&1.0.into(), &1.into(), &77.into()));
        assert_eq!(trace["otherData"]["left_out"][0]["spans"], 2);
    }
}
