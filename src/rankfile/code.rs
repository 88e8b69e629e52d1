//! The list of everything that can be said about a rankfile: stable id, name, severity, and what
//! each dialect does about it where that is the same in every file. One row to add a code.

use std::fmt;

use crate::{
    launcher::{ByDialect, Dialect, sharing},
    severity::Severity,
};

const SYNTAX: &str = "refuses the file: \"invalid syntax in the rankfile\", without a line number";
pub(super) const SYNTAX_OF_LINE: &str = "refuses the file: \"invalid syntax in the rankfile\", with the line's number";
const AS_HOST: &str = "takes the line for a host, since it reads the file as a hostfile first: tries ssh, or stops at \"a parse error in the hostfile\"";
const HOSTFILE: &str = "stops at \"a parse error in the hostfile\", without naming the rankfile";
const ALREADY_ALLOCATED: &str =
    concat!("\"A process attempted to bind to resources already allocated\", unless started with ", sharing!());
const OVER_ITS_SLOTS: &str = concat!(
    "\"A process attempted to bind to resources already allocated\", or \"a host was either not allocated or oversubscribed its slots\", unless started with ",
    sharing!()
);
const UNNAMED: &str = "refuses the file, without naming the character: \"invalid syntax in the rankfile\", \"a parse error in the hostfile\" or, in a host name, \"an illegal character\"";
const ELSEWHERE: &str =
    "\"a host was either not allocated or oversubscribed its slots\", unless a hostfile names the address";
const REFUSED_NAMELESS: &str = "refuses the file: \"invalid syntax in the rankfile\" with the line's number, or, in a slot list, \"Bad parameter\" without it";
const TWO_HOSTS: &str =
    "takes the two spellings for two hosts: \"a host was either not allocated or oversubscribed its slots\"";
const UNBOUND: &str = "leaves the rank unbound, without a word";
const LOST: &str = "says \"A rank is missing its location specification\" and starts nothing";

/// What each dialect does about a fault; `None` where it does as the file says or where it depends.
type Consequences = ByDialect<Option<&'static str>>;

