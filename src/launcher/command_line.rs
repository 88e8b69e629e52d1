//! The command that starts a job, taken apart into words, and what a launcher reads back of it: the host and the PUs of each rank.
//! Knows how a shell splits words; what the words mean is for each launcher's file.

use std::collections::{BTreeMap, BTreeSet};

use crate::topology::CpuSet;

/// A command as a user types it, or as this program prints it: files made before it, variables set for it, and its parts.
#[derive(Debug)]
pub(crate) struct CommandLine<'a> {
    /// Lines of the files that `printf` makes before, by name.
    made: BTreeMap<String, Vec<String>>,
    /// Lines of a file that is there already.
    file: &'a dyn FileLines,
    variables: BTreeMap<String, String>,
    /// What stands between colons, the first without the launcher's name.
    parts: Vec<Vec<String>>,
}

/// Whoever knows the files that a command names.
pub(crate) trait FileLines: std::fmt::Debug {
    /// The lines of a file; `None` where there is none that can be read.
    fn lines(&self, name: &str) -> Option<Vec<String>>;
}

/// What a command says of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The host and the PUs of each rank, in the order of the ranks.
    pub(crate) places: Vec<(String, CpuSet)>,
    /// What each rank runs.
    pub(crate) program: Vec<String>,
    /// The rankfile that the ranks are told of besides.
    pub(crate) rankfile: Option<String>,
}

/// Why a command does not say where ranks belong, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unread(pub(crate) String);

impl Unread {
    /// A word that says nothing that is known here.
    pub(super) fn word(word: &str) -> Self {
        Self(format!("'{word}' is no option that says where ranks belong: leave away what does not"))
    }

    /// A variable that is set, and would be lost.
    pub(super) fn variable(name: &str) -> Self {
        Self(format!("it sets the variable {name}, which says nothing of places: leave it away"))
    }
}

impl<'a> CommandLine<'a> {
    /// Takes a command apart that is meant for one of these programs.
    ///
    /// # Errors
    /// Open quotes, and a command of another program.
    pub(crate) fn parse(text: &str, program: &str, file: &'a dyn FileLines) -> Result<Self, Unread> {
        let mut clauses = clauses(text)?;
        let last = clauses.pop().unwrap_or_default();
        let mut made = BTreeMap::new();
        for clause in clauses {
            let [printf, format, lines @ .., to] = clause.as_slice() else {
                return Err(Unread::word(&clause.join(" ")));
            };
            let name = to.strip_prefix('>').filter(|_| printf == "printf" && format == r"%s\n");
            let name = name.ok_or_else(|| Unread::word(&clause.join(" ")))?;
            made.insert(name.to_owned(), lines.to_vec());
        }
        let set = |word: &String| {
            let (name, value) = word.split_once('=')?;
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            is_name.then(|| (name.to_owned(), value.to_owned()))
        };
        let variables: BTreeMap<String, String> = last.iter().map_while(set).collect();
        let (start, rest) = last[variables.len()..]
            .split_first()
            .ok_or_else(|| Unread(format!("it is empty: a command of {program} is expected")))?;
        if start.rsplit('/').next() != Some(program) {
            return Err(Unread(format!("it starts with '{start}': a command of {program} is expected")));
        }
        let parts = rest.split(|word| word == ":").map(<[String]>::to_vec).collect();
        Ok(Self { made, file, variables, parts })
    }

    /// A variable that is set for the command alone.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Refuses variables that are set for the command, but for these: they would be lost.
    pub(super) fn allow_variables(&self, known: &[&str]) -> Result<(), Unread> {
        match self.variables.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Unread::variable(name)),
        }
    }

    /// What stands between colons.
    pub(super) fn parts(&self) -> impl Iterator<Item = Words<'_>> {
        self.parts.iter().map(|words| Words { words })
    }

    /// The same of a launcher whose command has no parts.
    pub(super) fn only_part(&self) -> Result<Words<'_>, Unread> {
        match self.parts.as_slice() {
            [words] => Ok(Words { words }),
            parts => Err(Unread(format!("it has {} parts between colons, of which one alone is read", parts.len()))),
        }
    }

    /// The lines of a file that the command names, without those that are empty.
    pub(super) fn lines_of(&self, name: &str) -> Result<Vec<String>, Unread> {
        let lines = self.made.get(name).cloned().or_else(|| self.file.lines(name));
        let lines = lines.ok_or_else(|| Unread(format!("the file '{name}' that it names cannot be read")))?;
        Ok(lines.into_iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
    }
}

