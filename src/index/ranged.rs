//! METADATA out of a remote wheel: by byte ranges, in the way that its host answers them, or out of the
//! whole wheel where there is no other.
//!
//! A wheel's end is what is wanted, and `bytes=-N` asks for it in one request (RFC 9110, 14.1.2). Some
//! hosts answer that with the whole file, an error or another part, and yet give `bytes=A-B`; some
//! give no parts at all. What a host turns out to do is remembered for the run, and an answer that is
//! a whole large file is not read.

use std::sync::{Arc, PoisonError};

use url::Url;

use super::client::{Request, Response};
use super::credential::origin;
use super::range::{Sparse, Step, first_part, length, whole_wheel};
use super::shared::{Shared, interrupted};
use super::{Distribution, IndexError};
use crate::python::Sha256;

/// The largest part that is asked for, or small wheel that comes instead.
const MAX_PART: u64 = 64 << 20;
/// More ranges than any wheel takes.
const MAX_RANGES: usize = 40;

/// How a host answers requests for parts of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Parts {
    /// As far as we know, all of them.
    #[default]
    Any,
    /// Those that say where they begin.
    Absolute,
    /// None.
    Never,
}

/// What came of asking for the end of a wheel.
pub(super) enum End {
    /// It, and perhaps more.
    Parts(Sparse),
    /// All of the wheel.
    Whole(Vec<u8>),
    /// There is no such file.
    Missing,
}

impl Shared {
    /// METADATA out of a remote wheel.
    pub(super) async fn metadata_in_wheel(
        self: &Arc<Self>,
        file: &Distribution,
    ) -> Result<Vec<u8>, IndexError> {
        let mut request = Request::new(Url::clone(&file.url), MAX_PART);
        match self.end_of_wheel(file, &mut request).await? {
            End::Parts(sparse) => self.metadata_in_parts(file, request, sparse).await,
            End::Whole(bytes) => self.metadata_in(file, bytes).await,
            End::Missing => self.metadata_in_whole(file).await,
        }
    }

    /// The end of a wheel, or all of it where its host gives no parts. The request, which may be used
    /// for further parts, has the wheel's address and a limit.
    pub(super) async fn end_of_wheel(
        self: &Arc<Self>,
        file: &Distribution,
        request: &mut Request,
    ) -> Result<End, IndexError> {
        let host = origin(&file.url);
        request.gzip = false;
        if self.parts_of(&host) == Parts::Any {
            request.range = Some(format!("bytes=-{}", first_part(file.size)));
            let response = self.client.fetch(request).await?;
            if response.is_missing() {
                return Ok(End::Missing);
            }
            if let Some(sparse) = Sparse::new(&response) {
                return Ok(End::Parts(sparse));
            }
            self.learned(&host, Parts::Absolute);
            if is_whole(file, &response) {
                return Ok(End::Whole(response.body));
            }
        }
        if self.parts_of(&host) == Parts::Absolute {
            if let Some(sparse) = self.end_by_length(file, request).await? {
                return Ok(End::Parts(sparse));
            }
            self.learned(&host, Parts::Never);
        }
        Ok(End::Whole(self.download(file).await?.1))
    }

    /// A small wheel.
    pub(super) async fn all_of_wheel(
        self: &Arc<Self>,
        file: &Distribution,
        request: &mut Request,
    ) -> Result<End, IndexError> {
        request.gzip = false;
        let response = self.client.fetch(request).await?;
        if response.is_missing() {
            return Ok(End::Missing);
        }
        if is_whole(file, &response) {
            return Ok(End::Whole(response.body));
        }
        Ok(End::Whole(self.download(file).await?.1))
    }

    /// The end of a wheel by an absolute range; none where the host does not give it.
    async fn end_by_length(
        self: &Arc<Self>,
        file: &Distribution,
        request: &mut Request,
    ) -> Result<Option<Sparse>, IndexError> {
        let size = match file.size {
            Some(size) => size,
            None => {
                request.range = Some("bytes=0-0".to_owned());
                match length(&self.client.fetch(request).await?) {
                    Some(size) => size,
                    None => return Ok(None),
                }
            }
        };
        let start = size.saturating_sub(first_part(Some(size)));
        let Some(last) = size.checked_sub(1) else {
            return Ok(None);
        };
        request.range = Some(format!("bytes={start}-{last}"));
        Ok(Sparse::new(&self.client.fetch(request).await?))
    }

    /// METADATA out of a wheel of which some part is at hand.
    async fn metadata_in_parts(
        self: &Arc<Self>,
        file: &Distribution,
        mut request: Request,
        mut sparse: Sparse,
    ) -> Result<Vec<u8>, IndexError> {
        for _ in 0..MAX_RANGES {
            let wheel = file.file.clone();
            let job = move || {
                let step = sparse.metadata(&wheel);
                (sparse, step)
            };
            let Some((back, step)) = self.run(job).await else {
                return Err(interrupted(&file.file));
            };
            sparse = back;
            match step {
                Step::Found(text) => return Ok(text),
                Step::Broken(reason) => {
                    let what = file.file.clone();
                    return Err(IndexError::Malformed { what, reason });
                }
                Step::Wants(range) => {
                    request.range = Some(format!("bytes={}-{}", range.start, range.end - 1));
                    let response = self.client.fetch(&request).await?;
                    if !sparse.add(&response) {
                        return self.metadata_in_whole(file).await;
                    }
                }
            }
        }
        self.metadata_in_whole(file).await
    }

    /// METADATA out of a wheel that has to be read whole: downloaded, or from disk.
    pub(super) async fn metadata_in_whole(
        self: &Arc<Self>,
        file: &Distribution,
    ) -> Result<Vec<u8>, IndexError> {
        let (_, bytes) = self.download(file).await?;
        self.metadata_in(file, bytes).await
    }

    async fn metadata_in(
        &self,
        file: &Distribution,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, IndexError> {
        let (wheel, what) = (file.file.clone(), file.file.clone());
        let job = move || whole_wheel(&wheel, &bytes);
        let found = self.run(job).await;
        let found = found.unwrap_or_else(|| Err("it was interrupted".to_owned()));
        found.map_err(|reason| IndexError::Malformed { what, reason })
    }

    fn parts_of(&self, host: &str) -> Parts {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.get(host).copied().unwrap_or_default()
    }

    /// A host gives fewer parts than we knew.
    fn learned(&self, host: &str, found: Parts) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = parts.entry(host.to_owned()).or_default();
        *known = found.max(*known);
    }
}

/// Whether the answer is the file that was meant.
fn is_whole(file: &Distribution, response: &Response) -> bool {
    let known = |sha256: Sha256| sha256 == Sha256::of(&response.body);
    response.status == 200 && !response.cut && file.sha256.is_none_or(known)
}
