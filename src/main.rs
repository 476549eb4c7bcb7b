//! The `pyresolve` program: parses the arguments, runs the command, returns its exit code.

fn main() -> std::process::ExitCode {
    pyresolve::cli::run()
}
