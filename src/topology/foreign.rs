//! XML files that others wrote, read by hwloc in a process of its own: hwloc trusts what it is given and may crash, loop or take
//! all memory over a file that is damaged or malicious. The process is this program again, with limits, and hands back plain
//! values. Knows nothing of what the XML says.

use std::{
    env,
    ffi::OsString,
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Node, TopologyError, hwloc};
use crate::visible::shown;

/// The word that makes this program the reading process, where it stands alone before the name that messages have for the file.
const WORD: &str = "read-topology-from-stdin";
/// Limits of that process, some hundred times what the largest of machines take: seconds of a core, bytes of memory.
const LIMITS: [(Resource, u64); 3] = [(Resource::Cpu, 20), (Resource::As, 4 << 30), (Resource::Core, 0)];
/// libxml2, which hwloc reads XML with where it can, refuses most texts that are longer than this and all in memory.
const LIBXML_LIMIT_BYTES: usize = 10_000_000;
/// Has hwloc read XML by its own means, which take what `lstopo` writes, of any length.
const WITHOUT_LIBXML: (&str, &str) = ("HWLOC_LIBXML_IMPORT", "0");
/// No node has an answer as long as this, in bytes.
const ANSWER_LIMIT_BYTES: u64 = 256 << 20;

/// What the reading process answers: the node, or what is wrong with the XML.
type Answer = Result<Node, String>;

impl Node {
    /// Reads a file with an hwloc XML description that may hold anything. Only for the program `hybrid`, which starts itself.
    ///
    /// # Errors
    /// [`TopologyError::Stored`] where the file cannot be read, or as [`Node::from_xml`] has it.
    pub fn from_foreign_xml_file(path: &Path) -> Result<Self, TopologyError> {
        let xml = hwloc::read_xml(path)?;
        let name = shown(path).to_string();
        answer(&name, &xml).and_then(|answer| answer).map_err(|reason| TopologyError::Stored { name, reason })
    }
}

/// Is the reading process, where `words`, the program's name first, say so: reads XML from stdin and writes the answer to stdout.
/// Returns with nothing done otherwise.
pub fn serve(mut words: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let (word, name) = (words.nth(1)?, words.next()?);
    if word != WORD || words.next().is_some() {
        return None;
    }
    let served = limit_this_process().and_then(|()| {
        let mut xml = String::new();
        io::stdin().lock().read_to_string(&mut xml)?;
        let answer: Answer = Node::from_xml(&name.to_string_lossy(), &xml).map_err(|error| match error {
            TopologyError::Stored { reason, .. } => reason,
            other => other.to_string(),
        });
        serde_json::to_writer(io::stdout().lock(), &answer)?;
        io::stdout().flush()
    });
    Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn limit_this_process() -> io::Result<()> {
    for (resource, limit) in LIMITS {
        let maximum = getrlimit(resource).maximum;
        let limit = maximum.map_or(limit, |maximum| maximum.min(limit));
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}

/// What the reading process answers to `xml`, or why there is no answer.
fn answer(name: &str, xml: &str) -> Result<Answer, String> {
    let failed = |error: io::Error| format!("no process can be started to read it in: {error}");
    let mut process = Command::new(this_program().map_err(failed)?)
        .args([WORD, name])
        .envs((xml.len() >= LIBXML_LIMIT_BYTES).then_some(WITHOUT_LIBXML))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = process.stdin.take() {
        // A process that ends before it has read all tells so by how it ends.
        let _ = stdin.write_all(xml.as_bytes());
    }
    let mut text = Vec::new();
    let read = process.stdout.take().map(|stdout| stdout.take(ANSWER_LIMIT_BYTES).read_to_end(&mut text));
    // Of use only where the answer was too long; a process that has ended already needs no killing.
    if matches!(read, Some(Err(_))) || text.len() as u64 == ANSWER_LIMIT_BYTES {
        let _ = process.kill();
    }
    let status = process.wait().map_err(failed)?;
    match serde_json::from_slice(&text) {
        Ok(answer) if status.success() => Ok(answer),
        _ => Err(failure(status)),
    }
}

/// The file of this program; by way of the kernel it is found even where its name is gone by now.
fn this_program() -> io::Result<PathBuf> {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() { Ok(link) } else { env::current_exe() }
}

/// How a process ended that gave no answer.
fn failure(status: ExitStatus) -> String {
    let how = match (status.signal(), status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, code) => format!("exit code {}", code.unwrap_or_default()),
    };
    format!("hwloc fails to read it in ({how}): it is damaged, or asks for more than any machine has")
}
