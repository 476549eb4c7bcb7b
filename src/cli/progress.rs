//! Events to one line of progress on a terminal, and to the counts that `-vv` prints.
//!
//! Progress waits a moment before it appears, so that fast commands stay silent, and vanishes when
//! the work is done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::report::{Report, Volume};
use crate::event::{Event, Observer, Step};

/// How long a command may take before progress appears.
const PATIENCE: Duration = Duration::from_millis(200);

/// Somebody who watches the work: counts, and draws where it may.
#[derive(Debug)]
pub struct Watcher {
    start: Instant,
    draws: bool,
    /// Whether every retry is told; otherwise one stands for all, as a storm of 503 has hundreds.
    tells_all: bool,
    tells: bool,
    /// Whether somebody will look at when things happened.
    traces: bool,
    counts: Counts,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct Counts {
    pages: AtomicU64,
    cached_pages: AtomicU64,
    wanted: AtomicU64,
    metadata: AtomicU64,
    cached_metadata: AtomicU64,
    downloads: AtomicU64,
    downloaded: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    candidates: AtomicU64,
    conflicts: AtomicU64,
    solve: Window,
    index: Window,
    described: Window,
    files: Window,
}

/// From the first question of a kind to its last answer, in microseconds since the start, each one
/// more than that: zero means never.
#[derive(Debug, Default)]
struct Window {
    first: AtomicU64,
    last: AtomicU64,
}

impl Window {
    fn asked(&self, at: u64) {
        // Whoever asked earlier stays.
        let _ = self
            .first
            .compare_exchange(0, at + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn answered(&self, at: u64) {
        self.last.fetch_max(at + 1, Ordering::Relaxed);
    }

    fn line(&self, name: &str) -> Option<String> {
        let first = self.first.load(Ordering::Relaxed).checked_sub(1)?;
        let last = self.last.load(Ordering::Relaxed).checked_sub(1)?;
        let span = |micros: u64| millis(Duration::from_micros(micros));
        Some(format!(
            "trace:   {name:<8} {:9.2} ms, from {:.2} to {:.2}",
            span(last.saturating_sub(first)),
            span(first),
            span(last)
        ))
    }
}

#[derive(Debug)]
struct State {
    bar: Option<ProgressBar>,
    step: Option<Step>,
    since: Instant,
    spans: Vec<(Step, Duration)>,
    drawn: Instant,
    done: bool,
    notes: Vec<String>,
}

impl Watcher {
    /// Starts to watch.
    pub fn new(report: &Report) -> Self {
        let now = Instant::now();
        Self {
            start: now,
            draws: report.progress && report.volume < Volume::Trace,
            tells_all: report.volume >= Volume::Verbose,
            tells: report.volume >= Volume::Warnings,
            traces: report.volume >= Volume::Trace,
            counts: Counts::default(),
            state: Mutex::new(State {
                bar: None,
                step: None,
                since: now,
                spans: Vec::new(),
                drawn: now,
                done: false,
                notes: Vec::new(),
            }),
        }
    }

    /// Takes the progress off the terminal, for good.
    pub fn finish(&self) {
        let mut state = self.lock();
        state.enter(None);
        state.done = true;
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Something that the trace shall tell.
    pub fn note(&self, line: &str) {
        self.lock().notes.push(format!("trace: {line}"));
    }

    /// Where the time went, and how much was asked, a line each.
    pub fn trace(&self) -> Vec<String> {
        let state = self.lock();
        let mut lines: Vec<String> = state
            .spans
            .iter()
            .map(|(step, span)| format!("trace: {:<10} {:9.2} ms", name(*step), millis(*span)))
            .collect();
        lines.push(format!(
            "trace: {:<10} {:9.2} ms",
            "all",
            millis(self.start.elapsed())
        ));
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let c = &self.counts;
        let windows = [
            ("solve", &c.solve),
            ("index", &c.index),
            ("metadata", &c.described),
            ("sources", &c.files),
        ];
        lines.extend(windows.iter().filter_map(|(name, w)| w.line(name)));
        lines.push(format!(
            "trace: pages {} ({} cached), metadata {} ({} cached), candidates {}, conflicts {}, downloads {} ({} bytes), retries {}",
            count(&c.pages),
            count(&c.cached_pages),
            count(&c.metadata),
            count(&c.cached_metadata),
            count(&c.candidates),
            count(&c.conflicts),
            count(&c.downloaded),
            count(&c.bytes),
            count(&c.retries),
        ));
        lines.extend(state.notes.iter().cloned());
        lines
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while drawing leaves nothing that could be wrong.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes when questions are asked and answered.
    fn time(&self, event: &Event) {
        let at = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX - 1);
        let c = &self.counts;
        match event {
            Event::Solving => c.solve.asked(at),
            Event::Solved { .. } => c.solve.answered(at),
            Event::PageWanted { .. } => c.index.asked(at),
            Event::PageKnown { .. } => c.index.answered(at),
            Event::MetadataWanted { .. } => c.described.asked(at),
            Event::MetadataKnown { .. } => c.described.answered(at),
            Event::DownloadStarted { .. } => c.files.asked(at),
            Event::DownloadFinished { .. } => c.files.answered(at),
            _ => {}
        }
    }

    fn count(&self, event: &Event) {
        let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
        let c = &self.counts;
        match event {
            Event::PageWanted { .. } | Event::MetadataWanted { .. } => add(&c.wanted, 1),
            Event::PageKnown { cached, .. } => {
                add(&c.cached_pages, u64::from(*cached));
                add(&c.pages, 1)
            }
            Event::MetadataKnown { cached, .. } => {
                add(&c.cached_metadata, u64::from(*cached));
                add(&c.metadata, 1)
            }
            Event::DownloadStarted { .. } => add(&c.downloads, 1),
            Event::DownloadProgress { bytes, .. } => add(&c.bytes, *bytes),
            Event::DownloadFinished { .. } => add(&c.downloaded, 1),
            Event::Retrying { .. } => add(&c.retries, 1),
            Event::Decided { .. } => add(&c.candidates, 1),
            Event::Solved { conflicts } => add(&c.conflicts, u64::from(*conflicts)),
            _ => 0,
        };
    }

    fn draw(&self, event: &Event) {
        let mut state = self.lock();
        let now = Instant::now();
        if state.done || now.duration_since(self.start) < PATIENCE {
            return;
        }
        let urgent = matches!(event, Event::Step(_));
        if !urgent && now.duration_since(state.drawn) < Duration::from_millis(50) {
            return;
        }
        state.drawn = now;
        let message = self.message(state.step, event);
        let bar = state.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.set_message(message);
    }

    fn message(&self, step: Option<Step>, event: &Event) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let c = &self.counts;
        let subject = match event {
            Event::PageWanted { project } | Event::PageKnown { project, .. } => project.as_str(),
            Event::Decided { project, .. } => project.as_str(),
            Event::MetadataWanted { release } | Event::MetadataKnown { release, .. } => release,
            Event::DownloadStarted { file, .. }
            | Event::DownloadProgress { file, .. }
            | Event::DownloadFinished { file } => file,
            _ => "",
        };
        match step {
            Some(Step::Fetching) => format!(
                "Fetching sources: {} of {}, {}  {subject}",
                count(&c.downloaded),
                count(&c.downloads),
                HumanBytes(count(&c.bytes)),
            ),
            Some(Step::Writing) => "Writing".to_owned(),
            Some(Step::Reading) => "Reading the project".to_owned(),
            _ => format!(
                "Resolving: {} projects, {} releases read  {subject}",
                count(&c.pages),
                count(&c.metadata),
            ),
        }
    }

    fn tell_retry(&self, what: &str, why: &str, wait: Duration) {
        let earlier = self.counts.retries.load(Ordering::Relaxed) > 1;
        if earlier && !self.tells_all {
            return;
        }
        let more = if self.tells_all {
            ""
        } else {
            " (`-v` shows further retries too)"
        };
        let line = format!(
            "warning: {what}: {why}; trying again in {:.1} s{more}",
            wait.as_secs_f32()
        );
        let state = self.lock();
        match &state.bar {
            Some(bar) => bar.println(line),
            None => {
                use std::io::Write as _;
                // Nothing can be done where standard error is closed.
                let _ = writeln!(std::io::stderr().lock(), "{line}");
            }
        }
    }
}

impl State {
    fn enter(&mut self, step: Option<Step>) {
        let now = Instant::now();
        if let Some(last) = self.step {
            let span = now.duration_since(self.since);
            match self.spans.iter_mut().find(|(step, _)| *step == last) {
                Some((_, sum)) => *sum += span,
                None => self.spans.push((last, span)),
            }
        }
        self.step = step;
        self.since = now;
    }
}

impl Observer for Watcher {
    fn see(&self, event: &Event) {
        self.count(event);
        if self.traces {
            self.time(event);
        }
        match event {
            Event::Step(step) => self.lock().enter(Some(*step)),
            Event::Retrying { what, why, wait } if self.tells => self.tell_retry(what, why, *wait),
            _ => {}
        }
        if self.draws {
            self.draw(event);
        }
    }
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Reading => "read",
        Step::Resolving => "resolve",
        Step::Fetching => "fetch",
        Step::Writing => "write",
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_timed_and_events_counted() {
        let watcher = Watcher::new(&Report {
            volume: Volume::Trace,
            styled: false,
            styled_result: false,
            progress: false,
        });
        watcher.see(&Event::Step(Step::Resolving));
        let project = "demo".to_owned();
        watcher.see(&Event::PageWanted {
            project: project.clone(),
        });
        watcher.see(&Event::PageKnown {
            project,
            cached: true,
        });
        watcher.see(&Event::Solving);
        watcher.see(&Event::Solved { conflicts: 3 });
        watcher.note("requests 7");
        watcher.see(&Event::Step(Step::Writing));
        watcher.finish();
        let lines = watcher.trace();
        assert!(lines[0].contains("resolve"), "{lines:?}");
        assert!(lines[1].contains("write"), "{lines:?}");
        assert!(lines[3].contains("solve"), "{lines:?}");
        assert!(lines[4].contains("index"), "{lines:?}");
        assert!(lines[5].contains("pages 1 (1 cached)"), "{lines:?}");
        assert!(lines[5].contains("conflicts 3,"), "{lines:?}");
        assert_eq!(lines[6], "trace: requests 7");
    }
}
