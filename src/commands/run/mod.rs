//! `hybrid run`: each process takes the place that is its own and becomes another program. Starts no MPI, which is the program's: the
//! processes of a node agree through their launcher's variables and a file in memory.

mod look;
mod meeting;

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub(crate) use self::look::look_at;
use self::meeting::{Meeting, NotMet};
use super::{
    print,
    site::{JobRankfile, local_rank, requests, rules},
    system, this_node,
};
use crate::{
    cli::{PlaceArgs, RunArgs},
    error::Error,
    host_name::short_name,
    launcher::Launch,
    placement::{self, DeviceRequest, LocalRank, RankFacts, Requested, Setting, Software},
    topology::{self, Node},
    visible::shown,
    words,
};

/// What ends a process before it becomes the program.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The reason.
    pub(crate) error: Error,
    /// Whether this process is the one of its node that tells it.
    pub(crate) speaks: bool,
}

/// Why this process cannot be placed, in words, or what it tells the others of its node.
#[derive(Serialize, Deserialize)]
struct Arrival {
    local: LocalRank,
    requested: Option<Requested>,
    /// What is wrong on this process, of which all must hear.
    problem: Option<(String, bool)>,
}

/// What is to be placed.
#[derive(Debug)]
struct Wanted<'a> {
    place: &'a PlaceArgs,
    software: Software,
    patience: Duration,
    program: &'a [OsString],
}

/// Where this process belongs.
#[derive(Debug)]
struct Placed {
    node: Node,
    /// Its number among the processes of the node.
    number: usize,
    /// All of the node.
    ranks: Vec<RankFacts>,
    /// What makes the program take the place.
    settings: Vec<Setting>,
}

impl Placed {
    fn mine(&self) -> &RankFacts {
        &self.ranks[self.number]
    }