/// The words of a command and of those before it, as `&&` joins them. A shell would do more with some of them than to hand them on:
/// these are refused, and so is a second command on a line of its own.
fn clauses(text: &str) -> Result<Vec<Vec<String>>, Unread> {
    let is_comment = |line: &&str| line.trim_start().starts_with('#');
    let text: String = text.lines().filter(|line| !is_comment(line)).map(|line| format!("{line}\n")).collect();
    let mut clauses = vec![Vec::new()];
    for word in raw_words(text.trim())? {
        match word.as_str() {
            "&&" => clauses.push(Vec::new()),
            "\n" => {
                return Err(Unread(
                    "it has a second line, which is another command: name a file with one alone".to_owned(),
                ));
            }
            raw => {
                // Stars in lists of Slurm's are no patterns, and one file may take what a clause prints.
                let is_list = raw.contains("map_cpu:") || raw.contains("mask_cpu:");
                let is_file =
                    raw.starts_with('>') && clauses.last().is_some_and(|clause: &Vec<String>| !clause.is_empty());
                let (bare, rest) = if is_file { (">", &raw[1..]) } else { ("", raw) };
                if let Some(sign) = special_sign(rest).filter(|sign| !(is_list && *sign == '*')) {
                    return Err(Unread(format!(
                        "'{raw}' has a '{sign}', of which a shell makes something else: write what it means, or quote it"
                    )));
                }
                let split =
                    shell_words::split(rest).map_err(|error| Unread(format!("no shell would take it: {error}")))?;
                clauses.last_mut().expect("there is one at least").push(bare.to_owned() + &split.concat());
            }
        }
    }
    if clauses.last().is_some_and(|last| last.iter().any(|word| word.starts_with('>'))) {
        return Err(Unread("it sends its output to a file: leave that away".to_owned()));
    }
    Ok(clauses)
}

/// The words as they stand there, with their quotes; a line break that nothing hides is a word of its own.
fn raw_words(text: &str) -> Result<Vec<String>, Unread> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '\\') if quote != Some('\'') => match chars.next() {
                // A line goes on.
                Some('\n') => {}
                Some(next) => word.extend([c, next]),
                None => return Err(Unread("it ends in a backslash".to_owned())),
            },
            (None, '\'' | '"') => {
                quote = Some(c);
                word.push(c);
            }
            (Some(open), _) if open == c => {
                quote = None;
                word.push(c);
            }
            (None, '\n' | ' ' | '\t' | '\r') => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                words.extend((c == '\n').then(|| "\n".to_owned()));
            }
            _ => word.push(c),
        }
    }
    if quote.is_some() {
        return Err(Unread("no shell would take it: a quote is open".to_owned()));
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    Ok(words)
}

/// The first sign of a word that a shell does not hand on as it is.
fn special_sign(raw: &str) -> Option<char> {
    let mut quote = None;
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '\\') if quote != Some('\'') => drop(chars.next()),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '$' | '`') | (None, '|' | ';' | '&' | '<' | '>' | '(' | ')' | '*' | '?') => {
                return Some(c);
            }
            _ => {}
        }
    }
    None
}

/// Words from left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    words: &'a [String],
}

impl<'a> Words<'a> {
    /// The next option, up to a `=` in it; `None` where the program begins.
    pub(super) fn option(&mut self) -> Option<&'a str> {
        let word = self.words.first().filter(|word| word.starts_with('-'))?;
        match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((option, _)) => Some(option),
            None => {
                self.words = &self.words[1..];
                Some(word)
            }
        }
    }

    /// The value of the option that was read last: behind its `=`, or the next word.
    pub(super) fn value(&mut self, option: &str) -> Result<&'a str, Unread> {
        let (word, rest) = self.words.split_first().ok_or_else(|| Unread(format!("{option} lacks a value")))?;
        self.words = rest;
        Ok(word.strip_prefix(option).and_then(|word| word.strip_prefix('=')).unwrap_or(word))
    }

    /// The same as a number.
    pub(super) fn number(&mut self, option: &str) -> Result<usize, Unread> {
        let value = self.value(option)?;
        value
            .parse()
            .ok()
            .filter(|number| *number <= MAX_NUMBER)
            .ok_or_else(|| Unread(format!("{option} has '{value}': a number up to {MAX_NUMBER} is expected")))
    }

    /// The word that stands before the options, which must be this one.
    pub(super) fn subcommand(&mut self, expected: &str) -> Result<(), Unread> {
        match self.words.split_first() {
            Some((word, rest)) if word == expected => {
                self.words = rest;
                Ok(())
            }
            _ => Err(Unread(format!("'{expected}' does not stand behind the launcher's name"))),
        }
    }

    /// What is left: the program, without a `taskset` before it, and the PUs that this binds to.
    pub(super) fn program(self) -> Result<(Vec<String>, Option<CpuSet>), Unread> {
        match self.words {
            [taskset, option, pus, rest @ ..] if taskset == "taskset" && option == "-c" => {
                Ok((rest.to_vec(), Some(list(pus)?)))
            }
            words => Ok((words.to_vec(), None)),
        }
    }
}

