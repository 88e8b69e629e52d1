//! Ring: an integer goes from rank to rank and back to rank 0, and each rank adds 1 to it before it passes it on.
//!
//! Teaches: blocking messages in a fixed order, and how to time them: time per message, and bandwidth with `--bytes`.
//! Replaces: `ring.py`, whose own check holds for one input only.
//! Run: `mpiexec -n 4 target/release/examples/ring --count 1000 --value 6`; without `--value` it asks.

use std::{io::stdin, process::ExitCode};

use clap::Parser;
use mpi::traits::*;

/// Sends an integer around a ring of ranks.
#[derive(Parser)]
#[command(name = "ring", color = clap::ColorChoice::Never)]
struct Options {
    /// Times that the integer goes around
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=1_000_000_000))]
    count: i64,
    /// The integer to transmit; asked for on rank 0 where it is not given
    #[arg(long, allow_negative_numbers = true)]
    value: Option<i64>,
    /// Bytes of a message, rounded down to a multiple of 8: the integer, and zeros after it
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(i64).range(8..=1 << 30))]
    bytes: i64,
    /// Print each message
    #[arg(long)]
    debug: bool,
}

/// The integer that the user types, or what is wrong with it.
fn ask() -> Result<i64, String> {
    println!("Enter an integer to transmit:");
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(|error| format!("stdin: {error}"))?;
    let line = line.trim();
    line.parse().map_err(|_| format!("'{line}' is not an integer: type one, or give it with --value 6"))
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    // Every rank reads the same words; rank 0 tells what is wrong with them.
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            if rank == 0 {
                error.print().expect("a message can be printed");
            }
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    if size < 2 {
        eprintln!("error: a ring needs 2 ranks, this job has 1: start it with mpiexec -n 2");
        return ExitCode::from(2);
    }

    // What is typed only rank 0 gets, so it tells the others: whether there is a number, and which.
    let mut typed = [1, options.value.unwrap_or(0)];
    if rank == 0 {
        println!("Communicator group with {size} processes");
        if options.value.is_none() {
            match ask() {
                Ok(value) => typed[1] = value,
                Err(error) => {
                    eprintln!("error: {error}");
                    typed[0] = 0;
                }
            }
        }
    }
    world.process_at_rank(0).broadcast_into(&mut typed);
    let [is_there, value] = typed;
    if is_there == 0 {
        return ExitCode::from(2);
    }
    let (count, bytes) = (options.count, options.bytes);

    let next = world.process_at_rank((rank + 1) % size);
    let previous = world.process_at_rank((rank + size - 1) % size);
    let mut message = vec![0; bytes as usize / 8];
    message[0] = value;
    world.barrier();
    let start_s = mpi::time();
    for _ in 0..count {
        if rank != 0 {
            previous.receive_into(&mut message[..]);
        }
        message[0] += 1;
        if options.debug {
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
        let (messages, bytes) = ((count * i64::from(size)) as f64, (message.len() * 8) as f64);
        println!("{messages} messages of {bytes} bytes in {elapsed_s:.6} s");
        println!("time per message {:.3} us", elapsed_s / messages * 1e6);
        println!("bandwidth {:.3} MB/s", messages * bytes / elapsed_s / 1e6);
        assert_eq!(message[0], value + count * i64::from(size));
        assert!(message[1..].iter().all(|number| *number == 0), "the rest of the message has changed on its way");
    }
    ExitCode::SUCCESS
}
