//! Requirements on an address or a local path instead of an index.

use std::sync::Arc;

use super::remote::RemoteCatalog;
use super::{IndexError, Release};
use crate::python::{Metadata, PackageName, Wanted};

impl RemoteCatalog {
    pub(super) fn fetch_direct(
        &self,
        name: &PackageName,
        _: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError> {
        Err(IndexError::UnknownProject(name.clone()))
    }
}
