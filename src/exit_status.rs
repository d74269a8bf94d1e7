//! How a process ends: the numbers that scripts rely on, each with its one meaning.

use std::process::ExitCode;

/// The exit status of the command, from the best to the worst: of several, the greatest counts.
///
/// ```
/// use runner_auth::ExitStatus;
///
/// assert!(ExitStatus::Done < ExitStatus::No);
/// for status in ExitStatus::ALL {
///     println!("{} {}", status.number(), status.meaning());
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done, or nothing to do.
    Done = 0,
    /// The answer is no: a person declined, or a check found something.
    No = 1,
    /// The arguments are wrong, or there is nobody to ask.
    Usage = 2,
    /// A config, an auth document or a credential source can't be used.
    BadInput = 3,
    /// No runner was selected, or more than one.
    Selection = 4,
    /// The file was not written.
    NotWritten = 5,
    /// A registry or a credential helper could not be reached.
    Unreachable = 6,
}

impl ExitStatus {
    /// Each of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::No,
        Self::Usage,
        Self::BadInput,
        Self::Selection,
        Self::NotWritten,
        Self::Unreachable,
    ];

    /// The number that the process ends with.
    ///
    /// ```
    /// assert_eq!(runner_auth::ExitStatus::Selection.number(), 4);
    /// ```
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What it says, for help and man pages.
    ///
    /// ```
    /// assert_eq!(runner_auth::ExitStatus::Done.meaning(), "done, or nothing to do");
    /// ```
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::No => {
                "the answer is no: from --check, doctor, verify or explain, or from you when asked"
            }
            Self::Usage => "wrong usage, or nobody to ask and no --yes",
            Self::BadInput => "bad input: the config, an auth document, a credential source",
            Self::Selection => "no such runner, or more than one",
            Self::NotWritten => {
                "the file could not be written, or changed meanwhile: it is as it was"
            }
            Self::Unreachable => "a registry or a credential helper could not be reached",
        }
    }

    /// `No` where something was found, else `Done`.
    pub(crate) fn no_if(found: bool) -> Self {
        if found { Self::No } else { Self::Done }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.number())
    }
}
