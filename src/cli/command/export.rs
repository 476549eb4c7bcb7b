//! `pyresolve export`: the lock in another format.

use super::existing_lock;
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::Report;
use crate::project::pylock::{Locked, Pylock};

/// Runs `pyresolve export`.
///
/// # Errors
/// When there is no lock that can be read, or a pin cannot be said in the format.
pub fn run(args: &args::Export, report: &Report) -> Result<Exit, Failure> {
    let lock = existing_lock(&args.lock)?;
    super::print(report, &requirements(&lock)?)
}

/// pip's requirements format, with hashes: pip then insists on them for everything.
fn requirements(lock: &Pylock) -> Result<String, Failure> {
    let mut out =
        String::from("# Written by `pyresolve export --format requirements` from a lock.\n");
    for pin in &lock.packages {
        let version = pin
            .version
            .as_ref()
            .filter(|_| !pin.direct)
            .ok_or_else(|| {
                Failure::usage(format!("{} has no version on an index", pin.name))
                    .help("a requirements file with hashes cannot say this; use the pylock.toml")
            })?;
        out.push_str(&format!("{}=={version}", pin.name));
        if let Some(marker) = &pin.marker {
            out.push_str(&format!(" ; {marker}"));
        }
        for hash in hashes(pin) {
            out.push_str(&format!(" \\\n    --hash=sha256:{hash}"));
        }
        out.push('\n');
    }
    Ok(out)
}

fn hashes(pin: &Locked) -> Vec<&str> {
    let files = pin.sdist.iter().chain(&pin.wheels);
    let mut hashes: Vec<&str> = files
        .filter_map(|file| file.hashes.get("sha256").map(String::as_str))
        .filter(|hash| hash.bytes().all(|b| b.is_ascii_hexdigit()))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_has_its_hashes() {
        let lock = Pylock::parse(
            "lock-version = '1.0'\n[[packages]]\nname = 'a'\nversion = '1'\nmarker = \"sys_platform == 'linux'\"\n\
             sdist = { url = 'https://f.test/a-1.tar.gz', hashes = { sha256 = 'bb' } }\n\
             wheels = [{ url = 'https://f.test/a-1-py3-none-any.whl', hashes = { sha256 = 'aa' } }]\n",
        )
        .unwrap();
        let text = requirements(&lock).unwrap();
        assert!(text.ends_with(
            "\na==1 ; sys_platform == 'linux' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        ));
        let direct = "lock-version = '1.0'\n[[packages]]\nname = 'a'\ndirectory = { path = '.' }\n";
        assert!(requirements(&Pylock::parse(direct).unwrap()).is_err());
    }
}
