//! `pyresolve man`: the manual, from the arguments' own descriptions.

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::args::{self, Cli};
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::{Report, Volume};

/// Runs `pyresolve man`.
///
/// # Errors
/// When the page or the pages cannot be written.
pub fn run(args: &args::Man, report: &Report) -> Result<Exit, Failure> {
    let command = Cli::command();
    let Some(folder) = &args.folder else {
        return super::print(report, &page(&command)?);
    };
    std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    for (name, text) in pages(command)? {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| unwritten(&path, &error))?;
        report.say(Volume::Normal, &format!("Wrote {}", path.display()));
    }
    Ok(Exit::Done)
}

/// The page of the program and those of its commands, with the names of their files.
fn pages(mut command: Command) -> Result<Vec<(String, String)>, Failure> {
    command.build();
    let mut pages = Vec::new();
    let mut left = vec![("pyresolve".to_owned(), command)];
    while let Some((name, command)) = left.pop() {
        for sub in command.get_subcommands() {
            left.push((format!("{name}-{}", sub.get_name()), sub.clone()));
        }
        pages.push((format!("{name}.1"), page(&command.display_name(name))?));
    }
    pages.sort();
    Ok(pages)
}

fn page(command: &Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    let rendered = Man::new(command.clone()).render(&mut text);
    rendered.map_err(|error| Failure::usage("the manual cannot be made").because(&error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn unwritten(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("`{}` cannot be written", path.display()))
        .why(error.to_string())
        .help("name a folder that can be written")
}
