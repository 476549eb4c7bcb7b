//! One answer per question, however many ask and however long it takes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::IndexError;

/// Answers that are at hand or on their way.
#[derive(Debug)]
pub struct OnceMap<K, V> {
    slots: Mutex<HashMap<K, Slot<V>>>,
    arrived: Condvar,
}

#[derive(Debug)]
enum Slot<V> {
    Pending,
    /// Pending, and somebody sleeps until it arrives: only then is there anybody to wake.
    Awaited,
    Ready(Result<V, IndexError>),
}

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
            arrived: Condvar::new(),
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> OnceMap<K, V> {
    fn slots(&self) -> MutexGuard<'_, HashMap<K, Slot<V>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the caller is the first who asks, and so must [`put`](Self::put) the answer.
    pub fn claim(&self, key: &K) -> bool {
        let mut slots = self.slots();
        if slots.contains_key(key) {
            return false;
        }
        slots.insert(key.clone(), Slot::Pending);
        true
    }

    /// Gives the answer to everybody who waits.
    pub fn put(&self, key: K, answer: Result<V, IndexError>) {
        let before = self.slots().insert(key, Slot::Ready(answer));
        if matches!(before, Some(Slot::Awaited)) {
            self.arrived.notify_all();
        }
    }

    /// The answer, if it is at hand.
    pub fn known(&self, key: &K) -> Option<Result<V, IndexError>> {
        match self.slots().get(key) {
            Some(Slot::Ready(answer)) => Some(answer.clone()),
            _ => None,
        }
    }

    /// Whether nobody has asked anything.
    pub fn is_empty(&self) -> bool {
        self.slots().is_empty()
    }

    /// Whether there is no answer to some of these questions.
    pub fn has_errors(&self, among: impl Fn(&K) -> bool) -> bool {
        let slots = self.slots();
        slots
            .iter()
            .any(|(key, slot)| matches!(slot, Slot::Ready(Err(_))) && among(key))
    }

    /// All questions that are answered, in no order.
    pub fn answered(&self) -> Vec<(K, Result<V, IndexError>)> {
        let slots = self.slots();
        let answered = slots.iter().filter_map(|(key, slot)| match slot {
            Slot::Ready(answer) => Some((key.clone(), answer.clone())),
            Slot::Pending | Slot::Awaited => None,
        });
        answered.collect()
    }

    /// Forgets answers, so that their questions are asked again.
    pub fn forget(&self, is_doubtful: impl Fn(&V) -> bool) {
        self.slots().retain(|_, slot| match slot {
            Slot::Ready(Ok(answer)) => !is_doubtful(answer),
            Slot::Ready(Err(_)) | Slot::Pending | Slot::Awaited => true,
        });
    }

    /// Waits for the answer; none where nobody has claimed the question, or it was forgotten.
    pub fn settled(&self, key: &K) -> Option<Result<V, IndexError>> {
        let mut slots = self.slots();
        loop {
            match slots.get_mut(key)? {
                Slot::Ready(answer) => return Some(answer.clone()),
                slot => {
                    *slot = Slot::Awaited;
                    slots = self
                        .arrived
                        .wait(slots)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Waits for the answer; somebody must have claimed the question.
    pub fn wait(&self, key: &K) -> Result<V, IndexError> {
        let nobody = || IndexError::Malformed {
            what: "the index".to_owned(),
            reason: "nobody asked it".to_owned(),
        };
        self.settled(key).unwrap_or_else(|| Err(nobody()))
    }
}
