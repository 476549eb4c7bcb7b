//! What is happening now. Steps report events; only the terminal layer draws them.

use std::time::Duration;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A page of the index is wanted.
    PageWanted {
        /// The project.
        project: String,
    },
    /// A page of the index is at hand.
    PageKnown {
        /// The project.
        project: String,
        /// Whether it came from the cache without a request.
        cached: bool,
    },
    /// The metadata of a release is wanted.
    MetadataWanted {
        /// Project and version.
        release: String,
    },
    /// The metadata of a release is at hand.
    MetadataKnown {
        /// Project and version.
        release: String,
        /// Whether it came from the cache without a request.
        cached: bool,
    },
    /// A file is being downloaded.
    DownloadStarted {
        /// The file's name.
        file: String,
        /// Its size in bytes where the index tells it.
        size: Option<u64>,
    },
    /// More of a file has arrived.
    DownloadProgress {
        /// The file's name.
        file: String,
        /// Bytes since the last such event.
        bytes: u64,
    },
    /// A file has arrived whole and its hash is right.
    DownloadFinished {
        /// The file's name.
        file: String,
    },
    /// A request failed and will be tried again.
    Retrying {
        /// What was asked for, without credentials.
        what: String,
        /// Why it failed.
        why: String,
        /// How long we wait.
        wait: Duration,
    },
    /// The solver chose a candidate.
    Decided {
        /// The project.
        project: String,
        /// Its version.
        version: String,
    },
    /// The solver begins to choose versions.
    Solving,
    /// The solver has an answer, or knows that there is none.
    Solved {
        /// How many versions turned out to be impossible on the way.
        conflicts: u32,
    },
    /// A step begins.
    Step(Step),
}

/// The steps that a person may see on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Reading the project.
    Reading,
    /// Choosing versions.
    Resolving,
    /// Fetching and reading sources.
    Fetching,
    /// Writing the results.
    Writing,
}

/// Somebody who wants to know what is happening.
pub trait Observer: Send + Sync {
    /// Called from any thread, often: must be quick.
    fn see(&self, event: &Event);
}

/// An observer who does not care.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn see(&self, _: &Event) {}
}
