//! Several blocking questions at once, the answers in the order of the questions.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many questions may wait at once. They wait for the network, so this is not about cores.
const THREADS: usize = 16;

/// Applies `ask` to every item; the first error, in the order of the items, if there is one.
/// Once something failed, no further item is begun.
pub(super) fn map<T: Sync, R: Send, E: Send>(
    items: &[T],
    ask: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    if let [item] = items {
        return Ok(vec![ask(item)?]);
    }
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<(usize, Result<R, E>)>> = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(items.len()) {
            scope.spawn(|| {
                while let Some((index, item)) = take(items, &next) {
                    let answer = ask(item);
                    if answer.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    answers
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn take<'a, T>(items: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, items.get(index)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order() {
        let items: Vec<u32> = (0..100).collect();
        let doubled: Result<Vec<u32>, ()> = map(&items, |n| Ok(n * 2));
        assert_eq!(doubled.unwrap()[99], 198);
        let none: Result<Vec<u32>, ()> = map(&[] as &[u32], |n| Ok(*n));
        assert_eq!(none.unwrap(), [] as [u32; 0]);
    }

    #[test]
    fn an_error_ends_it() {
        let items: Vec<u32> = (0..1000).collect();
        let asked = AtomicUsize::new(0);
        let result: Result<Vec<u32>, u32> = map(&items, |n| {
            asked.fetch_add(1, Ordering::Relaxed);
            if *n == 3 { Err(*n) } else { Ok(*n) }
        });
        assert_eq!(result.unwrap_err(), 3);
        assert!(asked.load(Ordering::Relaxed) <= 1000);
    }
}
