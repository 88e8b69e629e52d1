//! The options that have Open MPI follow a rankfile: the one place that knows them. What this program prints, checks and
//! advises about starting takes them from here.
//!
//! 4.1 has `-rf`. 5 and 6 have it not, refuse a core that another rank has, and some of them (5.0.7 and 6.0, not 5.0.11)
//! also more ranks than there are cores, unless both are allowed. `--bind-to core` makes no difference to what is bound, but
//! without it they bind nothing where a variable allows to oversubscribe, and refuse a file name with `pe` in it, which they
//! take for the option `PE=`.

/// The options for a file whose ranks share cores, as 5 and later want them: for texts that name no file.
macro_rules! sharing {
    () => {
        "--map-by rankfile:file=FILE:oversubscribe --bind-to core:overload-allowed"
    };
}

pub(super) use sharing;

/// How Open MPI 4.1 is given `file`.
#[must_use]
pub fn options_41(file: &str) -> String {
    format!("-rf {}", shell_word(file))
}

/// How Open MPI 5 and later are given `file`, of whose ranks some have a core in common where `shares_cores` says so.
#[must_use]
pub fn options_5(file: &str, shares_cores: bool) -> String {
    let [slots, cores] = if shares_cores { [":oversubscribe", ":overload-allowed"] } else { [""; 2] };
    format!("--map-by {} --bind-to core{cores}", shell_word(&format!("rankfile:file={file}{slots}")))
}

/// A word that a shell takes as it is, or in quotes.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_for_two_ranks_and_more_ranks_than_cores_are_allowed_together() {
        assert_eq!(options_5("FILE", true), sharing!());
        assert_eq!(options_5("FILE", false), "--map-by rankfile:file=FILE --bind-to core");
    }

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!(shell_word("a/b.rf"), "a/b.rf");
        assert_eq!(shell_word("my file's.rf"), r"'my file'\''s.rf'");
        assert_eq!(options_41("my file"), "-rf 'my file'");
        assert_eq!(
            options_5("my file", true),
            "--map-by 'rankfile:file=my file:oversubscribe' --bind-to core:overload-allowed"
        );
    }
}
