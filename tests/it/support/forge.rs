//! A forge on loopback: git's own HTTP server behind a few lines of CGI.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// A forge with the repositories below a folder. It serves for as long as the test runs.
pub struct Forge {
    pub address: String,
    root: PathBuf,
}

impl Forge {
    /// Nothing yet; none where git cannot serve.
    pub fn start(root: &Path) -> Option<Self> {
        let there = Command::new("git")
            .arg("http-backend")
            .env("REQUEST_METHOD", "GET")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        if String::from_utf8_lossy(&there.stderr).contains("not a git command") {
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let served = root.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away in the middle is its own affair.
                let _ = answer(stream, &served);
            }
        });
        Some(Self {
            address,
            root: root.to_owned(),
        })
    }

    /// A repository with these files, committed and tagged.
    pub fn publish(&self, name: &str, tag: &str, files: &[(&str, &str)]) {
        let place = self.root.join(name);
        for (path, text) in files {
            let path = place.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        for arguments in [
            &["init", "-q"][..],
            &["add", "-A"],
            &["commit", "-q", "-m", "x"],
            &["tag", tag],
        ] {
            let done = Command::new("git")
                .args(["-c", "user.name=a", "-c", "user.email=a@host.test"])
                .args(arguments)
                .current_dir(&place)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .status();
            assert!(done.unwrap().success(), "git {arguments:?}");
        }
    }
}

/// One request, by CGI (RFC 3875).
fn answer(stream: TcpStream, root: &Path) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query);
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "content-type" => drop(backend.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(backend.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(backend.env("GIT_PROTOCOL", value)),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut child = backend
        .env("CONTENT_LENGTH", length.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    child.stdin.take().unwrap().write_all(&body)?;
    let output = child.wait_with_output()?.stdout;
    let end = output
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let status = head
        .lines()
        .find_map(|l| l.strip_prefix("Status: "))
        .unwrap_or("200 OK");
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n\r\n"
    )?;
    stream.write_all(output.get(end + 4..).unwrap_or_default())
}
