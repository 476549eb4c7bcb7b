//! User names and passwords for hosts: from addresses, the environment and netrc files.
//!
//! They are sent to the host they are for and to no other, and never shown: addresses are
//! stripped of them before anything else sees them.

use std::collections::BTreeMap;
use std::fmt;

use url::Url;

use crate::python::without_login;

/// A user name and a password. Prints as dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name, or a token.
    pub user: String,
    /// The password; may be empty.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// Logins by host.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// From addresses and the environment: scheme, host and port must agree.
    by_origin: BTreeMap<String, Login>,
    /// From netrc: by host name; sent over TLS, or to loopback only.
    by_host: BTreeMap<String, Login>,
    /// netrc's `default`.
    default: Option<Login>,
}

impl Credentials {
    /// Takes the login out of an address and remembers it for the address's origin.
    pub fn take(&mut self, url: &mut Url) {
        if url.username().is_empty() && url.password().is_none() {
            return;
        }
        let login = Login {
            user: decoded(url.username()),
            password: decoded(url.password().unwrap_or("")),
        };
        // Both fail only for addresses without a host, which hold no login.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        self.add(url, login);
    }

    /// Remembers a login for the origin of an address.
    pub fn add(&mut self, url: &Url, login: Login) {
        self.by_origin.insert(origin(url), login);
    }

    /// Reads the text of a netrc file. What it does not understand is skipped.
    pub fn read_netrc(&mut self, text: &str) {
        let mut words = netrc_words(text).into_iter().peekable();
        while let Some(word) = words.next() {
            let host = match word.as_str() {
                "machine" => words.next(),
                "default" => None,
                _ => continue,
            };
            let mut login = Login {
                user: String::new(),
                password: String::new(),
            };
            while let Some(key) = words.peek() {
                match key.as_str() {
                    "login" | "user" => {
                        words.next();
                        login.user = words.next().unwrap_or_default();
                    }
                    "password" => {
                        words.next();
                        login.password = words.next().unwrap_or_default();
                    }
                    "account" => {
                        words.next();
                        words.next();
                    }
                    _ => break,
                }
            }
            match host {
                Some(host) => {
                    self.by_host.entry(host.to_lowercase()).or_insert(login);
                }
                None => self.default = Some(login),
            }
        }
    }

    /// The login to send to an address.
    pub fn find(&self, url: &Url) -> Option<&Login> {
        if let Some(login) = self.by_origin.get(&origin(url)) {
            return Some(login);
        }
        let host = url.host_str()?.to_lowercase();
        let private = url.scheme() == "https"
            || matches!(host.as_str(), "localhost" | "[::1]")
            || host.starts_with("127.");
        if !private {
            return None;
        }
        self.by_host.get(&host).or(self.default.as_ref())
    }
}

/// An address as it may be shown: without its login.
pub fn shown(url: &Url) -> String {
    without_login(url).to_string()
}

/// Scheme, host and port.
pub fn origin(url: &Url) -> String {
    format!(
        "{}://{}:{}",
        url.scheme(),
        url.host_str().unwrap_or("").to_lowercase(),
        url.port_or_known_default().unwrap_or(0)
    )
}

/// Percent-decoded.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3);
        match digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) if *byte == b'%' => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Words of a netrc file: comments and macros left out, quotes removed.
fn netrc_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        if line.trim_start().starts_with("macdef") {
            // A macro ends at the first empty line.
            for line in lines.by_ref() {
                if line.trim().is_empty() {
                    break;
                }
            }
            continue;
        }
        for word in line.split_whitespace() {
            let inner = word
                .strip_prefix('"')
                .and_then(|word| word.strip_suffix('"'))
                .unwrap_or(word);
            words.push(inner.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn logins_stay_with_their_origin() {
        let mut credentials = Credentials::default();
        let mut index = url("https://me:p%40ss@index.test/simple/");
        credentials.take(&mut index);
        assert_eq!(index.as_str(), "https://index.test/simple/");
        let login = credentials
            .find(&url("https://index.test:443/files/x"))
            .unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("me", "p@ss")
        );
        for other in [
            "https://other.test/",
            "http://index.test/",
            "https://index.test:444/",
        ] {
            assert_eq!(credentials.find(&url(other)), None, "{other}");
        }
        assert_eq!(format!("{login:?}"), "Login(…)");
        assert_eq!(
            shown(&url("https://a:b@index.test/x")),
            "https://index.test/x"
        );
    }

    #[test]
    fn netrc() {
        let mut credentials = Credentials::default();
        credentials.read_netrc(
            "# comment machine x\nmachine index.test\n  login me\n  password \"secret\"\n\
             macdef init\ncd /\n\nmachine other.test login you account z password p2\n",
        );
        assert_eq!(
            credentials
                .find(&url("https://index.test/"))
                .unwrap()
                .password,
            "secret"
        );
        assert_eq!(
            credentials.find(&url("https://other.test/")).unwrap().user,
            "you"
        );
        assert_eq!(
            credentials.find(&url("http://index.test/")),
            None,
            "not in the clear"
        );
        assert_eq!(credentials.find(&url("https://third.test/")), None);
    }
}
