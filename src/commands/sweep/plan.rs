//! What the command line and the file of `--from` together ask for: one specification, of which every run follows.

use std::{collections::BTreeSet, env, path::PathBuf};

use regex_lite::Regex;
use rustix::fs::Access;

use super::file::Described;
use crate::{
    cli::{Own, SweepArgs, swept},
    commands::found,
    error::Error,
    launcher::shell_words,
    study::{Grid, Parameter, Run, Spec, Template},
    visible::visible,
};

/// The number of ranks, which the launcher is told.
const RANKS: &str = "np";
/// How this program is called in a specification; what is started is the file it was started from.
const OWN_NAME: &str = "hybrid";
/// The word of `--launcher` for none.
const NO_LAUNCHER: &str = "none";

/// All that is to be done.
pub(super) struct Plan {
    pub(super) spec: Spec,
    pub(super) grid: Grid,
    pub(super) output: PathBuf,
    /// What finds the figure.
    pub(super) pattern: Option<Regex>,
    words: Template,
    own_path: String,
}

impl Plan {
    /// Joins what was asked for, and refuses what cannot be run.
    pub(super) fn of(args: &SweepArgs) -> Result<Self, Error> {
        let mut file = match &args.from {
            Some(path) => Described::read(path)?,
            None => Described::default(),
        };
        let mut parameters = match &args.from {
            Some(path) => file.parameters(path)?,
            None => Vec::new(),
        };
        let named = args.param.iter().map(|param| (param.name.clone(), &param.values));
        let np = args.np.iter().map(|values| (RANKS.to_owned(), values));
        let mut given: Vec<Parameter> = Vec::new();
        for (name, values) in np.chain(named) {
            given.push(Parameter { name, values: values.0.clone() });
        }
        parameters.retain(|parameter| given.iter().all(|other| other.name != parameter.name));
        given.append(&mut parameters);
        let command = Command::of(args, file.hybrid, file.program, &mut given)?;
        let launcher = launcher(args.launcher.as_deref().or(file.launcher.as_deref()), &given)?;
        let pattern = args.pattern.clone().or(file.pattern);
        let spec = Spec {
            command: command.words,
            is_hybrid: command.is_hybrid,
            launcher,
            parameters: given,
            repeat: args.repeat.or(file.repeat).unwrap_or(1),
            warm_up: args.warm_up.or(file.warm_up).unwrap_or(0),
            seed: args.seed.or(file.seed).unwrap_or(1),
            timeout_s: args.timeout.or(file.timeout),
            pattern,
        };
        let output = args.output.clone().or(file.output);
        let output = match output {
            Some(output) => output,
            None if args.dry_run => PathBuf::new(),
            None => return Err(Error::Usage("no file for the results: name one with -o FILE.jsonl".to_owned())),
        };
        let plan = Self {
            grid: Grid::of(spec.parameters.clone(), spec.repeat).map_err(Error::Usage)?,
            pattern: spec.pattern.as_deref().map(pattern_of).transpose()?,
            words: Template::of(&[&spec.launcher[..], &spec.command[..]].concat()),
            own_path: own_path()?,
            spec,
            output,
        };
        plan.spec.check_places().map_err(Error::Usage)?;
        plan.check_combinations()?;
        Ok(plan)
    }

    /// How many runs there are.
    pub(super) fn runs(&self) -> usize {
        self.grid.combinations() * self.spec.repeat as usize
    }

    /// The words of a run's command, launcher included.
    pub(super) fn argv(&self, run: &Run) -> Vec<String> {
        let mut words = self.words.filled(|name| run.value(name));
        if self.spec.is_hybrid {
            words[self.spec.launcher.len()].clone_from(&self.own_path);
        }
        words
    }

    /// Of a command of this program, refuses what its command line would.
    fn check_combinations(&self) -> Result<(), Error> {
        if !self.spec.is_hybrid {
            return Ok(());
        }
        for run in (0..self.grid.combinations()).map(|combination| self.grid.run(combination, 1)) {
            let words = self.argv(&run);
            swept::check(&words[self.spec.launcher.len() + 1..]).map_err(|reason| {
                let values = run.values.iter().map(|(name, value)| format!("{name}={value} "));
                let values: String = values.collect();
                Error::Usage(format!(
                    "{}{reason}",
                    if values.is_empty() { values } else { format!("with {}: ", values.trim_end()) }
                ))
            })?;
        }
        Ok(())
    }

    /// Refuses a launcher, or a program without one, that is not here. What a launcher starts may be on another host.
    pub(super) fn check_programs(&self) -> Result<(), Error> {
        if self.spec.is_hybrid && self.spec.launcher.is_empty() {
            return Ok(());
        }
        let runs = (0..self.grid.combinations()).map(|combination| self.grid.run(combination, 1));
        let programs: BTreeSet<String> = runs.map(|run| self.argv(&run).swap_remove(0)).collect();
        let Some(program) = programs.iter().find(|program| !is_here(program)) else { return Ok(()) };
        let what = if self.spec.launcher.is_empty() { "program" } else { "launcher" };
        let where_ = if program.contains('/') { "" } else { " on the PATH" };
        Err(Error::Usage(format!("there is no {what} {}{where_} that could be started", visible(program))))
    }
}

/// The program of a sweep with its words.
struct Command {
    words: Vec<String>,
    is_hybrid: bool,
}

