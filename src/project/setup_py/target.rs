//! Values that depend on the target, and the markers they become.
//!
//! A value such as `sys.platform` is a choice: one concrete value for each of the targets that
//! can be told apart, with the marker that tells them. Operations on it are done on each of the
//! values; a comparison's outcome is then a marker again.

use std::rc::Rc;
use std::str::FromStr;
use std::sync::LazyLock;

use super::value::Value;
use crate::python::MarkerTree;

/// The minor versions that are told apart; older and newer ones count as the first and last.
const MINORS: [(i64, i64); 18] = [
    (2, 6),
    (2, 7),
    (3, 0),
    (3, 1),
    (3, 2),
    (3, 3),
    (3, 4),
    (3, 5),
    (3, 6),
    (3, 7),
    (3, 8),
    (3, 9),
    (3, 10),
    (3, 11),
    (3, 12),
    (3, 13),
    (3, 14),
    (3, 15),
];

/// A marker from text that this program wrote itself.
pub fn marker(text: &str) -> MarkerTree {
    MarkerTree::from_str(text).unwrap_or(MarkerTree::FALSE)
}

static MINOR_MARKERS: LazyLock<Vec<MarkerTree>> = LazyLock::new(|| {
    // Each reaches to the next, so that none is left out between 2.7 and 3.0.
    let next = MINORS.iter().skip(1).map(Some).chain([None]);
    let mut first = true;
    MINORS
        .iter()
        .zip(next)
        .map(|((major, minor), next)| {
            let mut here = MarkerTree::TRUE;
            if !std::mem::take(&mut first) {
                here.and(marker(&format!("python_version >= '{major}.{minor}'")));
            }
            if let Some((major, minor)) = next {
                here.and(marker(&format!("python_version < '{major}.{minor}'")));
            }
            here
        })
        .collect()
});

type Table = Vec<(MarkerTree, &'static str)>;

fn table(variable: &str, values: &[(&'static str, &'static str)], other: &'static str) -> Table {
    let mut rest = MarkerTree::TRUE;
    let mut table: Table = Vec::new();
    for (written, value) in values {
        let one = marker(&format!("{variable} == '{written}'"));
        rest.and(one.negate());
        table.push((one, value));
    }
    table.push((rest, other));
    table
}

static SYS_PLATFORM: LazyLock<Table> = LazyLock::new(|| {
    let known = ["linux", "darwin", "win32", "cygwin"].map(|p| (p, p));
    table("sys_platform", &known, "otherunix")
});
static OS_NAME: LazyLock<Table> =
    LazyLock::new(|| table("os_name", &[("posix", "posix"), ("nt", "nt")], "java"));
static SYSTEM: LazyLock<Table> = LazyLock::new(|| {
    let known = ["Linux", "Darwin", "Windows"].map(|p| (p, p));
    table("platform_system", &known, "OtherUnix")
});
static MACHINE: LazyLock<Table> = LazyLock::new(|| {
    let known = [
        "x86_64", "aarch64", "arm64", "AMD64", "i686", "ppc64le", "armv7l", "s390x", "riscv64",
    ]
    .map(|p| (p, p));
    table("platform_machine", &known, "othermachine")
});
static IMPLEMENTATION: LazyLock<Table> = LazyLock::new(|| {
    let known = ["CPython", "PyPy", "Jython"].map(|p| (p, p));
    table("platform_python_implementation", &known, "OtherPython")
});
static IMPLEMENTATION_NAME: LazyLock<Table> = LazyLock::new(|| {
    let known = ["cpython", "pypy", "jython"].map(|p| (p, p));
    table("implementation_name", &known, "otherpython")
});

/// What holds on every target, though the variables are independent to the marker algebra.
pub static AXIOMS: LazyLock<MarkerTree> = LazyLock::new(|| {
    let mut axioms = MarkerTree::TRUE;
    for (platform, name, system) in [
        ("linux", "posix", "Linux"),
        ("darwin", "posix", "Darwin"),
        ("win32", "nt", "Windows"),
    ] {
        let mut same = marker(&format!(
            "sys_platform == '{platform}' and os_name == '{name}' and platform_system == '{system}'"
        ));
        same.or(marker(&format!(
            "sys_platform != '{platform}' and platform_system != '{system}'"
        )));
        axioms.and(same);
    }
    for (name, implementation) in [("cpython", "CPython"), ("pypy", "PyPy")] {
        let mut same = marker(&format!(
            "implementation_name == '{name}' and platform_python_implementation == '{implementation}'"
        ));
        same.or(marker(&format!(
            "implementation_name != '{name}' and platform_python_implementation != '{implementation}'"
        )));
        axioms.and(same);
    }
    axioms
});

fn texts<'a>(table: &Table) -> Value<'a> {
    Value::Choice(
        table
            .iter()
            .map(|(m, text)| (m.clone(), Value::str(text)))
            .collect(),
    )
}

/// One value for each minor version of Python.
pub fn by_version<'a>(value: impl Fn(i64, i64) -> Value<'a>) -> Value<'a> {
    Value::Choice(
        MINORS
            .iter()
            .zip(MINOR_MARKERS.iter())
            .map(|((major, minor), m)| (m.clone(), value(*major, *minor)))
            .collect(),
    )
}

