//! The rankfile of the job: named by the user or found in what the launcher tells, read by rank 0 alone, understood by every
//! rank. Does not know where ranks really are.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    cli::PlaceArgs,
    comm::{Failure, World},
    commands::bounded::{self, MAX_BYTES, Unread},
    error::Error,
    launcher::{Dialect, FollowedRankfile, Launcher, OWN_VARIABLE, followed_rankfile, told_slot_unit},
    placement::{Code, DeviceRequest, Finding, Requested, Severity},
    rankfile::{self, Diagnostic, NodeShape, Parsed, Reading},
    topology::{Node, SlotUnit},
    visible::shown,
    words,
};

/// A rankfile, the same on every rank.
#[derive(Debug)]
pub(in crate::commands) struct JobRankfile {
    /// The file as it was named.
    pub(in crate::commands) name: String,
    /// What it says, or why that cannot be known.
    parsed: Result<Parsed, String>,
    /// What its slots count.
    slot_unit: SlotUnit,
    /// The one whose misreadings matter; `None` where that is not known, and all do.
    dialect: Option<Dialect>,
}

/// What rank 0 tells the others before the text itself.
#[derive(Serialize, Deserialize)]
struct Told {
    name: String,
    /// Why it was not read; only of a file that nobody named.
    unread: Option<String>,
    /// What its slots count.
    slot_unit: SlotUnit,
    /// The launcher tells of it, which reads it so.
    followed_in: Option<Dialect>,
}

/// A rankfile's path, and how it is known.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// The user named it for this program.
    Named(PathBuf),
    /// The launcher tells of it.
    Found(FollowedRankfile),
}

impl JobRankfile {
    /// Finds the job's rankfile and reads it, on rank 0, for all. Collective.
    pub(in crate::commands) fn of_job(world: &World, args: &PlaceArgs) -> Result<Option<Self>, Failure> {
        let told = world.agree(if world.is_root() { tell(args) } else { Ok(None) })?;
        let (told, text) = told.map_or((None, Vec::new()), |(told, text)| (Some(told), text));
        let (told, text): (Option<Told>, Vec<u8>) = world.all.broadcast(0, &(told, text));
        let Some(told) = told else { return Ok(None) };
        let rankfile = Self {
            name: told.name,
            slot_unit: told.slot_unit,
            parsed: told.unread.map_or_else(|| Ok(rankfile::parse_counting(&text, told.slot_unit)), Err),
            dialect: told.followed_in.or_else(|| Launcher::of_library(world.library())?.dialect()),
        };
        world.agree(rankfile.check(args, told.followed_in.is_none()))?;
        Ok(Some(rankfile))
    }

    /// The same for a process that knows of no others: it reads the file itself.
    pub(in crate::commands) fn of_process(args: &PlaceArgs) -> Result<Option<Self>, Error> {
        let Some((told, text)) = tell(args)? else { return Ok(None) };
        let parsed = told.unread.map_or_else(|| Ok(rankfile::parse_counting(&text, told.slot_unit)), Err);
        let rankfile = Self { name: told.name, slot_unit: told.slot_unit, parsed, dialect: told.followed_in };
        rankfile.check(args, told.followed_in.is_none())?;
        Ok(Some(rankfile))
    }

    /// Refuses a file that was named and says nothing, and any file that names a GPU nobody can understand.
    fn check(&self, args: &PlaceArgs, is_named: bool) -> Result<(), Error> {
        let Ok(parsed) = &self.parsed else { return Ok(()) };
        let refused = |diagnostic: &Diagnostic| {
            let says_nothing = is_named && parsed.rankfile.entries.is_empty();
            let misnames_a_gpu = diagnostic.code == rankfile::Code::BadBusId && args.device == DeviceRequest::Auto;
            says_nothing || misnames_a_gpu
        };
        match parsed.diagnostics.iter().find(|diagnostic| refused(diagnostic)) {
            Some(diagnostic) => Err(Error::Rankfile {
                name: format!("{}:{}", self.name, diagnostic.span.line),
                reason: diagnostic.message.clone(),
            }),
            None => Ok(()),
        }
    }

    /// What a node's slots are in a job with this rankfile, or without one.
    pub(in crate::commands) fn slot_unit_of(rankfile: Option<&Self>) -> SlotUnit {
        rankfile.map(|rankfile| rankfile.slot_unit).unwrap_or_default()
    }

    /// The device that a comment on the rank's line requests, and that line.
    pub(in crate::commands) fn request(&self, rank: u32) -> Option<(DeviceRequest, String)> {
        let entry = self.entry(rank)?;
        Some((entry.device?, format!("{}:{}", self.name, entry.line)))
    }

