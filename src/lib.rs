//! MPI jobs on mixed clusters: each rank on its own GPU or CPU cores, one answer from all of them.
//!
//! One direction of flow: arguments, MPI, topology, placement, device, workload, output. The shortest way in is
//! `commands/image.rs`, which goes all of it. In which order modules know each other, docs/architecture.md says.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`] | every flag; the only module that names `clap` |
//! | [`environment`] | variables that libraries read, set before they start |
//! | [`error`] | what can go wrong, and the exit codes |
//! | [`pci`], [`wish`] | the name of a GPU; what a rank is told to compute on |
//! | `visible`, [`streams`] | text of others made harmless; stdout and stderr, the only place that writes to them |
//! | `as_text`, `words` | types that serde writes as people do; counts in sentences |
//! | [`launcher`] | a file for each program that starts jobs: how it is known, and how it is told where ranks belong |
//! | [`rankfile`] | grammar, lint and writer of rankfiles, and how each launcher reads them; pure text |
//! | [`kernel`] | the mathematics: parameters and the scalar definition of each kernel |
//! | [`topology`] | hwloc into plain values; the only module that names `hwlocality` |
//! | [`comm`] | MPI; the only module that names `mpi` |
//! | [`placement`] | ranks and topology into cores and device for each rank; pure |
//! | [`plan`] | a job that has not started: its nodes into a rankfile and a launcher's command; pure |
//! | [`device`] | the CPU and the GPU behind one trait |
//! | [`output`] | files and reports |
//! | [`workload`] | a job: share, compute, assemble |
//! | `fault` | ranks and devices that fail on request, for tests |
//! | [`commands`] | a file or a folder for each subcommand, joining the parts |
//!
//! | to add | touch |
//! |---|---|
//! | an image kernel `x` | `kernel/x.rs` with an [`kernel::escape::EscapeTime`], `shaders/x.wgsl`, `cli/x.rs`; lines in lists that the compiler names |
//! | a workload `x` | `workload/x/`, `commands/x.rs`, `cli/x.rs` and a variant of [`cli::Command`] |
//! | a device | `device/x.rs` implementing [`device::Device`], a variant of the placement's choice, one line in `tests/kernels.rs` |
//! | a program with a kernel of its own | nothing here: [`commands::gpu_of_rank`], [`device::gpu::GpuDevice::compile`]; `examples/training` has one |
//! | an output | `output/x.rs`, and where the command that has it completes its files; a file that grows with its bands: a [`output::sink::layout::Layout`] |

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod as_text;
pub mod cli;
pub mod comm;
pub mod commands;
pub mod device;
pub mod environment;
pub mod error;
mod fault;
pub mod kernel;
pub mod launcher;
pub mod output;
pub mod pci;
pub mod placement;
pub mod plan;
pub mod rankfile;
pub mod streams;
pub mod topology;
mod visible;
pub mod wish;
mod words;
pub mod workload;
