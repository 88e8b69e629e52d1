//! Ring: an integer goes from rank to rank and back to rank 0, and each rank adds 1 to it before it passes it on.
//!
//! Teaches: blocking messages in a fixed order, and how to time them: time per message, and bandwidth with `--bytes`.
//! Replaces: `ring.py`, whose own check holds for one input only.
//! Run: `mpiexec -n 4 target/release/examples/ring --count 1000 --value 6`; without `--value` it asks.

use std::{io::stdin, process::ExitCode};

use clap::{CommandFactory, Parser, error::ErrorKind};
use mpi::traits::*;

/// Sends an integer around a ring of ranks.
#[derive(Parser)]
#[command(name = "ring")]
struct Options {
    /// Times that the integer goes around
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=1_000_000_000))]
    count: i64,
    /// The integer to transmit; asked for on rank 0 where it is not given
    #[arg(long, allow_negative_numbers = true)]
    value: Option<i32>,
    /// Bytes of a message, rounded down to a multiple of 8: the integer, and zeros after it
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(i64).range(8..=1 << 30))]
    bytes: i64,
    /// Print each message
    #[arg(long)]
    debug: bool,
}

/// What the user wants, and the integer from stdin where it is not among the options; on rank 0 alone.
fn ask(ranks: i32) -> Result<[i64; 4], clap::Error> {
    let wrong = |message: String| Options::command().error(ErrorKind::ValueValidation, message);
    let options = Options::try_parse()?;
    if ranks < 2 {
        return Err(wrong(format!("a ring needs 2 ranks, this job has {ranks}: start it with mpiexec -n 2")));
    }
    println!("Communicator group with {ranks} processes");
    let value = if let Some(value) = options.value {
        value
    } else {
        println!("Enter an integer to transmit:");
        let mut line = String::new();
        stdin().read_line(&mut line).map_err(|error| wrong(format!("stdin: {error}")))?;
        let line = line.trim();
        line.parse().map_err(|_| wrong(format!("'{line}' is not an integer: type one, or give it with --value 6")))?
    };
    Ok([options.count, value.into(), options.bytes / 8, options.debug.into()])
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    // Rank 0 speaks with the user. No count of 0 can be asked for: it means that there is nothing to do but to end.
    let mut options = [0; 4];
    if rank == 0 {
        options = ask(size).unwrap_or_else(|error| {
            error.print().expect("a message can be printed");
            [0, error.exit_code().into(), 0, 0]
        });
    }
    world.process_at_rank(0).broadcast_into(&mut options);
    let [count, value, length, debug] = options;
    if count == 0 {
        return ExitCode::from(u8::try_from(value).expect("an exit code is small"));
    }

    let next = world.process_at_rank((rank + 1) % size);
    let previous = world.process_at_rank((rank + size - 1) % size);
    let mut message = vec![0; usize::try_from(length).expect("a message fits in memory")];
    message[0] = value;
    world.barrier();
    let start_s = mpi::time();
    for _ in 0..count {
        if rank != 0 {
            previous.receive_into(&mut message[..]);
        }
        message[0] += 1;
        if debug == 1 {
            println!("Process {rank} transmitted value {} to process {}", message[0], next.rank());
        }
        next.send(&message[..]);
        if rank == 0 {
            previous.receive_into(&mut message[..]);
        }
    }
    let elapsed_s = mpi::time() - start_s;

    if rank == 0 {
        println!("Final data received in process 0 after ring is completed: {}", message[0]);
        #[expect(clippy::cast_precision_loss, reason = "rounded for people to read")]
        let (messages, bytes) = ((count * i64::from(size)) as f64, (length * 8) as f64);
        println!("{messages} messages of {bytes} bytes in {elapsed_s:.6} s");
        println!("time per message {:.3} us", elapsed_s / messages * 1e6);
        println!("bandwidth {:.3} MB/s", messages * bytes / elapsed_s / 1e6);
        assert_eq!(message[0], value + count * i64::from(size));
        assert!(message[1..].iter().all(|number| *number == 0), "the rest of the message has changed on its way");
    }
    ExitCode::SUCCESS
}