    /// The devices that comments request, for any rank.
    pub(super) fn requests(&self) -> impl Iterator<Item = DeviceRequest> + '_ {
        self.parsed.iter().flat_map(|parsed| &parsed.rankfile.entries).filter_map(|entry| entry.device)
    }

    /// What the file requests for a rank that is on `node`.
    ///
    /// The cores are those that the text means to a person: where the launcher reads something else, the rank's binding
    /// differs, and that is to be said.
    pub(in crate::commands) fn requested(&self, rank: u32, node: &Node) -> Option<Requested> {
        let entry = self.entry(rank)?;
        let shape = NodeShape::of_node(node);
        let slots = rankfile::resolve(&entry.slots, Reading::Meant, &shape).unwrap_or_default();
        Some(Requested {
            rankfile: self.name.clone(),
            host: entry.host.clone(),
            slots: entry.slots.text().to_owned(),
            cores: Some(node.pus_of_slots(&slots)).filter(|cores| !cores.is_empty()),
            device: entry.device,
        })
    }

    /// What is wrong with the file itself, for a job of `ranks` ranks.
    pub(in crate::commands) fn findings(&self, host: &str, ranks: usize) -> Option<Finding> {
        let finding = |code, severity, message, hint: String| {
            Some(Finding { code, severity, host: host.to_owned(), ranks: Vec::new(), message, hint: Some(hint) })
        };
        let parsed = match &self.parsed {
            Ok(parsed) => parsed,
            Err(reason) => {
                let message = format!(
                    "the launcher's rankfile {} cannot be read here ({reason}): its device comments are not heard, and \
                     what it asks for is not compared",
                    self.name
                );
                let hint = "name it with --rankfile FILE; rank 0 alone has to read it".to_owned();
                return finding(Code::RankfileUnread, Severity::Note, message, hint);
            }
        };
        let ranks = u32::try_from(ranks).expect("MPI numbers ranks with a C int");
        let has_ranks = !parsed.rankfile.entries.is_empty();
        let count = has_ranks.then(|| rankfile::lint_rank_count(&parsed.rankfile, ranks)).flatten();
        let faults: Vec<&Diagnostic> = parsed.diagnostics.iter().chain(&count).filter(|d| self.is_fault(d)).collect();
        let first = faults.first()?;
        let cases = words::cases(faults.iter().map(|fault| self.in_words(fault)));
        let hint = match &first.corrected {
            Some(line) if faults.len() == 1 => format!("write `{line}`"),
            _ => format!("mend the file; `hybrid rankfile check {}` shows each place", self.name),
        };
        finding(Code::RankfileFaulty, Severity::Warning, cases, hint)
    }

    fn entry(&self, rank: u32) -> Option<&rankfile::Entry> {
        self.parsed.as_ref().ok()?.rankfile.entry(rank)
    }

    /// Whether it leads, or may lead, to another place than the author means.
    fn is_fault(&self, diagnostic: &Diagnostic) -> bool {
        let concerns = self.dialect.is_none_or(|dialect| diagnostic.concerns(&[dialect]));
        let is_error = diagnostic.severity == Severity::Error && concerns;
        is_error || matches!(diagnostic.code, rankfile::Code::DeviceComment | rankfile::Code::DeviceCommentAlone)
    }

    fn in_words(&self, diagnostic: &Diagnostic) -> String {
        let consequence = self.dialect.and_then(|dialect| {
            diagnostic.consequences[dialect]
                .as_ref()
                .map(|does| format!("; Open MPI {} {does}", dialect.short_version()))
        });
        format!("{}:{}: {}{}", self.name, diagnostic.span.line, diagnostic.message, consequence.unwrap_or_default())
    }
}

/// The rankfile and its text, as rank 0 finds them.
fn tell(args: &PlaceArgs) -> Result<Option<(Told, Vec<u8>)>, Error> {
    let Some(origin) = origin(args.rankfile.as_deref(), |name| env::var_os(name)) else { return Ok(None) };
    let (path, name, followed_in) = match origin {
        Origin::Named(path) => (path.clone(), shown(&path).to_string(), None),
        Origin::Found(told) => (told.file(), shown(&told.path).to_string(), Some(told.dialect)),
    };
    let slot_unit = if args.use_hwthread_cpus { SlotUnit::Thread } else { told_slot_unit(|name| env::var_os(name)) };
    let told = |unread| Told { name: name.clone(), unread, slot_unit, followed_in };
    match read(&path) {
        Ok(text) => Ok(Some((told(None), text))),
        Err(reason) if followed_in.is_some() => Ok(Some((told(Some(reason)), Vec::new()))),
        Err(reason) => Err(Error::Rankfile { name, reason }),
    }
}

