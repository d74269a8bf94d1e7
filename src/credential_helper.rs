//! Programs that know credentials: `docker-credential-NAME`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Finds a helper's program in this process's `PATH`, as docker/cli does
/// (`cli/config/credentials/native_store.go`). The runner's own `PATH` may differ.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let program = format!("docker-credential-{name}");
    let executable = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&program)).find(|file| executable(file))
}
