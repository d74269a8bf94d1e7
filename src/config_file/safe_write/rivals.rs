//! Other writers, who know no lock: held off before the swap, and looked for after it.

use std::borrow::Cow;
use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::exchange::Exchanged;
use super::lease::{Lease, Leased};
use super::snapshot::{Identity, Snapshot};
use super::writer::{Planner, Step, Writer};
use crate::error::Error;

/// How long somebody who has the file open for writing is waited for.
const OPEN_ELSEWHERE: Duration = Duration::from_millis(500);

/// How long the file is watched after a write: whoever has read it before may be about to write it. Every write
/// takes as long, and who asks for more says so with `--settle`.
const WATCH: Duration = Duration::from_millis(50);

/// How long between the first two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// How many times as long each later pause is, up to a whole watch: most of those who had read the file write it soon.
const LONGER: u32 = 4;

impl Writer<'_> {
    /// Holds other writers off. One who has the file open is waited for, but not for long: it may
    /// be open and idle.
    pub(super) fn lease<'f>(&self, named: &'f File) -> Result<Option<Lease<'f>>, Error> {
        let start = Instant::now();
        loop {
            match Lease::take(named) {
                Leased::Held(lease) => return Ok(Some(lease)),
                Leased::Unavailable => return Ok(None),
                Leased::Writing if start.elapsed() > OPEN_ELSEWHERE => return Ok(None),
                Leased::Writing => {}
            }
            self.stop_if_interrupted()?;
            sleep(Duration::from_millis(1));
        }
    }

    /// Plans anew on what another writer has left.
    pub(super) fn again<R>(
        &self,
        now: Snapshot,
        plan: &mut Planner<'_, R>,
    ) -> Result<Step<R>, Error> {
        let (base, patched) = self.settle(now, |writer| writer.target.read(), plan)?;
        Ok(Step::Again(base, patched))
    }

    /// Looks for another writer who came between, before the old file is let go: one who wrote into
    /// the old file or replaced it, and one who had read it and now overwrites or replaces the new
    /// one. The change then comes on top of what that writer wrote. With the old file comes the state in
    /// which its content is known.
    pub(super) fn watch<R>(
        &mut self,
        base: &Snapshot,
        bytes: &[u8],
        ours: Identity,
        exchanged: Option<(Exchanged, Option<Identity>)>,
        plan: &mut Planner<'_, R>,
    ) -> Result<Step<R>, Error> {
        let (start, longest) = (Instant::now(), WATCH.max(self.options.settle));
        let (mut exchanged, known) = exchanged.unzip();
        let mut old = known.flatten();
        let (mut seen, mut wanted) = (ours, Cow::Borrowed(bytes));
        let (mut synced, mut pause) = (false, PAUSE);
        loop {
            let last = start.elapsed() >= longest || self.interruption.pending().is_some();
            if let Some(exchanged) = &mut exchanged
                && (last || exchanged.identity(base) != old)
                && let Ok(displaced) = exchanged.displaced(&self.target, base)
            {
                if displaced.text().bytes() != base.text().bytes() {
                    if exchanged.put_back(&self.target) {
                        self.written = false;
                        return self.again(self.target.read()?, plan);
                    }
                    let again = |writer: &Self| exchanged.displaced(&writer.target, base);
                    let (_, patched) = self.settle(displaced, again, plan)?;
                    return Ok(Step::Again(self.target.read()?, patched));
                }
                old = Some(displaced.identity());
            }
            // A file that can't be looked at now was written all the same.
            if (last || self.target.stat().is_ok_and(|named| Identity::of(&named) != seen))
                && let Ok(now) = self.target.read()
            {
                if now.text().bytes() == &*wanted {
                    seen = now.identity();
                } else {
                    match self.settle(now, |writer| writer.target.read(), plan) {
                        Ok((now, patched)) if patched.bytes.is_some() => {
                            self.swallowed = true;
                            self.let_go(exchanged);
                            return Ok(Step::Again(now, patched));
                        }
                        Ok((now, _)) => {
                            (seen, wanted) = (now.identity(), now.text().bytes().to_vec().into());
                        }
                        // That writer may still be at it.
                        Err(error) if !last && error.is_about_content() => {}
                        Err(error) => {
                            self.let_go(exchanged);
                            return Err(error);
                        }
                    }
                }
            }
            if last {
                self.let_go(exchanged);
                return Ok(Step::Done);
            }
            if synced {
                sleep(pause.min(longest.saturating_sub(start.elapsed())));
                pause = (pause * LONGER).min(WATCH);
            } else {
                // Only now, since it takes its time, in which another writer would read this file.
                self.sync_folder();
                synced = true;
            }
        }
    }
}
