//! A program that is run with a limit on its time and on what it may say.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest output that is kept; what is longer ends the program.
const MAX_OUTPUT: u64 = 32 << 20;
/// How much of what it says beside it is kept: the end.
const MAX_ERRORS: usize = 64 << 10;
/// How long the pipes may stay open after its end.
const GRACE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code; none where it was stopped or killed.
    pub code: Option<i32>,
    /// Its standard output.
    pub output: Vec<u8>,
    /// The end of its standard error.
    pub errors: String,
}

/// Runs it to its end, or ends it when its time is up. Its standard input is empty.
///
/// # Errors
/// A sentence where it cannot be started.
pub(super) fn run(command: &mut Command, patience: Duration) -> Result<Ended, String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{shown}` cannot be started: {error}"))?;
    let output = child.stdout.take().map(|pipe| beside(|| first(pipe)));
    let errors = child.stderr.take().map(|pipe| beside(|| last(pipe)));
    let code = wait(&mut child, patience);
    // A program that it started and left behind may hold the pipes open.
    let output = output.and_then(|answer| answer.recv_timeout(GRACE).ok());
    let errors = errors.and_then(|answer| answer.recv_timeout(GRACE).ok());
    Ok(Ended {
        code,
        output: output.unwrap_or_default(),
        errors: String::from_utf8_lossy(&errors.unwrap_or_default()).into_owned(),
    })
}

fn beside(read: impl FnOnce() -> Vec<u8> + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    // Nobody may be waiting any more.
    thread::spawn(move || drop(sender.send(read())));
    receiver
}

fn wait(child: &mut Child, patience: Duration) -> Option<i32> {
    let deadline = Instant::now() + patience;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.code(),
            Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
            _ => {
                // It may have ended just now; then there is nothing to kill.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// The whole of it; closing the pipe ends a program that says too much.
fn first(pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    match pipe.take(MAX_OUTPUT).read_to_end(&mut kept) {
        Ok(_) => kept,
        Err(_) => Vec::new(),
    }
}

/// Reads to the end and keeps the last part.
fn last(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut part = [0; 8192];
    while let Ok(count @ 1..) = pipe.read(&mut part) {
        kept.extend_from_slice(part.get(..count).unwrap_or_default());
        if kept.len() > 2 * MAX_ERRORS {
            kept.drain(..kept.len() - MAX_ERRORS);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Ended {
        let mut command = Command::new("/bin/sh");
        run(command.args(["-c", script]), patience).unwrap()
    }

    #[test]
    fn programs_end_by_themselves_or_are_ended() {
        let ended = shell("echo out; echo err >&2; exit 7", Duration::from_secs(20));
        assert_eq!(ended.code, Some(7));
        assert_eq!(
            (&ended.output[..], &*ended.errors),
            (&b"out\n"[..], "err\n")
        );
        let began = Instant::now();
        let ended = shell("exec sleep 60", Duration::from_millis(50));
        assert_eq!(ended.code, None);
        assert!(began.elapsed() < Duration::from_secs(30));
        let missing = run(&mut Command::new("/nowhere/at/all"), PAUSE).unwrap_err();
        assert!(missing.contains("cannot be started"), "{missing}");
    }
}
