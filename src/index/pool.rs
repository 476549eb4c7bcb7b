//! A few threads for work that would hold up the network thread: inflating, parsing, hashing,
//! writing the cache.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They start with the first job; dropping the pool finishes all jobs.
#[derive(Debug, Default)]
pub struct Pool {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

#[derive(Default)]
struct State {
    /// By rank, then in the order in which they came.
    jobs: BTreeMap<(Rank, u64), Job>,
    submitted: u64,
    /// How many threads sleep until there is something to do.
    idle: usize,
    /// How many do a job.
    busy: usize,
    started: bool,
    closed: bool,
}

const THREADS: usize = 2;

/// Which jobs are done first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Somebody waits for it, and it is short: metadata, which names the pages to ask for next.
    Short,
    /// Somebody waits for it, and it takes time by its size in bytes: short ones first, so that
    /// the network is kept busy with what they name.
    Sized(u64),
    /// Nobody waits for it.
    Last,
}

impl Pool {
    /// Does a job some time soon; after [`Pool::finish`] only what other jobs still lead to.
    pub fn submit(&self, rank: Rank, job: impl FnOnce() + Send + 'static) {
        let mut state = self
            .queue
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Whoever does a job looks for another one behind it.
        if state.closed && state.busy == 0 {
            return;
        }
        if !state.started {
            state.started = true;
            *self.threads.lock().unwrap_or_else(PoisonError::into_inner) = self.start();
        }
        // Sizes that differ little count as one.
        let rank = match rank {
            Rank::Sized(bytes) => Rank::Sized(bytes >> 16),
            rank => rank,
        };
        let number = state.submitted;
        state.submitted += 1;
        state.jobs.insert((rank, number), Box::new(job));
        let wake = state.idle > 0;
        drop(state);
        // Waking nobody would be a system call all the same.
        if wake {
            self.queue.wake.notify_one();
        }
    }

    /// Does a job and hands back its result; none if it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        rank: Rank,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (give, take) = oneshot::channel();
        self.submit(rank, move || {
            // Nobody waits any more: nothing to do.
            let _ = give.send(job());
        });
        take.await.ok()
    }

    /// Finishes all jobs and ends the threads.
    pub fn finish(&self) {
        self.queue
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.queue.wake.notify_all();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread catches the panics of its jobs, so there is nothing to learn here.
            let _ = thread.join();
        }
    }

    fn start(&self) -> Vec<JoinHandle<()>> {
        (0..THREADS)
            .filter_map(|number| {
                let queue = Arc::clone(&self.queue);
                std::thread::Builder::new()
                    .name(format!("index-{number}"))
                    .spawn(move || queue.work())
                    .ok()
            })
            .collect()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Queue {
    fn work(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((_, job)) = state.jobs.pop_first() {
                state.busy += 1;
                drop(state);
                // Whoever waits for the job sees its channel closed.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.busy -= 1;
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn what_a_job_leads_to_is_done_though_the_end_has_come() {
        let pool = Arc::new(Pool::default());
        let (inside, outside) = (channel::<()>(), channel::<()>());
        let (entered, wait, done) = (inside.0, outside.1, channel());
        let (own, tell) = (Arc::clone(&pool), done.0);
        pool.submit(Rank::Short, move || {
            entered.send(()).unwrap();
            wait.recv().unwrap();
            own.submit(Rank::Last, move || tell.send("followed").unwrap());
        });
        inside.1.recv().unwrap();
        let ending = {
            let pool = Arc::clone(&pool);
            std::thread::spawn(move || pool.finish())
        };
        while !pool.queue.state.lock().unwrap().closed {
            std::thread::yield_now();
        }
        outside.0.send(()).unwrap();
        ending.join().unwrap();
        assert_eq!(done.1.try_recv(), Ok("followed"));
        pool.submit(Rank::Short, || unreachable!("nobody is left to do it"));
    }
}