/// Where the rankfile is, if any is known: what the user names comes before what the launcher tells.
fn origin(option: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Option<Origin> {
    let of_environment = || variable(OWN_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = option.map(Path::to_owned).or_else(of_environment).map(Origin::Named);
    named.or_else(|| followed_rankfile(&variable).map(Origin::Found))
}

/// The bytes of a regular file.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let kind = fs::metadata(path).map_err(|cause| cause.to_string())?.file_type();
    if kind.is_dir() {
        return Err("it is a directory; name a file in it".to_owned());
    }
    if !kind.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let read = File::open(path).map_err(Unread::Failed).and_then(|file| bounded::read_file(&file));
    read.map_err(|unread| match unread {
        Unread::Failed(cause) => cause.to_string(),
        Unread::TooLarge(_) => format!("it is larger than {} MiB, the most a rankfile may have", MAX_BYTES >> 20),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(option: Option<&str>, variables: &[(&str, &str)]) -> Option<Origin> {
        let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        origin(option.map(Path::new), variable)
    }

    #[test]
    fn what_the_user_names_comes_before_what_the_launcher_tells() {
        let launcher = ("OMPI_MCA_orte_rankfile", "launcher.rf");
        assert_eq!(found(None, &[]), None);
        assert_eq!(found(None, &[(OWN_VARIABLE, "")]), None);
        let Some(Origin::Found(told)) = found(None, &[launcher]) else { panic!("the launcher tells of one") };
        assert_eq!((told.path.as_path(), told.dialect), (Path::new("launcher.rf"), Dialect::OpenMpi41));
        assert_eq!(found(None, &[launcher, (OWN_VARIABLE, "own.rf")]), Some(Origin::Named("own.rf".into())));
        assert_eq!(found(Some("a.rf"), &[launcher, (OWN_VARIABLE, "own.rf")]), Some(Origin::Named("a.rf".into())));
    }

    #[test]
    fn a_launcher_tells_where_it_counts_hardware_threads() {
        let told = |name: &'static str, value: &'static str| {
            told_slot_unit(|asked: &str| (asked == name).then(|| value.into()))
        };
        assert_eq!(told("OMPI_MCA_hwloc_base_use_hwthreads_as_cpus", "1"), SlotUnit::Thread);
        assert_eq!(told("OMPI_MCA_hwloc_base_use_hwthreads_as_cpus", "0"), SlotUnit::Core);
        assert_eq!(told("OMPI_MCA_hwloc_base_binding_policy", "hwthread"), SlotUnit::Thread);
        assert_eq!(told("OMPI_MCA_hwloc_base_binding_policy", "core"), SlotUnit::Core);
    }

    #[test]
    fn a_file_that_cannot_be_read_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ranks.rf");
        fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file), Ok(b"12345".to_vec()));
        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(u64::try_from(MAX_BYTES).unwrap() + 1).unwrap();
        for (path, reason) in [
            (large.as_path(), "larger than"),
            (folder.path(), "directory"),
            (Path::new("/dev/zero"), "no regular file"),
            (&folder.path().join("missing"), "No such file"),
        ] {
            let message = read(path).unwrap_err();
            assert!(message.contains(reason), "{message}");
        }
    }

    fn rankfile(text: &str) -> JobRankfile {
        let parsed = Ok(rankfile::parse(text.as_bytes()));
        JobRankfile { name: "my.rf".to_owned(), slot_unit: SlotUnit::Core, parsed, dialect: Some(Dialect::OpenMpi41) }
    }

    #[test]
    fn what_the_launcher_misreads_is_named_with_the_line_and_what_to_write() {
        let finding = rankfile("rank 0=a slot=0\nrank 1=a slot=P1\n").findings("a", 2).unwrap();
        assert_eq!((finding.code, finding.severity), (Code::RankfileFaulty, Severity::Warning));
        assert!(finding.message.starts_with("my.rf:2: ") && finding.message.contains("Open MPI 4.1"), "{finding:?}");
        let short = rankfile("rank 0=a slot=0\n").findings("a", 2).unwrap();
        assert!(short.message.contains("ranks 0 to 1"), "{short:?}");
        let unclear = rankfile("rank 0=a slot=0 # gpu 1\n").findings("a", 1).unwrap();
        assert!(unclear.message.contains("my.rf:1: ") && unclear.message.contains("# gpu=0000:65:00.0"), "{unclear:?}");
        assert_eq!(rankfile("rank 0=a slot=0 # gpu\n").findings("a", 1), None);
    }

    #[test]
    fn a_request_comes_with_the_line_it_stands_on() {
        let file = rankfile("rank 0=a slot=0 # gpu=65:00.0\nrank 1=a slot=1\n");
        let (request, line) = file.request(0).unwrap();
        assert_eq!((request.to_string().as_str(), line.as_str()), ("0000:65:00.0", "my.rf:1"));
        assert_eq!(file.request(1), None);
        assert_eq!(file.request(2), None);
    }
}
