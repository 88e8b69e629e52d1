//! Counts in sentences. Knows only words that form their plural with an `s`.

use std::fmt::Display;

/// `0 errors`, `1 error`, `2 errors`.
#[must_use]
pub(crate) fn counted(count: usize, what: impl Display) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `no GPU`, `1 core`, `4 ranks`.
#[must_use]
pub(crate) fn none_or_counted(count: usize, what: &str) -> String {
    if count == 0 { format!("no {what}") } else { counted(count, what) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "rank")), ["0 ranks", "1 rank", "2 ranks"]);
        assert_eq!([0, 1, 2].map(|count| none_or_counted(count, "GPU")), ["no GPU", "1 GPU", "2 GPUs"]);
    }
}