/// No job has more ranks.
const MAX_NUMBER: usize = 1 << 24;

/// Each rank's number among the ranks of its host, given the hosts of all ranks.
pub(super) fn local_numbers(hosts: &[String]) -> Vec<usize> {
    let mut ranks: BTreeMap<&str, usize> = BTreeMap::new();
    let mut next = |host| {
        let count = ranks.entry(host).or_default();
        *count += 1;
        *count - 1
    };
    hosts.iter().map(|host| next(host)).collect()
}

/// Refuses a number of nodes that is not that of the hosts: a launcher would add some of its own choice.
pub(super) fn same_nodes(nodes: Option<usize>, hosts: &[String]) -> Result<(), Unread> {
    let named: BTreeSet<&String> = hosts.iter().collect();
    match nodes.filter(|nodes| *nodes != named.len()) {
        None => Ok(()),
        Some(nodes) => Err(Unread(format!(
            "it wants {nodes} nodes and names {}: the launcher would choose the others",
            named.len()
        ))),
    }
}

/// PUs as Linux lists them: `0-3,8`.
pub(super) fn list(text: &str) -> Result<CpuSet, Unread> {
    text.parse().map_err(|error| Unread(format!("'{text}' is no list of hardware threads: {error}")))
}

/// The PUs of each rank where the command binds them, or why it does not.
pub(super) fn bound(rank: usize, pus: Option<CpuSet>) -> Result<CpuSet, Unread> {
    pus.filter(|pus| !pus.is_empty())
        .ok_or_else(|| Unread(format!("it does not say which hardware threads rank {rank} gets")))
}

