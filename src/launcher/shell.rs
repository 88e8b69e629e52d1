//! Words of commands that are printed for a shell.

/// A word that a shell takes as it is, or in quotes.
pub(crate) fn shell_word(word: &str) -> String {
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
    fn a_shell_reads_one_word() {
        assert_eq!(shell_word("a/b.rf"), "a/b.rf");
        assert_eq!(shell_word("my file's.rf"), r"'my file'\''s.rf'");
    }
}