/// In the order of [`Dialect::ALL`].
const fn each(consequences: [Option<&'static str>; Dialect::ALL.len()]) -> Consequences {
    ByDialect::new(consequences)
}

/// Where it depends, or where no launcher does anything else than the file says.
const NONE: Consequences = each([None; Dialect::ALL.len()]);

/// All do the same.
const fn alike(consequence: &'static str) -> Consequences {
    each([Some(consequence); Dialect::ALL.len()])
}

/// Those before Open MPI 6 do the same, and 6 something else or what the file says.
const fn before_6(consequence: &'static str, by_6: Option<&'static str>) -> Consequences {
    each([Some(consequence), Some(consequence), by_6])
}

/// Each refuses the file, and from 6 on with the number of the line.
const REFUSED: Consequences = before_6(SYNTAX, Some(SYNTAX_OF_LINE));

macro_rules! codes {
    ($($variant:ident $id:literal $name:literal $severity:ident $consequences:expr, $doc:literal;)*) => {
        /// What is wrong. The id (`RF040`) and the name (`package-prefix`) never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $doc] $variant,)* }

        impl Code {
            /// Every code, in the order of the ids.
            #[cfg(any(test, feature = "inside"))]
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// `RF040`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// `package-prefix`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(super) const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What each dialect does where that is the same in every file.
            pub(super) const fn consequences(self) -> Consequences {
                match self { $(Self::$variant => $consequences,)* }
            }
        }
    };
}

codes! {
    FileTooLarge "RF001" "file-too-large" Error NONE, "More text than any rankfile has.";
    NotText "RF002" "not-text" Error before_6(SYNTAX, Some("\"could not read the rankfile to its end\", with the number of a line")), "A NUL byte.";
    NotUtf8 "RF003" "not-utf8" Error before_6("refuses such bytes outside of comments", Some(SYNTAX_OF_LINE)), "Bytes that are not UTF-8.";
    ByteOrderMark "RF004" "byte-order-mark" Error before_6(HOSTFILE, Some(SYNTAX_OF_LINE)), "The file starts with a byte order mark.";
    CarriageReturn "RF005" "carriage-return" Error before_6(SYNTAX, None), "Lines end as on Windows or on old Macs.";
    CommentAtEnd "RF006" "comment-without-newline" Error before_6(SYNTAX, None), "The last line is a comment without a newline.";
    OpenComment "RF007" "open-comment" Error alike("ignores the rest of the file, without a word"), "`/*` without `*/`.";
    NoRanks "RF008" "no-ranks" Error each([Some(LOST), Some(SYNTAX), Some(SYNTAX)]), "The file names no rank.";
    OtherFile "RF009" "other-file" Error NONE, "Not a rankfile, but a hostfile or another launcher's file.";

    UnknownLine "RF010" "unknown-line" Error each([Some(AS_HOST), Some("ignores a plain word, else stops at \"a parse error in the hostfile\" or \"invalid syntax\""), Some(SYNTAX_OF_LINE)]), "A line that does not start with `rank`.";
    KeywordCase "RF011" "keyword-case" Error each([Some("stops at \"a parse error in the hostfile\" (rank) or a missing help text (slot)"), Some("stops at \"a parse error in the hostfile\" (rank), or takes the slot number for the host (slot)"), Some(SYNTAX_OF_LINE)]), "`RANK` or `Slot`.";
    RankNumber "RF012" "rank-number" Error REFUSED, "No whole number after `rank`.";
    RankTooLarge "RF013" "rank-too-large" Error before_6("cuts the number to 32 bits (4294967297 is rank 1), or hangs while it fills its memory", Some("refuses the number, or says \"A rank is missing its location specification\"")), "A rank that no job has.";
    MissingEquals "RF014" "missing-equals" Error REFUSED, "No `=` after the rank or after `slot`.";
    DoubleEquals "RF015" "double-equals" Error before_6("mpiexec dies of a segmentation fault", Some(SYNTAX_OF_LINE)), "`==`.";
    MissingSlots "RF016" "missing-slots" Error each([Some("stops without starting anything, with a missing help text"), Some(UNBOUND), Some(UNBOUND)]), "A rank without `slot=`.";
    EmptySlots "RF017" "empty-slots" Error REFUSED, "Nothing after `slot=`.";
    BlankInSlots "RF018" "blank-in-slots" Error before_6("ignores everything after the blank, without a word", Some(SYNTAX_OF_LINE)), "A blank within a slot list.";
    StrayText "RF019" "stray-text" Error before_6("ignores plain words after the slots; a second rank or slot on the line breaks the file", Some(SYNTAX_OF_LINE)), "Words after the slot list.";
    StrayCharacter "RF020" "stray-character" Error before_6(SYNTAX, Some(REFUSED_NAMELESS)), "A character that has no place in a rankfile.";
    BrokenLine "RF021" "broken-line" Error before_6("ignores a plain word; else takes what stands behind '=' for a host, or starts nothing", Some("refuses the file: \"invalid syntax in the rankfile\" with the line's number, or a missing help text (username)")), "Something else where `slot=` should stand.";
    Guise "RF022" "look-alike-character" Error before_6(UNNAMED, Some(REFUSED_NAMELESS)), "A character that looks like ASCII or like nothing.";

    MissingHost "RF030" "missing-host" Error before_6("takes the next word for the host", Some(SYNTAX_OF_LINE)), "Nothing after `rank N=`.";
    HostSyntax "RF031" "host-syntax" Error each([Some("refuses the name, or cuts it and tries ssh to what is left"), Some("refuses the name, or cuts it and finds no such host"), Some("refuses the name, or finds no such host: \"a host was either not allocated or oversubscribed its slots\"")]), "A host name that cannot be one.";
    HostUnderscore "RF032" "host-underscore" Error each([Some("refuses the name: \"an illegal character in the following node name\""), None, None]), "A host name with `_`.";
    QuotedHost "RF033" "quoted-host" Error each([Some("takes the quotes for a part of the name and refuses it"), Some(SYNTAX), Some(SYNTAX_OF_LINE)]), "A host name in quotes.";
    RelativeHost "RF034" "relative-host" Error each([Some("\"A relative host was specified, but no prior allocation has been made\", with -H and --hostfile too"), Some("\"A relative host was specified, but no prior allocation has been made\", unless -H or a resource manager names hosts"), None]), "`+n0`.";
    SeveralAts "RF035" "several-ats" Error before_6("mpiexec dies of a segmentation fault", Some(SYNTAX_OF_LINE)), "`a@b@host`.";
    FullHostName "RF036" "full-host-name" Warning alike("cuts the name at the first dot, so that node.a and node.b are one host"), "A host name with its domain.";
    HostCase "RF037" "host-case" Error each([Some("may take the two spellings for two hosts"), Some(TWO_HOSTS), Some(TWO_HOSTS)]), "One host in two spellings.";
    OneMachine "RF038" "one-machine" Error NONE, "This machine under two names, or by its address.";
    Ipv6Host "RF039" "ipv6-host" Error each([Some("refuses the name: \"an illegal character in the following node name\", unless it is an address of the machine that starts the job"), Some(ELSEWHERE), Some(ELSEWHERE)]), "A host by its IPv6 address.";

    PackagePrefix "RF040" "package-prefix" Error NONE, "`P1`, a package to 5 and later only.";
    CorePrefix "RF041" "core-prefix" Error NONE, "`C1`, which is core 0.";
    StarWithoutPackage "RF042" "star-without-package" Error NONE, "`*`, which is core 0.";
    NotANumber "RF043" "not-a-number" Error NONE, "`0x3`, which is core 0.";
    CommaAfterPackage "RF044" "comma-after-package" Error NONE, "`0:0,1`, which the versions split differently.";
    ReversedRange "RF045" "reversed-range" Error NONE, "`2-0`, which is no core.";
    StrayPunctuation "RF046" "stray-punctuation" Warning NONE, "`0,` or `0;;1`.";
    NegativeNumber "RF047" "negative-core" Error NONE, "`-1`, which is core 1.";
    BadRange "RF048" "bad-range" Error NONE, "`0-` or `0-1-2`.";
    NumberTooLarge "RF049" "number-too-large" Error NONE, "A core number that wraps.";
    MissingNumber "RF050" "missing-number" Error NONE, "`0:` or `:1`.";
    SlotsTooLong "RF051" "slots-too-long" Error NONE, "More text than the launchers have room for.";
    MixedCounts "RF052" "mixed-counts" Error NONE, "A slot list that the versions read differently in another way.";

    RankZeroFirst "RF060" "rank-zero-first" Error each([Some("\"rank 0 is already assigned\", and starts nothing"), Some("\"rank 0 is already assigned\", and starts nothing (5.0.11 and before)"), None]), "Another rank stands before rank 0.";
    MissingRank "RF061" "missing-rank" Error alike(LOST), "Ranks are not 0, 1, 2, ... without a gap.";
    DuplicateRank "RF062" "duplicate-rank" Error NONE, "A rank stands there twice.";
    TooFewRanks "RF063" "too-few-ranks" Error alike(LOST), "Fewer ranks than `-n` starts.";
    UnusedRanks "RF064" "unused-ranks" Warning alike("ignores the ranks over, without a word"), "More ranks than `-n` starts.";

    BadBusId "RF070" "bad-bus-id" Error NONE, "`gpu=` and no PCI bus id.";
    DeviceComment "RF071" "device-comment" Warning NONE, "Almost a device comment.";
    DeviceCommentAlone "RF072" "device-comment-alone" Warning NONE, "A device comment on a line of its own.";

    NoSuchCore "RF080" "no-such-core" Error NONE, "The node has no such core.";
    NoSuchPackage "RF081" "no-such-package" Error NONE, "The node has no such package.";
    UnequalPackages "RF082" "unequal-packages" Error NONE, "5.x miscounts cores where packages differ.";
    SharedCore "RF083" "shared-core" Warning each([Some("lets both ranks share the core, without a word"), Some(ALREADY_ALLOCATED), Some(ALREADY_ALLOCATED)]), "Two ranks on one core.";
    TooManyRanks "RF084" "too-many-ranks" Warning each([Some("lets the ranks share cores, without a word"), Some(OVER_ITS_SLOTS), Some(OVER_ITS_SLOTS)]), "More ranks on a node than it has cores.";
    WholeNode "RF085" "whole-node" Note each([Some("reports the rank as \"not bound (or bound to all available processors)\""), None, None]), "One rank has every core of a node.";
    UnknownHost "RF086" "unknown-host" Note NONE, "A host that is not among the nodes that are known.";
    NoSuchGpu "RF087" "no-such-gpu" Error NONE, "A device comment names a GPU that the node has not got.";
    SharedGpu "RF088" "shared-gpu" Warning NONE, "Two ranks name one GPU, or more ranks want a GPU than the node has.";

    TooManyFindings "RF099" "too-many-findings" Note NONE, "The list of findings was cut.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_names_are_kebab_case() {
        assert!(Code::ALL.is_sorted_by(|a, b| a.id() < b.id()));
        for code in Code::ALL {
            assert!(code.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{code}");
            let same = Code::ALL.iter().filter(|other| other.name() == code.name()).count();
            assert_eq!(same, 1, "{code}");
        }
    }
}
