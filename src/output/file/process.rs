//! What the kernel tells of a process (proc(5), /proc/PID/stat), by which it is told from another one that gets its number later.

use std::fs;

/// A process that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The process that has started it; 0 for none that is seen from here.
    pub parent: u32,
    /// When it began, in the kernel's ticks since the host was started.
    pub began: u64,
}

impl Stat {
    /// What is known of a process; `None` of one that is not there, is hidden, or has ended and was not yet waited for.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Self::read(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn read(text: &str) -> Option<Self> {
        let fields = fields(text)?;
        let has_ended = matches!(*fields.first()?, "Z" | "X");
        let stat = Self { parent: fields.get(1)?.parse().ok()?, began: fields.get(19)?.parse().ok()? };
        (!has_ended).then_some(stat)
    }
}

/// The fields of a `stat` from the third on, the state: the name before it, in parentheses, may have blanks and parentheses itself.
#[must_use]
pub fn fields(stat: &str) -> Option<Vec<&str>> {
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().collect())
}

/// In what this process's id is counted.
#[must_use]
pub fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::parent_id;

    use super::*;

    #[test]
    fn the_kernels_words_on_a_process_are_read_whatever_its_name() {
        let text = "7 (a) b (c)) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        assert_eq!(Stat::read(text), Some(Stat { parent: 3, began: 4242 }));
        assert_eq!(Stat::read(&text.replace(" S ", " Z ")), None, "it has ended");
        assert_eq!(Stat::read("7 a"), None);
        assert_eq!(Stat::of(std::process::id()).unwrap().parent, parent_id());
    }
}
