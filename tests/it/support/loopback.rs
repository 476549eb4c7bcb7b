//! A package index on a loopback port: the simple API as JSON (PEP 691), and the files it lists.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use pyresolve::python::Sha256;
use serde_json::json;

use super::release::File;

/// The index; it answers until the process ends.
pub struct Loopback {
    address: String,
    content: Arc<Mutex<Content>>,
}

#[derive(Default)]
struct Content {
    projects: BTreeMap<String, Vec<File>>,
}

impl Loopback {
    /// An empty index on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let content = Arc::new(Mutex::new(Content::default()));
        let index = Self {
            address: address.clone(),
            content: Arc::clone(&content),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let content = Arc::clone(&content);
                std::thread::spawn(move || {
                    let _ = answer(stream, &content);
                });
            }
        });
        index
    }

    /// The address of the simple API.
    pub fn url(&self) -> String {
        format!("{}/simple/", self.address)
    }

    /// Publishes files of a project, by its normalised name.
    pub fn publish(&self, project: &str, files: impl IntoIterator<Item = File>) {
        let mut content = self.content.lock().unwrap();
        content
            .projects
            .entry(project.to_owned())
            .or_default()
            .extend(files);
    }

    /// Publishes these files instead of those that the project had.
    pub fn replace(&self, project: &str, files: impl IntoIterator<Item = File>) {
        let mut content = self.content.lock().unwrap();
        content
            .projects
            .insert(project.to_owned(), files.into_iter().collect());
    }
}

fn answer(stream: TcpStream, content: &Mutex<Content>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut range = None;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header == "\r\n" {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("range")
            {
                range = parse_range(value.trim());
            }
        }
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let found = find(&content.lock().unwrap(), path);
        let (status, body, kind) = found.map_or((404, Vec::new(), "text/plain"), |(body, kind)| {
            (200, body, kind)
        });
        let (status, body, extra) = cut(status, body, range);
        let reason = match status {
            200 => "OK",
            206 => "Partial Content",
            _ => "Not Found",
        };
        let stream = reader.get_mut();
        write!(
            stream,
            "HTTP/1.1 {status} {reason}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\naccept-ranges: bytes\r\n{extra}\r\n",
            body.len()
        )?;
        if method != "HEAD" {
            stream.write_all(&body)?;
        }
        stream.flush()?;
    }
}

/// `bytes=from-to` and `bytes=-last`.
fn parse_range(value: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (from, to) = value.strip_prefix("bytes=")?.split_once('-')?;
    Some((from.parse().ok(), to.parse().ok()))
}

fn cut(
    status: u16,
    body: Vec<u8>,
    range: Option<(Option<usize>, Option<usize>)>,
) -> (u16, Vec<u8>, String) {
    let length = body.len();
    let (from, to) = match range {
        Some((Some(from), to)) => (from, to.map_or(length, |to| to + 1).min(length)),
        Some((None, Some(last))) => (length.saturating_sub(last), length),
        _ => return (status, body, String::new()),
    };
    if status != 200 || from >= to {
        return (status, body, String::new());
    }
    let extra = format!("content-range: bytes {from}-{}/{length}\r\n", to - 1);
    (206, body[from..to].to_vec(), extra)
}

fn find(content: &Content, path: &str) -> Option<(Vec<u8>, &'static str)> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["simple", project] => {
            let files = content.projects.get(*project)?;
            let page = json!({
                "meta": { "api-version": "1.1" },
                "name": project,
                "files": files.iter().map(|file| json!({
                    "filename": file.name,
                    "url": format!("../../files/{project}/{}", file.name),
                    "hashes": { "sha256": Sha256::of(&file.bytes).hex() },
                    "size": file.bytes.len(),
                    "upload-time": "2026-01-02T03:04:05Z",
                    "core-metadata": file.name.ends_with(".whl"),
                })).collect::<Vec<_>>(),
            });
            let kind = "application/vnd.pypi.simple.v1+json";
            Some((page.to_string().into_bytes(), kind))
        }
        ["files", project, name] => {
            let files = content.projects.get(*project)?;
            files.iter().find_map(|file| {
                if file.name == *name {
                    Some((file.bytes.clone(), "application/octet-stream"))
                } else if format!("{}.metadata", file.name) == *name {
                    Some((file.metadata.clone().into_bytes(), "text/plain"))
                } else {
                    None
                }
            })
        }
        _ => None,
    }
}
