//! Releases that a test describes, built on the fly: real small wheels and sdists.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use pyresolve::python::Sha256;

use super::elf;

/// One release of a project. By default it has a pure wheel and an sdist that says everything.
#[derive(Debug, Clone)]
pub struct Release {
    /// The project's name, as written.
    pub name: String,
    /// The version.
    pub version: String,
    requires: Vec<String>,
    extras: Vec<String>,
    requires_python: Option<String>,
    tags: Vec<String>,
    sdist: Option<Sdist>,
    /// The reason, if it is yanked.
    pub yanked: Option<String>,
    /// Upload time.
    pub uploaded: Option<String>,
    headers: Vec<String>,
    description: usize,
    padding: usize,
    objects: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone)]
struct Sdist {
    extension: String,
    metadata_version: String,
    dynamic: bool,
    /// Files besides PKG-INFO; none means a `pyproject.toml` with everything.
    files: Vec<(String, String)>,
}

/// A file that an index serves.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// METADATA, for wheels.
    pub metadata: Option<Vec<u8>>,
}

impl File {
    /// The digest of the content, in hexadecimal.
    pub fn sha256(&self) -> String {
        Sha256::of(&self.bytes).hex()
    }
}

impl Release {
    /// A release with a `py3-none-any` wheel and a `.tar.gz` sdist.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            requires: Vec::new(),
            extras: Vec::new(),
            requires_python: None,
            tags: vec!["py3-none-any".to_owned()],
            sdist: Some(Sdist {
                extension: "tar.gz".to_owned(),
                metadata_version: "2.4".to_owned(),
                dynamic: false,
                files: Vec::new(),
            }),
            yanked: None,
            uploaded: Some("2024-01-01T00:00:00.000000Z".to_owned()),
            headers: vec![
                "Summary: A project of a test".to_owned(),
                "License-Expression: MIT".to_owned(),
            ],
            description: 0,
            padding: 0,
            objects: Vec::new(),
        }
    }

    /// Adds a requirement; with an extra as `x; extra == 'y'`, which declares the extra too.
    pub fn needs(mut self, requirement: &str) -> Self {
        if let Some((_, extra)) = requirement.split_once("extra == ") {
            let extra = extra.trim().trim_matches(['\'', '"']).to_owned();
            if !self.extras.contains(&extra) {
                self.extras.push(extra);
            }
        }
        self.requires.push(requirement.to_owned());
        self
    }

    /// `Requires-Python`.
    pub fn python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self
    }

    /// Wheels with these tags instead of the pure one; none where there are none.
    pub fn wheels(mut self, tags: &[&str]) -> Self {
        self.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        self
    }

    /// No sdist.
    pub fn no_sdist(mut self) -> Self {
        self.sdist = None;
        self
    }

    /// An sdist with these files, whose PKG-INFO promises nothing.
    pub fn source(mut self, files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        self.sdist = Some(Sdist {
            extension: "tar.gz".to_owned(),
            metadata_version: "2.1".to_owned(),
            dynamic: false,
            files: files.collect(),
        });
        self
    }

    /// The sdist as a zip archive.
    pub fn zipped(mut self) -> Self {
        if let Some(sdist) = &mut self.sdist {
            sdist.extension = "zip".to_owned();
        }
        self
    }

    /// The sdist's PKG-INFO declares its requirements dynamic.
    pub fn dynamic(mut self) -> Self {
        if let Some(sdist) = &mut self.sdist {
            sdist.dynamic = true;
        }
        self
    }

    /// Yanked for this reason.
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_owned());
        self
    }

    /// Uploaded at this moment; empty means that the index does not tell.
    pub fn uploaded(mut self, time: &str) -> Self {
        self.uploaded = (!time.is_empty()).then(|| time.to_owned());
        self
    }

    /// These lines of core metadata instead of the usual summary and licence.
    pub fn headers(mut self, lines: &[&str]) -> Self {
        self.headers = lines.iter().map(|line| (*line).to_owned()).collect();
        self
    }

    /// Bytes of description in METADATA.
    pub fn description(mut self, bytes: usize) -> Self {
        self.description = bytes;
        self
    }

    /// Bytes of incompressible data in wheels and sdist.
    pub fn padding(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }

    /// A shared object in the wheels that are for one platform, which links these libraries.
    pub fn object(mut self, path: &str, needed: &[&str]) -> Self {
        self.objects.push((path.to_owned(), elf::object(needed)));
        self
    }

    /// `Requires-Python` as the index tells it.
    pub fn requires_python(&self) -> Option<&str> {
        self.requires_python.as_deref()
    }

    /// An sdist that flit-core builds: one module named like the project, with this text. Its metadata
    /// is certain.
    pub fn flit(mut self, module: &str) -> Self {
        let pyproject = self
            .pyproject()
            .replace("\"setuptools\"", "\"flit-core>=3\"");
        let pyproject = pyproject.replace("setuptools.build_meta", "flit_core.buildapi");
        let stem = self.stem();
        self = self.source(&[
            ("pyproject.toml", &pyproject),
            (&format!("{stem}.py"), module),
        ]);
        if let Some(sdist) = &mut self.sdist {
            sdist.metadata_version = "2.4".to_owned();
        }
        self
    }

    /// The files of the sdist, in a folder.
    pub fn unpack(&self, folder: &Path) {
        for (path, text) in self.sdist.iter().flat_map(|sdist| &sdist.files) {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    /// Every file, wheels first.
    pub fn files(&self) -> Vec<File> {
        let mut files: Vec<File> = self.tags.iter().map(|tag| self.wheel(tag)).collect();
        if let Some(sdist) = &self.sdist {
            files.push(self.source_archive(sdist));
        }
        files
    }

    /// The name as files spell it (PEP 625).
    fn stem(&self) -> String {
        self.name.to_lowercase().replace(['-', '.'], "_")
    }

    fn metadata(&self, version: &str) -> String {
        let mut text = format!(
            "Metadata-Version: {version}\nName: {}\nVersion: {}\n",
            self.name, self.version
        );
        for header in &self.headers {
            writeln!(text, "{header}").unwrap();
        }
        if let Some(python) = &self.requires_python {
            writeln!(text, "Requires-Python: {python}").unwrap();
        }
        for requirement in &self.requires {
            writeln!(text, "Requires-Dist: {requirement}").unwrap();
        }
        for extra in &self.extras {
            writeln!(text, "Provides-Extra: {extra}").unwrap();
        }
        if self.description > 0 {
            write!(text, "\n{}", "words ".repeat(self.description / 6)).unwrap();
        }
        text
    }

    fn wheel(&self, tag: &str) -> File {
        let (stem, metadata) = (self.stem(), self.metadata("2.4"));
        let info = format!("{stem}-{}.dist-info", self.version);
        let pure = tag.ends_with("-any");
        let mut members = vec![(
            format!("{stem}/__init__.py"),
            format!("__version__ = \"{}\"\n", self.version).into_bytes(),
        )];
        if !pure {
            members.extend(self.objects.iter().cloned());
        }
        if self.padding > 0 {
            members.push((format!("{stem}/data.bin"), noise(self.padding)));
        }
        members.push((format!("{info}/METADATA"), metadata.clone().into_bytes()));
        let wheel =
            format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {tag}\n");
        members.push((format!("{info}/WHEEL"), wheel.into_bytes()));
        let mut record = String::new();
        for (name, bytes) in &members {
            let digest = BASE64URL_NOPAD.encode(&Sha256::of(bytes).0);
            writeln!(record, "{name},sha256={digest},{}", bytes.len()).unwrap();
        }
        writeln!(record, "{info}/RECORD,,").unwrap();
        members.push((format!("{info}/RECORD"), record.into_bytes()));
        File {
            name: format!("{stem}-{}-{tag}.whl", self.version),
            bytes: zip_of(&members),
            metadata: Some(metadata.into_bytes()),
        }
    }

    fn source_archive(&self, sdist: &Sdist) -> File {
        let root = format!("{}-{}", self.stem(), self.version);
        let mut info = self.metadata(&sdist.metadata_version);
        if sdist.dynamic {
            info = info.replacen("Name:", "Dynamic: Requires-Dist\nName:", 1);
        }
        let mut members = vec![(format!("{root}/PKG-INFO"), info.into_bytes())];
        if sdist.files.is_empty() {
            let init = format!("__version__ = \"{}\"\n", self.version);
            members.push((
                format!("{root}/pyproject.toml"),
                self.pyproject().into_bytes(),
            ));
            members.push((
                format!("{root}/{}/__init__.py", self.stem()),
                init.into_bytes(),
            ));
        }
        for (path, text) in &sdist.files {
            members.push((format!("{root}/{path}"), text.clone().into_bytes()));
        }
        if self.padding > 0 {
            members.push((format!("{root}/data.bin"), noise(self.padding)));
        }
        let bytes = if sdist.extension == "zip" {
            zip_of(&members)
        } else {
            tar_gz_of(&members)
        };
        File {
            name: format!("{root}.{}", sdist.extension),
            bytes,
            metadata: None,
        }
    }

    fn pyproject(&self) -> String {
        let (plain, extra): (Vec<_>, Vec<_>) =
            self.requires.iter().partition(|r| !r.contains("extra =="));
        let mut text = String::from(
            "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\n",
        );
        writeln!(
            text,
            "[project]\nname = \"{}\"\nversion = \"{}\"",
            self.name, self.version
        )
        .unwrap();
        if let Some(python) = &self.requires_python {
            writeln!(text, "requires-python = \"{python}\"").unwrap();
        }
        writeln!(text, "dependencies = {plain:?}").unwrap();
        for name in &self.extras {
            let own: Vec<&str> = extra
                .iter()
                .filter(|r| r.contains(&format!("'{name}'")) || r.contains(&format!("\"{name}\"")))
                .filter_map(|r| r.split(';').next())
                .collect();
            writeln!(text, "[project.optional-dependencies]\n{name} = {own:?}").unwrap();
        }
        text
    }
}

fn zip_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in members {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An archive with these files, in this order.
pub fn tar_gz_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        tar.append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Bytes that do not compress, always the same.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}