impl Command {
    /// What the command line names, else what the file does. Options of this program's commands become parameters, and parameters its
    /// options.
    fn of(
        args: &SweepArgs,
        hybrid: Vec<String>,
        program: Vec<String>,
        parameters: &mut Vec<Parameter>,
    ) -> Result<Self, Error> {
        let own = args.own.as_ref().map(Own::words);
        let (own, program) = match (own, args.program.is_empty()) {
            (Some(own), _) => (own, vec![]),
            (None, false) => (vec![], args.program.clone()),
            (None, true) => (hybrid, program),
        };
        match (own.is_empty(), program.is_empty()) {
            (true, true) => Err(Error::Usage(
                "nothing to run: name a command of this program, such as julia, or another program behind --"
                    .to_owned(),
            )),
            (false, false) => Err(Error::Usage("hybrid and program both say what to run: name one of them".to_owned())),
            (true, false) => Ok(Self { words: program, is_hybrid: false }),
            (false, true) => {
                let mut swept = swept::Swept::of(&own).map_err(Error::Usage)?;
                let places: Vec<String> = Template::of(&swept.words).names().into_iter().map(str::to_owned).collect();
                for parameter in parameters.iter().filter(|p| p.name != RANKS && !places.contains(&p.name)) {
                    swept.add_place(&parameter.name);
                }
                parameters.append(&mut swept.parameters);
                let report = ["--timings=json".to_owned()];
                let words = [OWN_NAME.to_owned()].into_iter().chain(swept.words).chain(report).collect();
                Ok(Self { words, is_hybrid: true })
            }
        }
    }
}

/// The words of the launcher: those that were given, else where there are numbers of ranks those of the one that is here.
fn launcher(given: Option<&str>, parameters: &[Parameter]) -> Result<Vec<String>, Error> {
    let template = match given {
        Some(NO_LAUNCHER) => return Ok(vec![]),
        Some(words) => words,
        None if parameters.iter().all(|parameter| parameter.name != RANKS) => return Ok(vec![]),
        None => found::launcher().map(|launcher| launcher.start().plain).ok_or_else(|| {
            Error::Usage(
                "no launcher is on the PATH that is known here: name one with --launcher, such as --launcher 'mpiexec -n {np}'"
                    .to_owned(),
            )
        })?,
    };
    let words = shell_words(template).map_err(|reason| Error::Usage(format!("--launcher: {reason}")))?;
    match words.first() {
        Some(_) => Ok(words),
        None => Err(Error::Usage(format!("--launcher has no word: write {NO_LAUNCHER} for none"))),
    }
}

fn pattern_of(text: &str) -> Result<Regex, Error> {
    let wrong = |reason: &str| Error::Usage(format!("--pattern {}: {reason}", visible(text)));
    let pattern = Regex::new(text).map_err(|error| wrong(&error.to_string()))?;
    match pattern.captures_len() - 1 {
        1 => Ok(pattern),
        groups => Err(wrong(&format!("it has {groups} groups, and the one that finds the figure is wanted: (...)"))),
    }
}

fn own_path() -> Result<String, Error> {
    let path = env::current_exe().map_err(|source| Error::Input { path: "/proc/self/exe".into(), source })?;
    path.into_os_string().into_string().map_err(|path| {
        Error::Usage(format!("the path of this program is no text, and a record cannot hold it: {}", path.display()))
    })
}

/// Whether a shell would find this program.
fn is_here(program: &str) -> bool {
    let can_be_run = |file: PathBuf| file.is_file() && rustix::fs::access(&file, Access::EXEC_OK).is_ok();
    if program.contains('/') {
        return can_be_run(program.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| can_be_run(folder.join(program)))
}

/// Whether a variable may change what a run does, so that it belongs into its record.
pub(super) fn matters(variable: &str) -> bool {
    const PREFIXES: [&str; 10] =
        ["OMP_", "GOMP_", "KMP_", "MKL_NUM_", "OPENBLAS_", "HYBRID_", "OMPI_MCA_", "PRTE_MCA_", "UCX_", "I_MPI_"];
    const ENDS: [&str; 1] = ["_VISIBLE_DEVICES"];
    const NAMES: [&str; 3] = ["SLURM_JOB_ID", "SLURM_JOB_NODELIST", "VK_ICD_FILENAMES"];
    PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
        || ENDS.iter().any(|end| variable.ends_with(end))
        || NAMES.contains(&variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_one_group() {
        assert!(pattern_of("time: ([0-9.]+)").is_ok());
        for (text, expected) in [("time", "it has 0 groups"), ("(a)(b)", "it has 2 groups"), ("(", "found open group")]
        {
            let message = pattern_of(text).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn variables_that_may_change_a_run_are_known() {
        for name in ["OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "HYBRID_RANKFILE"] {
            assert!(matters(name), "{name}");
        }
        for name in ["PATH", "HOME", "AWS_SECRET_ACCESS_KEY", "OMPI_COMM_WORLD_RANK"] {
            assert!(!matters(name), "{name}");
        }
    }

    #[test]
    fn a_program_is_looked_for_as_a_shell_does() {
        assert!(is_here("sh") && is_here("/bin/sh"));
        assert!(!is_here("no-such-program") && !is_here("/etc/passwd") && !is_here("/bin"));
    }
}
