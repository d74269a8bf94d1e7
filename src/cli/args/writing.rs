//! How a change is written.

// The help is read on a terminal, not as Markdown, and fields are named like their options.
#![allow(clippy::doc_markdown, clippy::struct_field_names)]

use clap::Args;

// Each flag is an option of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
#[command(next_help_heading = "Writing")]
pub(in crate::cli) struct Writing {
    /// Write without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Like --dry-run, but exit with 1 when something would change
    #[arg(long)]
    pub check: bool,
    /// Keep the old file under its name with this suffix
    #[arg(long, value_name = "SUFFIX", num_args = 0..=1, default_missing_value = ".bak",
          value_parser = backup_suffix)]
    pub backup: Option<String>,
    /// How long to wait for others, who hold the config's lock or keep changing it
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub lock_timeout: u64,
    /// Watch the file that long after the write, and write again when another program's rewrite has
    /// undone the change
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true,
          value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub settle: u64,
    /// Write also when the file's owner, mode or an extended attribute can't be kept
    #[arg(long)]
    pub force_attributes: bool,
    /// Lines of context in the diff
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub context: u16,
}

/// `bak` is meant as `.bak`: `config.tomlbak` is what nobody wants.
// A parser of clap's may fail.
#[allow(clippy::unnecessary_wraps)]
fn backup_suffix(typed: &str) -> Result<String, std::convert::Infallible> {
    let bare = typed.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    Ok(if bare { format!(".{typed}") } else { typed.to_owned() })
}
