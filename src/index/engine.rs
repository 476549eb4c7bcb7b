//! The network thread, and how work gets there.

use std::pin::Pin;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The network thread. Tasks run on it until it is dropped.
pub struct Engine {
    tasks: Tasks,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

/// Takes tasks to the network thread.
///
/// A runtime's own way there writes to an event queue for every task. Through a channel only the
/// first of several tasks does; the thread finds the others when it comes to take it.
#[derive(Debug, Clone)]
pub struct Tasks(UnboundedSender<Task>);

impl Tasks {
    /// Runs a task some time soon; once the engine is dropped, never.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Where the thread has ended, nobody waits for what the task would do.
        let _ = self.0.send(Box::pin(task));
    }
}

impl Engine {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system gives no thread or no event queue.
    pub fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (sender, receiver) = unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("network".to_owned())
            .spawn(move || {
                runtime.spawn(start_all(receiver));
                // Both a message and the sender's end mean: stop.
                let _ = runtime.block_on(stopped);
            })?;
        Ok(Self {
            tasks: Tasks(sender),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// For running tasks on the thread.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }
}

async fn start_all(mut tasks: UnboundedReceiver<Task>) {
    while let Some(task) = tasks.recv().await {
        tokio::spawn(task);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It catches the panics of its tasks.
            let _ = thread.join();
        }
    }
}
