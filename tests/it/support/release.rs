//! Real small sdists and wheels, made in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use flate2::{Compression, GzBuilder};

/// A distribution: its file name and its bytes.
#[derive(Debug, Clone)]
pub struct File {
    /// As the index lists it.
    pub name: String,
    /// The archive.
    pub bytes: Vec<u8>,
    /// The core metadata in it, for `.metadata` files.
    pub metadata: String,
}

/// A release as its author has it on disk.
#[derive(Debug, Clone)]
pub struct Source {
    name: String,
    version: String,
    headers: Vec<String>,
    files: BTreeMap<String, String>,
}

impl Source {
    /// A release without any file.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            headers: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// A release that `flit-core` builds: one module named like the project with this text, and
    /// these lines in `[project]`.
    pub fn flit(name: &str, version: &str, project: &str, module: &str) -> Self {
        let pyproject = format!(
            "[build-system]\nrequires = [\"flit-core>=3\"]\nbuild-backend = \"flit_core.buildapi\"\n\n\
             [project]\nname = \"{name}\"\nversion = \"{version}\"\n{project}\n"
        );
        Self::new(name, version)
            .file("pyproject.toml", &pyproject)
            .file(&format!("{}.py", underscored(name)), module)
    }

    /// With this file, replacing one of the same path.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// With this line of core metadata, `Requires-Dist: six` for example.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// Writes its files into a folder.
    pub fn unpack(&self, folder: &Path) {
        for (path, text) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn metadata(&self) -> String {
        let mut lines = vec![
            "Metadata-Version: 2.2".to_owned(),
            format!("Name: {}", self.name),
            format!("Version: {}", self.version),
        ];
        lines.extend(self.headers.iter().cloned());
        lines.join("\n") + "\n"
    }

    /// The sdist, with a PKG-INFO; all its bytes follow from the content.
    pub fn sdist(&self) -> File {
        let folder = format!("{}-{}", underscored(&self.name), self.version);
        let encoder = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::fast());
        let mut tar = tar::Builder::new(encoder);
        let metadata = self.metadata();
        let mut files = self.files.clone();
        files.insert("PKG-INFO".to_owned(), metadata.clone());
        for (path, text) in &files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("{folder}/{path}"), text.as_bytes())
                .unwrap();
        }
        File {
            name: format!("{folder}.tar.gz"),
            bytes: tar.into_inner().unwrap().finish().unwrap(),
            metadata,
        }
    }

    /// A wheel with these tags, of the files that end in `.py` or lie in folders.
    pub fn wheel(&self, tags: &str) -> File {
        let stem = format!("{}-{}", underscored(&self.name), self.version);
        let metadata = self.metadata();
        let info = format!("{stem}.dist-info");
        let mut files: BTreeMap<String, String> = self.files.clone();
        files.retain(|path, _| path != "setup.py" && (path.ends_with(".py") || path.contains('/')));
        files.insert(format!("{info}/METADATA"), metadata.clone());
        files.insert(
            format!("{info}/WHEEL"),
            format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tags}\n"),
        );
        let mut record: String = files.keys().map(|path| format!("{path},,\n")).collect();
        record += &format!("{info}/RECORD,,\n");
        files.insert(format!("{info}/RECORD"), record);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, text) in &files {
            zip.start_file(path.as_str(), zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        File {
            name: format!("{stem}-{tags}.whl"),
            bytes: zip.finish().unwrap().into_inner(),
            metadata,
        }
    }
}

fn underscored(name: &str) -> String {
    name.replace(['-', '.'], "_").to_lowercase()
}
