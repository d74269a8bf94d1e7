//! The codes of the findings, each with its level.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Level;

/// Makes the enum, its names and its levels from one list, so that none of them can lack one.
macro_rules! codes {
    ($($(#[$docs:meta])* $code:ident = $name:literal, $level:ident;)+) => {
        /// What was found: errors first, then warnings, then notes, each in the order of what breaks
        /// first, which is the whole file, then a document, then a credential.
        ///
        /// ```
        /// use runner_auth::Code;
        ///
        /// let code = Code::named("newline-in-password");
        /// assert_eq!(code, Some(Code::NewlineInPassword));
        /// for code in Code::ALL {
        ///     println!("{}: {:?}", code.name(), code.level());
        /// }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$docs])* $code,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// Its name, which stays the same across versions.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }

            /// How bad it is.
            #[must_use]
            pub const fn level(self) -> Level {
                match self {
                    $(Self::$code => Level::$level,)+
                }
            }
        }
    };
}

codes! {
    /// GitLab Runner can't load the file.
    InvalidToml = "invalid-toml", Error;
    /// Two keys that differ only in letter case.
    KeyTwice = "key-twice", Error;
    /// A known key with a value of another type: GitLab Runner does not start.
    IncompatibleType = "incompatible-type", Error;
    /// An executor that GitLab Runner does not know: it takes no jobs for the runner.
    UnknownExecutor = "unknown-executor", Error;
    /// The auth document is dropped.
    InvalidJson = "invalid-json", Error;
    /// The credentials stand outside `auths`.
    MissingAuths = "missing-auths", Error;
    /// A member whose name is nearly one that counts.
    MisspelledMember = "misspelled-member", Error;
    /// An `auth` for which the whole document is dropped.
    UndecodableAuth = "undecodable-auth", Error;
    /// A helper's name for which every source is cancelled.
    BadHelperName = "bad-helper-name", Error;
    /// An auth document without its variable's name.
    UnnamedAuthEntry = "unnamed-auth-entry", Error;
    /// An entry that sets a variable of another name.
    MisspelledVariable = "misspelled-variable", Error;
    /// An auth entry where GitLab Runner looks for none.
    MisplacedEnvironment = "misplaced-environment", Error;
    /// A `$` that begins the name of a variable which nobody sets.
    Expansion = "expansion", Error;
    /// What a template left to be filled in.
    Placeholder = "placeholder", Error;
    /// A key that no image can match.
    NeverMatches = "never-matches", Error;
    /// A line end that became a part of the password.
    NewlineInPassword = "newline-in-password", Error;
    /// Old versions refuse the file.
    ByteOrderMark = "byte-order-mark", Warning;
    /// New versions refuse the file.
    NotUtf8 = "not-utf-8", Warning;
    /// Some versions refuse what stands in the file.
    SomeVersionsRefuse = "some-versions-refuse", Warning;
    /// Others can read the file.
    LoosePermissions = "loose-permissions", Warning;
    /// A pull Secret that no pod gets.
    UnattachedPullSecret = "unattached-pull-secret", Warning;
    /// A file without a runner.
    NoRunners = "no-runners", Warning;
    /// A key that GitLab Runner knows in another section.
    MisplacedKey = "misplaced-key", Warning;
    /// An entry that the last one hides.
    ShadowedEntry = "shadowed-entry", Warning;
    /// A user or a password that looks like a template's.
    LikelyPlaceholder = "likely-placeholder", Warning;
    /// A password that has ended, or soon will.
    ExpiredCredential = "expired-credential", Warning;
    /// A credential without a password.
    EmptyPassword = "empty-password", Warning;
    /// Variables for a helper that it does not see.
    HelperEnvironment = "helper-environment", Warning;
    /// A helper that is not in this `PATH`.
    HelperNotFound = "helper-not-found", Warning;
    /// A helper that the newest versions may not run.
    HelperMayBeRefused = "helper-may-be-refused", Warning;
    /// A helper answers in place of a key of `auths`.
    HelperOverrides = "helper-overrides", Warning;
    /// Two keys for one path.
    SameRegistry = "same-registry", Warning;
    /// `username` and `password` in place of `auth`.
    PlainFields = "plain-fields", Warning;
    /// A key without a credential.
    EmptyCredential = "empty-credential", Warning;
    /// A key that GitLab Runner does not know.
    UnknownKey = "unknown-key", Info;
    /// An executor that leaves the pulls to a driver.
    DriverDecides = "driver-decides", Info;
    /// An executor that pulls no images.
    ExecutorIgnoresIt = "executor-ignores-it", Info;
    /// A `credsStore` without a name.
    EmptyStore = "empty-store", Info;
    /// A key for a part of a registry.
    PathKey = "path-key", Info;
    /// A member that the Docker client inside a job refuses.
    OtherMembers = "other-members", Info;
    /// Pull Secrets beside the entry.
    BesidePullSecrets = "beside-pull-secrets", Info;
    /// A private image that any job can use once it was pulled.
    CachedPrivateImages = "cached-private-images", Info;
    /// Every job can print the variable.
    VisibleToJobs = "visible-to-jobs", Info;
}

impl Code {
    /// Whether it is about the file and no line of it.
    pub(super) const fn is_of_file(self) -> bool {
        matches!(self, Self::LoosePermissions | Self::NoRunners | Self::ByteOrderMark)
    }

    /// The code of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Level};

    #[test]
    fn names_are_unique_and_levels_in_order() {
        for (number, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::named(code.name()), Some(*code));
            assert!(number == 0 || Code::ALL[number - 1].level() <= code.level(), "{code}");
        }
    }

    #[test]
    fn the_manual_lists_each_code_with_its_level() {
        let manual = include_str!("../../docs/doctor.md");
        let listed: Vec<_> = manual
            .lines()
            .filter(|line| line.starts_with("| "))
            .filter_map(|line| {
                let mut cells = line.split('|').map(|cell| cell.trim().trim_matches('`'));
                Some((cells.nth(1)?, cells.next()?))
            })
            .filter(|(level, _)| *level != "level")
            .collect();
        let known: Vec<_> = Code::ALL.iter().map(|code| (level(*code), code.name())).collect();
        for code in &known {
            assert!(listed.contains(code), "{code:?} is not in the manual");
        }
        for code in &listed {
            assert!(known.contains(code), "{code:?} is in the manual alone");
        }
    }

    fn level(code: Code) -> &'static str {
        match code.level() {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}
