//! The pool: rank 0 sends each worker a task, and the next one whenever a result comes back. Nothing but sends and receives;
//! knows nothing of what the tasks are.

use mpi::{Rank, Tag, point_to_point::MatchedReceiveVec, topology::SimpleCommunicator, traits::*};

/// Tags from the manager to a worker.
const TASK: Tag = 1;
const STOP: Tag = 2;
/// Tags from a worker to the manager.
const DONE: Tag = 3;
const FAILED: Tag = 4;

/// What became of a task: who did it, and its values or why there are none.
pub(crate) struct Outcome<R> {
    pub(crate) rank: Rank,
    pub(crate) values: Result<Vec<R>, String>,
}

/// `work` done on each of `tasks`: on rank 0 the outcomes in the order of the tasks, `None` on the workers.
pub(crate) fn map<T: Equivalence, R: Equivalence>(
    world: &SimpleCommunicator,
    tasks: &[T],
    work: impl Fn(&T) -> Result<Vec<R>, String>,
) -> Option<Vec<Outcome<R>>> {
    if world.size() == 1 {
        return Some(tasks.iter().map(|task| Outcome { rank: 0, values: work(task) }).collect());
    }
    if world.rank() == 0 {
        return Some(manage(world, tasks));
    }
    let manager = world.process_at_rank(0);
    loop {
        let (message, status) = manager.matched_probe();
        if status.tag() == STOP {
            message.matched_receive_into(&mut [0_u8; 0][..]);
            return None;
        }
        let (task, _) = message.matched_receive::<T>();
        match work(&task) {
            Ok(values) => manager.send_with_tag(&values[..], DONE),
            Err(reason) => manager.send_with_tag(reason.as_bytes(), FAILED),
        }
    }
}

/// Keeps every worker busy until all tasks are done.
fn manage<T: Equivalence, R: Equivalence>(world: &SimpleCommunicator, tasks: &[T]) -> Vec<Outcome<R>> {
    let mut waiting = tasks.iter().enumerate();
    // Sends the worker its next task and returns the task's number; `None` where the worker may go home.
    let mut hand_out = |rank: Rank| match waiting.next() {
        Some((number, task)) => {
            world.process_at_rank(rank).send_with_tag(task, TASK);
            Some(number)
        }
        None => {
            world.process_at_rank(rank).send_with_tag(&[0_u8; 0][..], STOP);
            None
        }
    };
    let mut in_hand: Vec<Option<usize>> = (1..world.size()).map(&mut hand_out).collect();
    let mut outcomes: Vec<Option<Outcome<R>>> = tasks.iter().map(|_| None).collect();
    while in_hand.iter().any(Option::is_some) {
        let (message, status) = world.any_process().matched_probe();
        let (rank, tag) = (status.source_rank(), status.tag());
        let values = if tag == DONE {
            Ok((message, status).matched_receive_vec::<R>().0)
        } else {
            Err(String::from_utf8_lossy(&(message, status).matched_receive_vec::<u8>().0).into_owned())
        };
        let worker = usize::try_from(rank - 1).expect("rank 0 sends nothing to itself");
        let number = in_hand[worker].expect("a worker answers once for each task");
        outcomes[number] = Some(Outcome { rank, values });
        in_hand[worker] = hand_out(rank);
    }
    outcomes.into_iter().map(|outcome| outcome.expect("every task was handed out")).collect()
}
