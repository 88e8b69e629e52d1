//! Counts and lists in sentences. Knows only words that form their plural with an `s`.

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

/// So many cases of one kind are spelled out, or names: there may be thousands.
pub(crate) const EXAMPLES: usize = 3;

/// The first few of many cases, and how many more there are: `a; b; c; and 2 more`.
#[must_use]
pub(crate) fn cases(cases: impl IntoIterator<Item = String>) -> String {
    few(cases, EXAMPLES, "; ", "; and")
}

/// The first of many names, at `most` so many, and how many more there are: `a, b, c and 2 more`.
#[must_use]
pub(crate) fn names(names: impl IntoIterator<Item = String>, most: usize) -> String {
    few(names, most, ", ", " and")
}

fn few(all: impl IntoIterator<Item = String>, most: usize, between: &str, and: &str) -> String {
    let mut all = all.into_iter();
    let told = all.by_ref().take(most).collect::<Vec<_>>().join(between);
    match all.count() {
        0 => told,
        more => format!("{told}{and} {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "rank")), ["0 ranks", "1 rank", "2 ranks"]);
        assert_eq!([0, 1, 2].map(|count| none_or_counted(count, "GPU")), ["no GPU", "1 GPU", "2 GPUs"]);
    }

    #[test]
    fn of_many_the_first_are_told() {
        let all = |count: usize| ["a", "b", "c", "d", "e"].into_iter().take(count).map(str::to_owned);
        assert_eq!([0, 1, 3, 5].map(|count| cases(all(count))), ["", "a", "a; b; c", "a; b; c; and 2 more"]);
        assert_eq!([0, 1, 2, 5].map(|count| names(all(count), 2)), ["", "a", "a, b", "a, b and 3 more"]);
    }
}
