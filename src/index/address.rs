//! Addresses of files, as pages write them and as they are asked for.

use url::Url;

/// A prefix as an absolute address, if it is a mere folder.
pub fn absolute_prefix(base: &Url, prefix: &str) -> Option<String> {
    let url = resolve_url(base, prefix)?;
    let folder = url.query().is_none() && url.path().ends_with('/');
    folder.then(|| url.to_string())
}

/// What stands for itself in an address's path.
pub fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+!".contains(&byte)
}

/// The address of a file, absolute, without fragment and credentials.
pub fn resolve_url(base: &Url, text: &str) -> Option<Url> {
    let mut url = base.join(text).ok()?;
    url.set_fragment(None);
    if !matches!(url.scheme(), "http" | "https" | "file") {
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
    }
    Some(url)
}
