//! Words of commands that are printed for a shell, and read as one would.

/// A word that a shell takes as it is, or in quotes.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A command that a shell takes as these words.
pub(crate) fn shell_command(words: &[String]) -> String {
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// The words of a command, as a shell splits them.
///
/// # Errors
/// Why no shell would take it.
pub(crate) fn shell_words(command: &str) -> Result<Vec<String>, String> {
    shell_words::split(command).map_err(|error| format!("no shell would take {command:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!(shell_word("a/b.rf"), "a/b.rf");
        assert_eq!(shell_word("my file's.rf"), r"'my file'\''s.rf'");
        assert_eq!(shell_words(r"srun -n {np} 'my file'\''s.rf'").unwrap(), ["srun", "-n", "{np}", "my file's.rf"]);
        assert!(shell_words("srun 'x").unwrap_err().contains("missing closing quote"));
    }
}
