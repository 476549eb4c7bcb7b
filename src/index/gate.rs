//! How many requests may be on their way to one host, and when that is known.
//!
//! Over HTTP/2 all requests share one connection, over HTTP/1.1 each in flight has its own. Which it
//! is turns out in the TLS handshake. So of the first requests to a host one goes ahead alone, and
//! the others follow as soon as its connection stands: not a round trip later with its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::Connection;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit, watch};
use tower_service::Service;

/// Over HTTP/1.1 each request in flight is a connection.
const CONNECTIONS: usize = 24;
/// Over HTTP/2 they are streams of one connection; servers commonly allow 100 or 128.
const STREAMS: usize = 100;
/// How often the network thread does other work between a connection and its first use by others:
/// it is shared by all requests only once the one that made it has gone on.
const TURNS: usize = 4;
/// A round trip that takes so long costs more than a page that nobody needs.
const FAR: Duration = Duration::from_millis(5);

/// Whether the index is so far away that guesses save time.
#[derive(Debug)]
pub(super) struct Distance(watch::Sender<Option<bool>>);

impl Default for Distance {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Distance {
    /// Whether it is known to be.
    pub fn is_far(&self) -> bool {
        *self.0.borrow() == Some(true)
    }

    /// Waits until it is known.
    pub async fn known(&self) -> bool {
        let mut receiver = self.0.subscribe();
        let known = receiver.wait_for(Option::is_some).await;
        known.is_ok_and(|far| *far == Some(true))
    }

    /// Notes how long a round trip took. The first one counts.
    fn note(&self, round_trip: Duration) {
        self.0.send_if_modified(|far| {
            let news = far.is_none();
            if news {
                *far = Some(round_trip >= FAR);
            }
            news
        });
    }
}

/// What lets requests to one host through.
#[derive(Debug)]
pub(super) struct Gate {
    permits: Semaphore,
    opened: AtomicBool,
    secure: bool,
    distance: Arc<Distance>,
    /// How long the last connection took, in microseconds.
    connecting: AtomicU64,
}

tokio::task_local! {
    /// The gate of the request that this task is about to send.
    static GATE: Arc<Gate>;
}

impl Gate {
    /// The gate of a host, with TLS or without.
    pub fn new(secure: bool, distance: &Arc<Distance>) -> Self {
        Self {
            permits: Semaphore::new(Self::first(secure)),
            opened: AtomicBool::new(false),
            secure,
            distance: Arc::clone(distance),
            connecting: AtomicU64::new(0),
        }
    }

    /// How many may pass before anything is known of the host.
    fn first(secure: bool) -> usize {
        if secure { 1 } else { CONNECTIONS }
    }

    /// Waits for a place.
    pub async fn pass(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.permits.acquire().await
    }

    /// Sends a request that passed this gate: its connection opens it for others.
    pub async fn open_with<F: Future>(self: &Arc<Self>, request: F) -> F::Output {
        let start = Instant::now();
        let answer = GATE.scope(Arc::clone(self), request).await;
        let connecting = Duration::from_micros(self.connecting.swap(0, Ordering::Relaxed));
        self.distance
            .note(start.elapsed().saturating_sub(connecting));
        answer
    }

    /// A connection stands.
    fn connected(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.connecting.store(micros, Ordering::Relaxed);
        if self.secure {
            // One round trip for TCP, one for TLS.
            self.distance.note(took / 2);
        }
    }

    /// Lets as many through as make sense.
    pub fn open(&self, shared: bool) {
        if self.opened.swap(true, Ordering::Relaxed) {
            return;
        }
        let want = if shared { STREAMS } else { CONNECTIONS };
        self.permits
            .add_permits(want.saturating_sub(Self::first(self.secure)));
    }
}

/// A connector that opens the gate of the request that it connects for.
#[derive(Debug, Clone)]
pub(super) struct Opening<S>(pub S);

impl<S, R> Service<R> for Opening<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Response: Connection,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let gate = GATE.try_with(Arc::clone).ok();
        let start = Instant::now();
        let connecting = self.0.call(request);
        async move {
            let connection = connecting.await?;
            if let Some(gate) = gate {
                gate.connected(start.elapsed());
                let shared = connection.connected().is_negotiated_h2();
                tokio::spawn(async move {
                    for _ in 0..TURNS {
                        tokio::task::yield_now().await;
                    }
                    gate.open(shared);
                });
            }
            Ok(connection)
        }
        .boxed()
    }
}