/// `sys.version_info` as one tuple for each minor version.
pub fn version_info<'a>() -> Value<'a> {
    by_version(|major, minor| {
        Value::tuple(vec![
            Value::Int(major),
            Value::Int(minor),
            Value::Int(0),
            Value::str("final"),
            Value::Int(0),
        ])
    })
}

/// The value of something in Python's library that depends on the target.
pub fn constant<'a>(path: &str) -> Option<Value<'a>> {
    Some(match path {
        "sys.version_info" => Value::VersionInfo,
        "sys.platform" => texts(&SYS_PLATFORM),
        "os.name" => texts(&OS_NAME),
        "sys.implementation.name" => texts(&IMPLEMENTATION_NAME),
        "sys.version" => by_version(|a, b| Value::str(format!("{a}.{b}.0 (main) [GCC]"))),
        "sys.hexversion" => by_version(|a, b| Value::Int((a << 24) | (b << 16) | 0xf0)),
        "sys.api_version" => Value::Int(1013),
        _ => return None,
    })
}

/// The result of a call without arguments that depends on the target.
pub fn answer<'a>(path: &str) -> Option<Value<'a>> {
    Some(match path {
        "platform.system" => texts(&SYSTEM),
        "platform.machine" | "platform.processor" => texts(&MACHINE),
        "platform.python_implementation" => texts(&IMPLEMENTATION),
        "platform.python_version" => by_version(|a, b| Value::str(format!("{a}.{b}.0"))),
        "platform.python_version_tuple" => by_version(|a, b| {
            Value::tuple(vec![
                Value::str(a.to_string()),
                Value::str(b.to_string()),
                Value::str("0"),
            ])
        }),
        "distutils.sysconfig.get_python_version" | "sysconfig.get_python_version" => {
            by_version(|a, b| Value::str(format!("{a}.{b}")))
        }
        "sysconfig.get_platform" | "distutils.util.get_platform" => Value::Choice(
            SYS_PLATFORM
                .iter()
                .map(|(m, text)| {
                    let name = match *text {
                        "linux" => "linux-x86_64",
                        "darwin" => "macosx-11.0-arm64",
                        "win32" => "win-amd64",
                        other => other,
                    };
                    (m.clone(), Value::str(name))
                })
                .collect(),
        ),
        _ => return None,
    })
}

/// Where a text can be told apart from `needle` by `in sys.version`, `in sys.builtin_module_names`:
/// PyPy names itself there.
pub fn is_pypy() -> MarkerTree {
    marker("platform_python_implementation == 'PyPy'")
}

/// Where `sys.version_info <operator> wanted` holds, for tuples of three and more elements, which
/// name a patch release.
pub fn compare_version(operator: &str, wanted: &[Value<'_>]) -> Option<MarkerTree> {
    let numbers: Vec<i64> = wanted
        .iter()
        .take(3)
        .map(|v| match v {
            Value::Int(i) => Some(*i),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let [major, minor, micro] = numbers.as_slice() else {
        return None;
    };
    let version = format!("{major}.{minor}.{micro}");
    // A longer tuple than `(a, b, c)` is greater: `version_info > (3, 5, 2)` holds for 3.5.2.
    let operator = match (operator, wanted.len()) {
        (">", 3) => ">=",
        ("<=", 3) => "<",
        (">" | "<=" | ">=" | "<" | "==" | "!=", _) => operator,
        _ => return None,
    };
    if wanted.len() == 3 && matches!(operator, "==" | "!=") {
        return Some(if operator == "==" {
            MarkerTree::FALSE
        } else {
            MarkerTree::TRUE
        });
    }
    Some(marker(&format!(
        "python_full_version {operator} '{version}'"
    )))
}

/// A choice whose values are all booleans, as one marker.
pub fn as_marker(options: &[(MarkerTree, Value<'_>)]) -> Option<MarkerTree> {
    let mut holds = MarkerTree::FALSE;
    for (m, value) in options {
        match value {
            Value::Bool(true) => holds.or(m.clone()),
            Value::Bool(false) => {}
            Value::Marker(inner) => {
                let mut both = m.clone();
                both.and(inner.clone());
                holds.or(both);
            }
            _ => return None,
        }
    }
    Some(holds)
}

/// A value that is `Bool` where the marker decides nothing.
pub fn from_marker<'a>(m: MarkerTree) -> Value<'a> {
    if m.is_true() {
        Value::Bool(true)
    } else if m.is_false() {
        Value::Bool(false)
    } else {
        Value::Marker(m)
    }
}

/// A choice, joined to a marker where it can be.
pub fn choice<'a>(options: Vec<(MarkerTree, Value<'a>)>) -> Value<'a> {
    if let Some(holds) = as_marker(&options) {
        return from_marker(holds);
    }
    Value::Choice(Rc::from(options))
}
