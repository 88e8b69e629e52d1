//! Where a rank is, as `watch.c` has written it down, and what a hang says about who waits for whom.
//!
//! Knows nothing of how jobs are run.

use std::fmt::{self, Display, Formatter};

/// What a rank does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is in none of MPI's calls that wait.
    Computes,
    /// It has left `main`, and waits for the others in MPI's end.
    Ended,
    /// It waits in a collective call.
    Collective(String),
    /// It waits for a message, of any rank where there is no number.
    Receives { call: String, from: Option<usize>, tag: Option<i32> },
    /// It waits until its message is taken.
    Sends { call: String, to: usize },
    /// It waits for a request that nothing is known of.
    Waits,
}

impl State {
    /// The state in a line `CALLS STATE`; none where the rank has not written one yet.
    pub fn of_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        match words[..] {
            [] => None,
            ["computes"] => Some(Self::Computes),
            ["ended"] => Some(Self::Ended),
            [call, "collective"] => Some(Self::Collective(call.to_owned())),
            [call, "from", from, tag] => {
                Some(Self::Receives { call: call.to_owned(), from: from.parse().ok(), tag: tag.parse().ok() })
            }
            [call, "to", to, _] => Some(Self::Sends { call: call.to_owned(), to: to.parse().ok()? }),
            _ => Some(Self::Waits),
        }
    }

    /// The rank that this one waits for.
    fn partner(&self) -> Option<usize> {
        match self {
            Self::Receives { from, .. } => *from,
            Self::Sends { to, .. } => Some(*to),
            _ => None,
        }
    }
}

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Computes => write!(f, "computes, or waits for something that is not MPI"),
            Self::Ended => write!(f, "has come to the end of main"),
            Self::Collective(call) => write!(f, "waits in {call} for the other ranks"),
            Self::Receives { call, from: Some(from), tag: None } => {
                write!(f, "waits in {call} for a message of rank {from}")
            }
            Self::Receives { call, from: Some(from), tag: Some(tag) } => {
                write!(f, "waits in {call} for a message of rank {from} with tag {tag}")
            }
            Self::Receives { call, from: None, .. } => write!(f, "waits in {call} for a message of any rank"),
            Self::Sends { call, to } => write!(f, "waits in {call} until rank {to} receives"),
            Self::Waits => write!(f, "waits for a request"),
        }
    }
}

/// What the states of all ranks of a job that hangs have in common, where that can be told.
pub fn reason(states: &[State]) -> Option<String> {
    let ranks = |is: &dyn Fn(&State) -> bool| -> Vec<usize> {
        states.iter().enumerate().filter(|(_, state)| is(state)).map(|(rank, _)| rank).collect()
    };
    let mut calls: Vec<&str> = states
        .iter()
        .filter_map(|state| match state {
            State::Collective(call) => Some(call.as_str()),
            _ => None,
        })
        .collect();
    calls.sort_unstable();
    calls.dedup();
    if calls.len() > 1 {
        return Some(format!(
            "The ranks are in different collective calls, {}. All ranks must make the same ones in the same order.",
            calls.join(" and ")
        ));
    }
    if let [call] = calls[..] {
        let away = ranks(&|state| !matches!(state, State::Collective(_)));
        return Some(format!("{} not in {call}, which every rank must call.", are(&away)?));
    }
    if let Some(circle) = circle(states) {
        let sends = circle.iter().all(|rank| matches!(states[*rank], State::Sends { .. }));
        let steps: Vec<String> = circle
            .iter()
            .map(|rank| format!("rank {rank} for rank {}", states[*rank].partner().expect("it is in a circle")))
            .collect();
        let way = match (circle.len(), sends) {
            (1, true) => "A rank that sends to itself before it receives waits for ever: use send_receive_into.",
            (1, false) => "A rank that waits for itself waits for ever: is the partner the right one?",
            (_, true) => {
                "Where all send first, nobody receives: let one of them receive first, or use send_receive_into."
            }
            (_, false) => "One of them must send before it receives.",
        };
        return Some(format!("They wait in a circle: {}. {way}", steps.join(", ")));
    }
    let ended = |rank: usize| states.get(rank) == Some(&State::Ended);
    for (rank, state) in states.iter().enumerate() {
        match state {
            State::Receives { from: Some(from), tag, .. } if ended(*from) => {
                let tag = tag.map_or(String::new(), |tag| format!(" with tag {tag}"));
                return Some(format!(
                    "Rank {from} has ended without a message{tag} for rank {rank}, which waits for one."
                ));
            }
            State::Receives { from: None, .. } if ranks(&|state| *state == State::Ended).len() + 1 == states.len() => {
                return Some(format!(
                    "Rank {rank} receives once too often: all others have ended, and nobody is left to send."
                ));
            }
            State::Sends { to, .. } if ended(*to) => {
                return Some(format!("Rank {to} has ended and never receives what rank {rank} sends."));
            }
            _ => {}
        }
    }
    None
}

/// `Rank 1 is`, `Ranks 1, 2 are`.
fn are(ranks: &[usize]) -> Option<String> {
    let list = ranks.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    match ranks {
        [] => None,
        [_] => Some(format!("Rank {list} is")),
        _ => Some(format!("Ranks {list} are")),
    }
}

/// Ranks each of which waits for the next, and the last for the first.
fn circle(states: &[State]) -> Option<Vec<usize>> {
    for start in 0..states.len() {
        let mut way = vec![start];
        while let Some(next) = states[way[way.len() - 1]].partner().filter(|next| *next < states.len()) {
            if next == start {
                return Some(way);
            }
            if way.contains(&next) {
                break;
            }
            way.push(next);
        }
    }
    None
}