/// One program for all ranks.
pub(super) fn common_program(programs: Vec<Vec<String>>) -> Result<Vec<String>, Unread> {
    let mut programs = programs.into_iter();
    let first = programs.next().unwrap_or_default();
    match programs.find(|program| *program != first) {
        None => Ok(first),
        Some(other) => Err(Unread(format!(
            "its ranks run '{}' and '{}': they must run one program",
            first.join(" "),
            other.join(" ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Job, JobRank, Launcher},
        *,
    };

    /// No files but those that a command makes.
    #[derive(Debug)]
    struct NoFiles;

    impl FileLines for NoFiles {
        fn lines(&self, _: &str) -> Option<Vec<String>> {
            None
        }
    }

    fn read(launcher: Launcher, text: &str) -> Result<Told, Unread> {
        let start = launcher.start();
        let read = start.read.expect("it is told by its command");
        read(&CommandLine::parse(text, start.program, &NoFiles)?)
    }

    fn places(told: &Told) -> Vec<(&str, String)> {
        told.places.iter().map(|(host, pus)| (host.as_str(), pus.to_string())).collect()
    }

    /// Launchers that are told by a command.
    fn told_by_command() -> impl Iterator<Item = Launcher> {
        Launcher::ALL.into_iter().filter(|launcher| launcher.start().read.is_some())
    }

    /// Ranks on up to four hosts in any order, each with some of the PUs of a node of 80.
    fn jobs() -> impl Strategy<Value = Vec<(String, CpuSet)>> {
        let pus = prop::collection::btree_set(0_usize..80, 1..5);
        let rank = (0..4_u8, pus).prop_map(|(host, pus)| {
            let mut set = CpuSet::new();
            pus.into_iter().for_each(|pu| set.insert(pu));
            (format!("node{host}"), set)
        });
        prop::collection::vec(rank, 1..9)
    }

    /// The same with equal lists on every host, as clusters of equal nodes have them.
    fn even_jobs() -> impl Strategy<Value = Vec<(String, CpuSet)>> {
        (1..4_usize, jobs()).prop_map(|(hosts, list)| {
            (0..hosts).flat_map(|host| list.iter().map(move |(_, pus)| (format!("node{host}"), pus.clone()))).collect()
        })
    }

    fn check(launcher: Launcher, ranks: &[(String, CpuSet)], names_devices: bool) -> bool {
        let job = Job {
            ranks: ranks.iter().map(|(host, pus)| JobRank { host, pus }).collect(),
            shares_cores: false,
            starts_here: false,
            slot_unit: crate::topology::SlotUnit::Core,
            names_devices,
            rankfile: "my file's.rf",
            program: "./app 'two words' --option=1",
        };
        let Ok(line) = (launcher.start().line)(&job) else { return false };
        let told =
            read(launcher, &line.command).unwrap_or_else(|unread| panic!("{launcher:?} {unread:?}: {}", line.command));
        assert_eq!(told.places, ranks, "{launcher:?}: {}", line.command);
        assert_eq!(told.program, ["./app", "two words", "--option=1"], "{launcher:?}: {}", line.command);
        assert_eq!(told.rankfile.as_deref(), names_devices.then_some("my file's.rf"), "{launcher:?}: {}", line.command);
        true
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn what_a_launcher_is_told_is_read_back_the_same(ranks in jobs(), names_devices: bool) {
            for launcher in told_by_command() {
                let can_say_all = matches!(launcher, Launcher::Mpich | Launcher::IntelMpi | Launcher::Slurm);
                prop_assert!(check(launcher, &ranks, names_devices) || !can_say_all, "{:?}", launcher);
            }
        }

        #[test]
        fn equal_nodes_can_be_told_to_every_launcher(ranks in even_jobs(), names_devices: bool) {
            for launcher in told_by_command() {
                prop_assert!(check(launcher, &ranks, names_devices), "{:?}", launcher);
            }
        }

        #[test]
        fn no_words_panic(words in prop::collection::vec("(-[nNwmoc]|--?[a-z-]{1,9}=?|:|&&|printf|user:|list:0|map_cpu:1|0x?[0-9]{1,4}|a|a:2|\\PC{0,6})", 0..12)) {
            for launcher in told_by_command() {
                let _ = read(launcher, &format!("{} {}", launcher.start().program, words.join(" ")));
            }
        }
    }

    #[test]
    fn commands_that_users_type_are_read() {
        for (launcher, command, expected) in [
            (
                Launcher::Mpich,
                "mpiexec -n 2 -bind-to user:0+4,1+5 ./app",
                &[("localhost", "0,4"), ("localhost", "1,5")][..],
            ),
            (
                Launcher::Mpich,
                "/opt/mpich/bin/mpiexec -ppn 1 -hosts a,b -n 2 -bind-to user:3 ./app",
                &[("a", "3"), ("b", "3")],
            ),
            (
                Launcher::IntelMpi,
                "mpiexec -ppn 2 -hosts a,b -n 4 -cpu-bind list:0-1:2 ./app",
                &[("a", "0-1"), ("a", "2"), ("b", "0-1"), ("b", "2")],
            ),
            (
                Launcher::Slurm,
                "srun -n 2 -w a --cpu-bind=verbose,mask_cpu:0x3,0xc ./app",
                &[("a", "0-1"), ("a", "2-3")],
            ),
            (
                Launcher::Slurm,
                "srun --ntasks=3 --nodelist=a --cpu-bind map_cpu:0*2,5 ./app",
                &[("a", "0"), ("a", "0"), ("a", "5")],
            ),
            (
                Launcher::Pals,
                "mpiexec -n 2 --ppn 1 --hosts a,b --cpu-bind verbose,list:0-7,104 ./app",
                &[("a", "0-7,104"), ("b", "0-7,104")],
            ),
        ] {
            let told = read(launcher, command).unwrap_or_else(|unread| panic!("{command}: {unread:?}"));
            let expected: Vec<(&str, String)> = expected.iter().map(|(host, pus)| (*host, (*pus).to_owned())).collect();
            assert_eq!(places(&told), expected, "{command}");
        }
    }

    #[test]
    fn what_does_not_say_where_ranks_belong_is_refused_in_words() {
        for (launcher, command, expected) in [
            (Launcher::Mpich, "srun -n 2 ./app", "a command of mpiexec is expected"),
            (Launcher::Mpich, "", "it is empty"),
            (Launcher::Mpich, "mpiexec -n 2 'open", "no shell would take it"),
            (Launcher::Mpich, "mpiexec -n 1 -bind-to user:0 ./app | tee log", "'|' has a '|'"),
            (Launcher::Mpich, "mpiexec -n 1 -bind-to user:0 ./app $HOME", "has a '$'"),
            (Launcher::Mpich, "mpiexec -n 1 -bind-to user:0 ./app *.txt", "has a '*'"),
            (Launcher::Mpich, "mpiexec -n 1 -bind-to user:0 ./app >log", "to a file"),
            (Launcher::Mpich, "mpiexec -n 1 -bind-to user:0 ./a\nmpiexec -n 1 -bind-to user:0 ./b", "a second line"),
            (Launcher::Mpich, "mpiexec -n 3 -bind-to user:1,0 ./app", "which hardware threads rank 2 gets"),
            (Launcher::Mpich, "mpiexec -hosts a:1,b:3 -ppn 2 -n 4 -bind-to user:0,1,2 ./app", "both say"),
            (Launcher::Mpich, "mpiexec -n 1 -bind-to user:0 ./a : -n 1 -bind-to user:1 ./a", "twice"),
            (Launcher::Mpich, "mpiexec -genv FOO bar -n 1 -bind-to user:0 ./a", "the variable FOO"),
            (Launcher::Slurm, "FOO=1 srun -n 1 -w a --cpu-bind=map_cpu:0 ./a", "the variable FOO"),
            (Launcher::Slurm, "srun -N 2 -w a -n 4 --cpu-bind=map_cpu:0,1,2,3 ./a", "2 nodes"),
            (Launcher::Flux, "flux run -N 2 -n 2 --requires=host:a -o cpu-affinity=map:0 ./a", "2 nodes"),
            (Launcher::Pals, "mpiexec -n 1 --hosts a --env FOO=bar --cpu-bind list:0 ./a", "the variable FOO"),
            (Launcher::Mpich, "mpiexec -n 2 ./app", "which hardware threads rank 0 gets"),
            (Launcher::Mpich, "mpiexec -n 2 -bind-to core ./app", "names no hardware threads"),
            (Launcher::Mpich, "mpiexec -n x ./app", "a number up to"),
            (Launcher::Mpich, "mpiexec -n 2 -hosts a,b -bind-to user:0 ./app", "how many ranks host a gets"),
            (Launcher::Mpich, "mpiexec -n 5 -hosts a:2 -bind-to user:0 ./app", "has room for 2"),
            (Launcher::Mpich, "mpiexec -n 1 -bind-to user:0,1 ./a : -n 1 ./b", "must run one program"),
            (Launcher::Mpich, "mpiexec -n 1 --frobnicate ./a", "'--frobnicate' is no option"),
            (Launcher::IntelMpi, "mpiexec -n 2 -hosts a:2 -cpu-bind list:0:1 ./app", "without the count"),
            (Launcher::IntelMpi, "mpiexec -n 3 -ppn 2 -hosts a,b -cpu-bind list:0:1 ./app", "it is ignored there"),
            (Launcher::IntelMpi, "mpiexec -n 2 -cpu-bind mask:0x1,0x2 ./app", "is ignored"),
            (Launcher::Slurm, "srun -n 4 -w a,b --cpu-bind=map_cpu:0,1 ./app", "srun itself divides"),
            (Launcher::Slurm, "srun -n 2 -w a --cpu-bind=cores ./app", "names no hardware threads"),
            (
                Launcher::Slurm,
                "SLURM_HOSTFILE=gone srun -n 2 -m arbitrary --cpu-bind=map_cpu:0 ./app",
                "'gone' that it names cannot be read",
            ),
            (Launcher::Slurm, "srun -n 3 -w a --cpu-bind=map_cpu:0,1 ./app", "which hardware threads rank 2 gets"),
            (Launcher::Flux, "flux mini run -n 2 ./app", "'run' does not stand"),
            (
                Launcher::Flux,
                "flux run -n 2 --requires=host:a,b -o cpu-affinity=map:0 ./app",
                "which host each rank gets",
            ),
            (Launcher::Pals, "mpiexec -n 2 --ppn 1 --hosts a --cpu-bind list:0 ./app", "has room for 1"),
        ] {
            let Unread(reason) = read(launcher, command).expect_err(command);
            assert!(reason.contains(expected), "{command}: {reason}");
        }
    }

    #[test]
    fn a_word_that_is_changed_changes_what_is_read() {
        let job = "mpiexec -n 2 -hosts a:1,b:1 -bind-to user:0,1 ./app";
        let told = read(Launcher::Mpich, job).unwrap();
        assert_ne!(places(&told), places(&read(Launcher::Mpich, &job.replace("a:1,b:1", "b:1,a:1")).unwrap()));
    }
}
