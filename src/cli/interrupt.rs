//! Ctrl-C and SIGTERM: a run that is told to stop leaves no half of a result and no temporary file,
//! and says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exit::Exit;
use super::progress::Watcher;

/// Keeps a signal from ending the program while files are being renamed.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    written: Arc<Mutex<bool>>,
}

/// While this lives, a signal waits.
#[derive(Debug)]
pub struct Shield<'a> {
    written: MutexGuard<'a, bool>,
}

impl Shield<'_> {
    /// The files have been replaced: a later signal must not say otherwise.
    pub fn written(&mut self) {
        *self.written = true;
    }
}

impl Interrupt {
    /// From now on ends the program in order when a signal arrives.
    pub fn watch(watcher: &Arc<Watcher>) -> Self {
        let this = Self::default();
        let (ours, watcher) = (this.clone(), Arc::clone(watcher));
        let spawned = std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || ours.wait(&watcher));
        // Without the thread a signal ends the program at once, as it does by default.
        drop(spawned);
        this
    }

    /// Holds signals back.
    pub fn shield(&self) -> Shield<'_> {
        Shield {
            written: self.written.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn wait(&self, watcher: &Watcher) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
        else {
            return;
        };
        if runtime.block_on(signal()).is_none() {
            return;
        }
        let shield = self.shield();
        watcher.finish();
        let what = if *shield.written {
            "interrupted after the files were written"
        } else {
            "interrupted: no file was changed"
        };
        use std::io::Write as _;
        // Nothing can be done where standard error is closed.
        let _ = writeln!(std::io::stderr().lock(), "{what}");
        std::process::exit(Exit::Interrupted as i32);
    }
}

#[cfg(unix)]
async fn signal() -> Option<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).ok()?;
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    tokio::select! {
        seen = interrupt.recv() => seen,
        seen = terminate.recv() => seen,
    }
}

#[cfg(not(unix))]
async fn signal() -> Option<()> {
    tokio::signal::ctrl_c().await.ok()
}