    /// The program in this place, bound from now on as this process is. `own` is a variable of this process alone.
    fn command(&self, program: &[OsString], own: Option<&str>) -> Result<Command, Failed> {
        // Also where the launcher has bound it so.
        topology::bind_thread(&self.mine().place.cores)
            .map_err(|error| Failed { error: error.into(), speaks: true })?;
        let (program, words) = program.split_first().expect("the command line has one");
        let mut command = Command::new(program);
        command.args(words);
        for Setting { name, value } in &self.settings {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(own) = own {
            command.env_remove(own);
        }
        Ok(command)
    }

    fn not_started(&self, program: &[OsString], cause: &std::io::Error) -> Failed {
        let program = shown(Path::new(program.first().expect("the command line has one"))).to_string();
        let rank = self.mine().local.rank;
        Failed {
            error: Error::Module(format!("rank {rank}: {program} cannot be started: {cause}").into()),
            speaks: true,
        }
    }
}

/// Takes the place of this process and becomes the program, which does not see the variable `own` of this one; or with `--dry-run`
/// prints what it would do. Returns only then, and where it fails.
pub(crate) fn run(args: &RunArgs, launch: &Launch, own: Option<&'static str>) -> Result<(), Failed> {
    let patience = Duration::from_secs(args.patience.into());
    let placed =
        place(&Wanted { place: &args.place, software: Software::Never, patience, program: &args.program }, launch)?;
    if args.dry_run {
        let words = in_words(args, &placed.node, placed.mine(), &placed.settings);
        return print(&words).map_err(|error| Failed { error, speaks: true });
    }
    let cause = placed.command(&args.program, own)?.exec();
    Err(placed.not_started(&args.program, &cause))
}

/// Finds the place of this process, with those of its node.
fn place(wanted: &Wanted<'_>, launch: &Launch) -> Result<Placed, Failed> {
    let (launcher, rank, size) = launch.rank();
    let Some((number, of)) = launch.local() else {
        let reason = format!(
            "{launcher} does not tell this process how many ranks its node has: start `hybrid` directly behind the launcher"
        );
        return Err(Failed { error: Error::Usage(reason), speaks: launch.speaks() });
    };
    let host = host();
    let (node, arrival) = match prepare(wanted, rank, &host) {
        Ok((node, local, requested)) => (Some(node), Arrival { local, requested, problem: None }),
        Err(error) => {
            let problem = Some((error.to_string(), error.exit_code() == 2));
            (None, Arrival { local: nowhere(rank), requested: None, problem })
        }
    };
    let all = meet(wanted.patience, launch, "", &arrival)?.unwrap_or_else(|| vec![arrival]);
    debug_assert_eq!(all.len(), of as usize, "each tells once");
    let first_failed = all.iter().enumerate().find_map(|(number, arrival)| Some((number, arrival.problem.as_ref()?)));
    if let Some((first, (reason, is_usage))) = first_failed {
        let reason = format!("rank {} on {host}: {reason}", all[first].local.rank);
        let error = if *is_usage { Error::Usage(reason) } else { Error::Module(reason.into()) };
        return Err(Failed { error, speaks: first == number as usize });
    }
    let node = node.expect("whoever cannot read the node has a problem");
    let failed = |error| Failed { error, speaks: number == 0 };
    let locals: Vec<LocalRank> = all.iter().map(|arrival| arrival.local.clone()).collect();
    let places = placement::choose(&node, &locals, &rules(wanted.place, wanted.software))
        .map_err(|error| failed(error.into()))?;
    let facts = all.into_iter().zip(places);
    let ranks: Vec<RankFacts> =
        facts.map(|(Arrival { local, requested, .. }, place)| RankFacts { local, place, requested }).collect();
    check_as_requested(wanted, &node, &ranks, size).map_err(failed)?;
    // All of the node or none: what one of them cannot be told ends all.
    let settings: Vec<Vec<Setting>> = ranks
        .iter()
        .map(|facts| {
            let withheld = &facts.local.visible.withheld;
            let asked = wanted.place.threads.is_some();
            placement::settings(&node, &facts.place, withheld, asked, |name| env::var_os(name).is_some())
        })
        .collect::<Result<_, _>>()
        .map_err(|error| failed(Error::Module(Box::new(error))))?;
    let number = number as usize;
    let settings = settings.into_iter().nth(number).expect("this process is one of them");
    Ok(Placed { node, number, ranks, settings })
}

/// A rank that is not placed.
fn nowhere(rank: u32) -> LocalRank {
    LocalRank {
        rank,
        binding: topology::CpuSet::new(),
        request: DeviceRequest::Auto,
        source: None,
        visible: placement::Visible::default(),
        launcher: None,
    }
}

/// Hears what the processes of the node tell about a matter, this one `mine`; `None` where there is no other.
fn meet<T: Serialize + DeserializeOwned>(
    patience: Duration,
    launch: &Launch,
    matter: &str,
    mine: &T,
) -> Result<Option<Vec<T>>, Failed> {
    let others = launch.job().zip(launch.local()).filter(|(_, (_, of))| *of > 1);
    let Some(((rank, daemons, job), (number, of))) = others else { return Ok(None) };
    let (_, own, _) = launch.rank();
    let failed =
        |reason: String, speaks| Failed { error: Error::Module(format!("rank {own}: {reason}").into()), speaks };
    let cannot =
        |cause: std::io::Error| failed(format!("the ranks of this node cannot agree on their places: {cause}"), true);
    let meeting = Meeting::of_job(rank, daemons, job, matter).map_err(cannot)?;
    meeting.tell(number as usize, of as usize, mine, patience).map(Some).map_err(|not_met| match not_met {
        NotMet::Failed(cause) => cannot(cause),
        NotMet::Missing(missing) => {
            let seconds = words::counted(usize::try_from(patience.as_secs()).unwrap_or(usize::MAX), "second");
            let speaks = missing.is_some();
            let missing = missing.unwrap_or_default();
            failed(
                format!(
                    "{missing} within {seconds}: start `hybrid` directly behind the launcher, in front of every program of the job"
                ),
                speaks,
            )
        }
    })
}

/// The name of this host as the operating system has it, without its domain.
fn host() -> String {
    short_name(&system::uname().node).to_owned()
}

/// The node, and what this process has to tell of itself.
fn prepare(wanted: &Wanted<'_>, rank: u32, host: &str) -> Result<(Node, LocalRank, Option<Requested>), Error> {
    is_program(wanted.program.first().expect("the command line has one"))?;
    let rankfile = JobRankfile::of_process(wanted.place)?;
    let (mut node, _) = this_node::read(&requests(wanted.place, wanted.software, rankfile.as_ref()))?;
    node.host = Some(host.to_owned());
    node.slot_unit = JobRankfile::slot_unit_of(rankfile.as_ref());
    let requested = rankfile.as_ref().and_then(|file| file.requested(rank, &node));
    let binding = topology::binding()?;
    // Where the launcher has bound nothing, the file does.
    let asked = requested.as_ref().and_then(|requested| requested.cores.clone());
    let binding = asked.filter(|_| binding == node.allowed).unwrap_or(binding);
    let local = local_rank(wanted.place, rankfile.as_ref(), &node, rank, binding);
    Ok((node, local, requested))
}

/// Refuses a program that is not there, or is none, before anything is started.
fn is_program(program: &OsStr) -> Result<(), Error> {
    let is_executable =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    let path = Path::new(program);
    let shown = shown(path);
    if program.as_encoded_bytes().contains(&b'/') {
        return match fs::metadata(path) {
            Err(cause) => Err(Error::Module(format!("{shown} cannot be started: {cause}").into())),
            Ok(_) if !is_executable(&path.to_owned()) => Err(Error::Module(
                format!("{shown} cannot be started: it is no program (chmod +x makes a script one)").into(),
            )),
            Ok(_) => Ok(()),
        };
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&folders).any(|folder| is_executable(&folder.join(path))) {
        return Ok(());
    }
    Err(Error::Module(format!("there is no program {shown} on the PATH here").into()))
}

/// Refuses places that are not those of a rankfile which was named.
fn check_as_requested(wanted: &Wanted<'_>, node: &Node, ranks: &[RankFacts], size: u32) -> Result<(), Error> {
    if let Some(finding) = placement::unsatisfied(node, ranks) {
        let hint = "bind no rank by the launcher, and `hybrid run` binds as the file says; or leave the file away";
        return Err(Error::Module(format!("{}: {hint}", finding.message).into()));
    }
    let file = wanted.place.rankfile.is_some() || env::var_os(crate::launcher::OWN_VARIABLE).is_some();
    let lost = ranks.iter().find(|rank| rank.requested.is_none()).filter(|_| file);
    match lost {
        None => Ok(()),
        Some(rank) => Err(Error::Module(
            format!(
                "rank {} of {size} has no line in the rankfile: give each rank one, or start fewer",
                rank.local.rank
            )
            .into(),
        )),
    }
}

/// The place of a rank and what would be set for it, in one line.
fn in_words(args: &RunArgs, node: &Node, facts: &RankFacts, settings: &[Setting]) -> String {
    let place = &facts.place;
    let cores: Vec<String> = node.cores_in(&place.cores).map(|core| core.logical.to_string()).collect();
    let host = node.host.as_deref().unwrap_or("this host");
    let settings: Vec<String> = settings
        .iter()
        .map(|setting| match &setting.value {
            Some(value) => format!("{}={value}", setting.name),
            None => format!("no {}", setting.name),
        })
        .collect();
    let program: Vec<String> = args.program.iter().map(|word| shown(Path::new(word)).to_string()).collect();
    format!(
        "rank {} on {host}: cores {} (PUs {}), {}: {}: {}\n",
        place.rank,
        cores.join(","),
        place.cores,
        place.device,
        settings.join(" "),
        program.join(" ")
    )
}
