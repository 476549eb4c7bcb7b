//! Conditions over the systems that nixpkgs supports: where something holds, and what is left open.

use std::rc::Rc;

/// The systems that conditions are about, in the order of their bits.
pub const SYSTEMS: [&str; 4] = [
    "aarch64-darwin",
    "aarch64-linux",
    "x86_64-darwin",
    "x86_64-linux",
];

const ALL: u8 = 0b1111;
const DARWIN: u8 = 0b0101;
const LINUX: u8 = 0b1010;
const X86_64: u8 = 0b1100;
const AARCH64: u8 = 0b0011;

/// Where something holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cond {
    on: u8,
    open: Option<Rc<str>>,
}

impl Cond {
    /// Everywhere, or nowhere.
    pub const fn known(holds: bool) -> Self {
        Self {
            on: if holds { ALL } else { 0 },
            open: None,
        }
    }

    /// Where, cannot be known; the condition as written.
    pub fn open(text: impl Into<Rc<str>>) -> Self {
        Self {
            on: ALL,
            open: Some(text.into()),
        }
    }

    /// What a member of `stdenv.hostPlatform` says.
    pub fn platform(member: &str) -> Option<Self> {
        let on = match member {
            "isLinux" | "isGnu" | "isElf" => LINUX,
            "isDarwin" | "isMacOS" | "isBSD" | "isMachO" => DARWIN,
            "isx86_64" | "isx86" => X86_64,
            "isAarch64" | "isAarch" | "isArmv8" => AARCH64,
            "isUnix" | "is64bit" | "isLittleEndian" | "isAvailable" => ALL,
            "isWindows" | "isCygwin" | "isMinGW" | "isi686" | "isx86_32" | "is32bit"
            | "isAarch32" | "isArmv7" | "isRiscV" | "isRiscV64" | "isRiscV32" | "isPower"
            | "isPower64" | "isMips" | "isS390" | "isS390x" | "isLoongArch64" | "isMusl"
            | "isStatic" | "isFreeBSD" | "isNetBSD" | "isOpenBSD" | "isSunOS" | "isWasm"
            | "isWasi" | "isGhcjs" | "isJavaScript" | "isAndroid" | "isiOS" | "isBigEndian" => 0,
            _ => return None,
        };
        Some(Self { on, open: None })
    }

    /// On one system only.
    pub fn system(name: &str) -> Self {
        let bit = SYSTEMS.iter().position(|s| *s == name);
        Self {
            on: bit.map_or(0, |b| 1 << b),
            open: None,
        }
    }

    /// Both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let on = self.on & other.on;
        Self {
            on,
            open: if on == 0 {
                None
            } else {
                join(self, other, "&&")
            },
        }
    }

    /// Either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        if self.is_true() || other.is_true() {
            return Self::known(true);
        }
        if other.is_false() {
            return self.clone();
        }
        if self.is_false() {
            return other.clone();
        }
        Self {
            on: self.on | other.on,
            open: join(self, other, "||"),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn not(&self) -> Self {
        match &self.open {
            None => Self {
                on: ALL & !self.on,
                open: None,
            },
            // where it is known not to hold, the opposite is certain, but that is a detail to lose
            Some(text) => Self::open(format!("!({text})")),
        }
    }

    /// Whether it holds everywhere, for certain.
    pub fn is_true(&self) -> bool {
        self.on == ALL && self.open.is_none()
    }

    /// Whether it holds nowhere, for certain.
    pub fn is_false(&self) -> bool {
        self.on == 0
    }

    /// The systems it may hold on; empty means all.
    pub fn systems(&self) -> Vec<String> {
        if self.on == ALL {
            return Vec::new();
        }
        let held = |(bit, _): &(usize, &&str)| self.on & (1 << *bit) != 0;
        let systems = SYSTEMS.iter().enumerate().filter(held);
        systems.map(|(_, system)| (*system).to_owned()).collect()
    }

    /// What is left open, as written.
    pub fn unknown(&self) -> Option<&str> {
        self.open.as_deref()
    }
}

fn join(a: &Cond, b: &Cond, with: &str) -> Option<Rc<str>> {
    match (&a.open, &b.open) {
        (None, None) => None,
        (Some(text), None) | (None, Some(text)) => Some(text.clone()),
        (Some(a), Some(b)) if a == b => Some(a.clone()),
        (Some(a), Some(b)) => Some(format!("{a} {with} {b}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_combine() {
        let linux = Cond::platform("isLinux").unwrap();
        let arm = Cond::platform("isAarch64").unwrap();
        assert_eq!(linux.and(&arm).systems(), ["aarch64-linux"]);
        assert!(linux.or(&linux.not()).is_true());
        assert!(linux.and(&linux.not()).is_false());
        assert_eq!(arm.not().systems(), ["x86_64-darwin", "x86_64-linux"]);
        assert!(Cond::platform("isSomething").is_none());
    }

    #[test]
    fn what_is_open_stays_open_unless_it_cannot_matter() {
        let open = Cond::open("withGui");
        let never = Cond::known(false);
        assert!(open.and(&never).is_false() && open.and(&never).unknown().is_none());
        assert!(open.or(&Cond::known(true)).is_true());
        assert_eq!(open.or(&never), open);
        assert_eq!(open.not().unknown(), Some("!(withGui)"));
    }
}
