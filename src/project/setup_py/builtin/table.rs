//! Tables of names: which modules and names there are, since when, and what they are.

use crate::project::setup_py::target::marker;
use crate::project::setup_py::value::Value;
use crate::python::MarkerTree;

/// Python's own functions, types and exceptions.
pub fn is_builtin(name: &str) -> bool {
    is_exception(name)
        || matches!(
            name,
            "abs"
                | "all"
                | "any"
                | "ascii"
                | "bin"
                | "bool"
                | "bytearray"
                | "bytes"
                | "callable"
                | "chr"
                | "classmethod"
                | "compile"
                | "complex"
                | "delattr"
                | "dict"
                | "dir"
                | "divmod"
                | "enumerate"
                | "eval"
                | "exec"
                | "exit"
                | "filter"
                | "float"
                | "format"
                | "frozenset"
                | "getattr"
                | "globals"
                | "hasattr"
                | "hash"
                | "help"
                | "hex"
                | "id"
                | "input"
                | "int"
                | "isinstance"
                | "issubclass"
                | "iter"
                | "len"
                | "list"
                | "locals"
                | "map"
                | "max"
                | "memoryview"
                | "min"
                | "next"
                | "object"
                | "oct"
                | "open"
                | "ord"
                | "pow"
                | "print"
                | "property"
                | "quit"
                | "range"
                | "repr"
                | "reversed"
                | "round"
                | "set"
                | "setattr"
                | "slice"
                | "sorted"
                | "staticmethod"
                | "str"
                | "sum"
                | "super"
                | "tuple"
                | "type"
                | "vars"
                | "zip"
                | "__import__"
                | "NotImplemented"
                | "Ellipsis"
        )
}

const EXCEPTIONS: &[(&str, &str)] = &[
    ("Exception", "BaseException"),
    ("SystemExit", "BaseException"),
    ("KeyboardInterrupt", "BaseException"),
    ("GeneratorExit", "BaseException"),
    ("StopIteration", "Exception"),
    ("ArithmeticError", "Exception"),
    ("ZeroDivisionError", "ArithmeticError"),
    ("OverflowError", "ArithmeticError"),
    ("AssertionError", "Exception"),
    ("AttributeError", "Exception"),
    ("BufferError", "Exception"),
    ("EOFError", "Exception"),
    ("ImportError", "Exception"),
    ("ModuleNotFoundError", "ImportError"),
    ("LookupError", "Exception"),
    ("IndexError", "LookupError"),
    ("KeyError", "LookupError"),
    ("MemoryError", "Exception"),
    ("NameError", "Exception"),
    ("UnboundLocalError", "NameError"),
    ("OSError", "Exception"),
    ("IOError", "OSError"),
    ("EnvironmentError", "OSError"),
    ("WindowsError", "OSError"),
    ("FileNotFoundError", "OSError"),
    ("FileExistsError", "OSError"),
    ("IsADirectoryError", "OSError"),
    ("NotADirectoryError", "OSError"),
    ("PermissionError", "OSError"),
    ("TimeoutError", "OSError"),
    ("ConnectionError", "OSError"),
    ("RuntimeError", "Exception"),
    ("NotImplementedError", "RuntimeError"),
    ("RecursionError", "RuntimeError"),
    ("SyntaxError", "Exception"),
    ("IndentationError", "SyntaxError"),
    ("SystemError", "Exception"),
    ("TypeError", "Exception"),
    ("ValueError", "Exception"),
    ("UnicodeError", "ValueError"),
    ("UnicodeDecodeError", "UnicodeError"),
    ("UnicodeEncodeError", "UnicodeError"),
    ("Warning", "Exception"),
    ("UserWarning", "Warning"),
    ("DeprecationWarning", "Warning"),
    ("RuntimeWarning", "Warning"),
    ("FutureWarning", "Warning"),
    ("ImportWarning", "Warning"),
    ("subprocess.CalledProcessError", "Exception"),
    ("distutils.errors.DistutilsError", "Exception"),
    ("distutils.errors.CompileError", "Exception"),
    (
        "distutils.errors.DistutilsExecError",
        "distutils.errors.DistutilsError",
    ),
    (
        "distutils.errors.DistutilsPlatformError",
        "distutils.errors.DistutilsError",
    ),
    (
        "distutils.errors.DistutilsSetupError",
        "distutils.errors.DistutilsError",
    ),
    (
        "distutils.errors.DistutilsArgError",
        "distutils.errors.DistutilsError",
    ),
    (
        "distutils.errors.DistutilsOptionError",
        "distutils.errors.DistutilsError",
    ),
    (
        "distutils.errors.DistutilsFileError",
        "distutils.errors.DistutilsError",
    ),
    (
        "distutils.errors.DistutilsModuleError",
        "distutils.errors.DistutilsError",
    ),
    (
        "distutils.errors.LinkError",
        "distutils.errors.CCompilerError",
    ),
    ("distutils.errors.CCompilerError", "Exception"),
    ("pkg_resources.DistributionNotFound", "Exception"),
    ("pkg_resources.VersionConflict", "Exception"),
    ("pkg_resources.ResolutionError", "Exception"),
    (
        "importlib.metadata.PackageNotFoundError",
        "ModuleNotFoundError",
    ),
    ("configparser.Error", "Exception"),
    ("configparser.NoSectionError", "configparser.Error"),
    ("configparser.NoOptionError", "configparser.Error"),
    ("json.JSONDecodeError", "ValueError"),
    ("json.decoder.JSONDecodeError", "ValueError"),
];

/// Whether a path is an exception.
pub fn is_exception(path: &str) -> bool {
    path == "BaseException" || EXCEPTIONS.iter().any(|(name, _)| *name == path)
}

/// An exception and all that it is derived from.
pub fn exceptions(path: &str) -> Vec<&str> {
    let mut chain = vec![path];
    let mut at = path;
    while let Some((_, base)) = EXCEPTIONS.iter().find(|(name, _)| *name == at) {
        chain.push(base);
        at = base;
    }
    // Python 3 has one class under four names.
    if chain.contains(&"OSError") {
        chain.extend(["IOError", "EnvironmentError", "WindowsError"]);
    }
    chain
}

/// Whether a value is an instance of a native type.
pub fn is_type(value: &Value<'_>, path: &str) -> bool {
    match path {
        "object" => true,
        "str" | "bytes" | "int" | "float" | "list" | "tuple" | "dict" | "set" | "bool" => {
            value.type_name() == path || (path == "int" && matches!(value, Value::Bool(_)))
        }
        "frozenset" | "collections.abc.Set" => matches!(value, Value::Set(_)),
        "collections.abc.Mapping"
        | "collections.OrderedDict"
        | "collections.abc.MutableMapping" => {
            matches!(value, Value::Dict(_))
        }
        "collections.abc.Iterable" => {
            matches!(
                value,
                Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Set(_) | Value::Str(_)
            )
        }
        "collections.abc.Sequence" | "collections.abc.MutableSequence" => {
            matches!(value, Value::List(_) | Value::Tuple(_) | Value::Str(_))
        }
        "pathlib.Path" | "pathlib.PurePath" | "os.PathLike" => matches!(value, Value::Path(_)),
        "numbers.Number" => matches!(value, Value::Int(_) | Value::Float(_)),
        _ => false,
    }
}

/// Classes of setuptools and distutils that a file derives its commands from.
pub fn is_command(path: &str) -> bool {
    path.starts_with("setuptools.command.")
        || path.starts_with("distutils.command.")
        || path.starts_with("wheel.bdist_wheel.")
        || path.starts_with("wheel._bdist_wheel.")
        || matches!(
            path,
            "setuptools.Command"
                | "distutils.cmd.Command"
                | "distutils.core.Command"
                | "setuptools.Extension"
                | "setuptools.extension.Extension"
                | "distutils.core.Extension"
                | "distutils.extension.Extension"
                | "setuptools.dist.Distribution"
                | "setuptools.Distribution"
                | "distutils.core.Distribution"
                | "distutils.dist.Distribution"
        )
}

/// One name for what has several.
pub fn canonical(path: &str) -> &str {
    match path {
        "io.open" | "codecs.open" | "builtins.open" | "io.TextIOWrapper" => "open",
        "posixpath" | "ntpath" => "os.path",
        "setuptools.setup"
        | "distutils.core.setup"
        | "numpy.distutils.core.setup"
        | "skbuild.setup"
        | "cx_Freeze.setup"
        | "py2exe.setup"
        | "setuptools.core.setup"
        | "distutils.setup"
        | "distutils2.core.setup"
        | "numpy.distutils.setup" => "setuptools.setup",
        "collections.Mapping" => "collections.abc.Mapping",
        "collections.Iterable" => "collections.abc.Iterable",
        "six.moves.configparser" => "configparser",
        "six.string_types" | "six.text_type" => "str",
        "builtins.str" => "str",
        "builtins.print" => "print",
        "pathlib2" => "pathlib",
        "pathlib.PosixPath" | "pathlib.PurePosixPath" | "pathlib.PurePath" => "pathlib.Path",
        "importlib_metadata" => "importlib.metadata",
        path => {
            if let Some(rest) = path.strip_prefix("builtins.")
                && is_builtin(rest)
            {
                return rest;
            }
            path
        }
    }
}

/// Whether calling it has no effect on its arguments, nor on anything that is followed.
pub fn is_harmless(path: &str) -> bool {
    let top = path.split('.').next().unwrap_or(path);
    matches!(
        top,
        "logging"
            | "warnings"
            | "time"
            | "datetime"
            | "platform"
            | "sysconfig"
            | "shutil"
            | "tempfile"
            | "subprocess"
            | "multiprocessing"
            | "textwrap"
            | "inspect"
            | "pprint"
            | "traceback"
            | "distutils"
            | "setuptools"
            | "Cython"
            | "os"
            | "sys"
            | "struct"
            | "ctypes"
            | "hashlib"
            | "getpass"
            | "socket"
            | "locale"
            | "atexit"
            | "signal"
            | "gc"
            | "site"
            | "uuid"
            | "random"
            | "pkg_resources"
            | "importlib"
            | "urllib"
            | "http"
            | "zipfile"
            | "tarfile"
            | "math"
            | "numpy"
            | "types"
            | "string"
            | "typing"
            | "contextlib"
            | "abc"
            | "enum"
            | "threading"
    ) || matches!(
        path,
        "help" | "dir" | "id" | "hash" | "input" | "memoryview" | "compile" | "callable"
    ) || is_command(path)
}

/// Functions whose result depends on nothing but their arguments.
pub fn is_pure(path: &str) -> bool {
    if path.starts_with("re.") {
        return true;
    }
    matches!(
        path,
        "str"
            | "int"
            | "float"
            | "len"
            | "tuple"
            | "list"
            | "map"
            | "format"
            | "repr"
            | "bool"
            | "min"
            | "max"
            | "sorted"
            | "sum"
            | "abs"
            | "round"
            | "filter"
            | "any"
            | "all"
            | "zip"
            | "ord"
            | "os.path.join"
            | "os.path.basename"
            | "isinstance"
            | "distutils.version.LooseVersion"
            | "distutils.version.StrictVersion"
            | "packaging.version.parse"
            | "packaging.version.Version"
            | "pkg_resources.parse_version"
    )
}

/// Attributes of the library that are plain values.
pub fn constant<'a>(path: &str) -> Option<Value<'a>> {
    Some(match path {
        "os.sep" | "os.path.sep" => Value::str("/"),
        "os.linesep" => Value::str("\n"),
        "os.pathsep" | "os.path.pathsep" => Value::str(":"),
        "os.curdir" | "os.path.curdir" => Value::str("."),
        "os.pardir" | "os.path.pardir" => Value::str(".."),
        "os.extsep" | "os.path.extsep" => Value::str("."),
        "os.devnull" => Value::str("/dev/null"),
        "os.altsep" => Value::None,
        "sys.maxsize" => Value::Int(i64::MAX),
        "sys.byteorder" => Value::str("little"),
        "sys.dont_write_bytecode" => Value::Bool(false),
        "sys.flags.optimize" => Value::Int(0),
        "string.ascii_letters" => {
            Value::str("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        }
        "string.ascii_lowercase" => Value::str("abcdefghijklmnopqrstuvwxyz"),
        "string.digits" => Value::str("0123456789"),
        "string.whitespace" => Value::str(" \t\n\r\x0b\x0c"),
        "re.M" | "re.MULTILINE" => Value::Int(8),
        "re.I" | "re.IGNORECASE" => Value::Int(2),
        "re.S" | "re.DOTALL" => Value::Int(16),
        "re.X" | "re.VERBOSE" => Value::Int(64),
        "re.U" | "re.UNICODE" => Value::Int(32),
        "re.A" | "re.ASCII" => Value::Int(256),
        "re.L" | "re.LOCALE" => Value::Int(4),
        "typing.TYPE_CHECKING" => Value::Bool(false),
        "six.PY2" => Value::Marker(marker("python_version < '3'")),
        "six.PY3" => Value::Marker(marker("python_version >= '3'")),
        _ => return None,
    })
}

/// Modules of Python's library, setuptools and pip; when they have not always been there, since
/// when they are.
pub fn module_since(name: &str) -> Option<MarkerTree> {
    let since = match name {
        "tomllib" => "3.11",
        "importlib.metadata" => "3.8",
        "importlib.resources" | "dataclasses" | "contextvars" => "3.7",
        "zoneinfo" | "graphlib" => "3.9",
        "secrets" => "3.6",
        "typing" => "3.5",
        "enum" | "pathlib" | "asyncio" | "statistics" | "selectors" | "tracemalloc"
        | "importlib.util" => "3.4",
        "ipaddress"
        | "unittest.mock"
        | "lzma"
        | "importlib.machinery"
        | "importlib.abc"
        | "venv" => "3.3",
        "concurrent.futures" | "concurrent" | "html" | "builtins" | "configparser" | "queue"
        | "urllib.request" | "urllib.error" | "http" | "http.client" | "collections.abc"
        | "reprlib" | "copyreg" | "winreg" | "dbm" => "3",
        "argparse" | "sysconfig" | "importlib" => "2.7",
        name => return library_module(name).then_some(MarkerTree::TRUE),
    };
    // No wheel is built for Python 2.6 or older any more; Python 3.0 to 3.3 have followed.
    Some(marker(&format!("python_version >= '{since}'")))
}

fn library_module(name: &str) -> bool {
    let top = name.split('.').next().unwrap_or(name);
    matches!(
        top,
        "abc"
            | "ast"
            | "atexit"
            | "base64"
            | "bisect"
            | "bz2"
            | "calendar"
            | "cmd"
            | "code"
            | "codecs"
            | "collections"
            | "compileall"
            | "contextlib"
            | "copy"
            | "csv"
            | "ctypes"
            | "datetime"
            | "decimal"
            | "difflib"
            | "dis"
            | "distutils"
            | "doctest"
            | "email"
            | "errno"
            | "filecmp"
            | "fileinput"
            | "fnmatch"
            | "fractions"
            | "functools"
            | "gc"
            | "getopt"
            | "getpass"
            | "gettext"
            | "glob"
            | "gzip"
            | "hashlib"
            | "heapq"
            | "hmac"
            | "importlib"
            | "inspect"
            | "io"
            | "itertools"
            | "json"
            | "keyword"
            | "linecache"
            | "locale"
            | "logging"
            | "math"
            | "mimetypes"
            | "multiprocessing"
            | "numbers"
            | "operator"
            | "os"
            | "pickle"
            | "pkgutil"
            | "platform"
            | "posixpath"
            | "ntpath"
            | "pprint"
            | "py_compile"
            | "pydoc"
            | "random"
            | "re"
            | "runpy"
            | "sched"
            | "select"
            | "shelve"
            | "shlex"
            | "shutil"
            | "signal"
            | "site"
            | "socket"
            | "sqlite3"
            | "ssl"
            | "stat"
            | "string"
            | "struct"
            | "subprocess"
            | "sys"
            | "tarfile"
            | "tempfile"
            | "textwrap"
            | "threading"
            | "time"
            | "timeit"
            | "token"
            | "tokenize"
            | "trace"
            | "traceback"
            | "types"
            | "unittest"
            | "urllib"
            | "uuid"
            | "warnings"
            | "weakref"
            | "webbrowser"
            | "xml"
            | "zipfile"
            | "zipimport"
            | "zlib"
            | "imp"
            | "optparse"
            | "builtins"
            | "http"
            | "concurrent"
            | "html"
            | "queue"
            | "encodings"
            | "curses"
            | "setuptools"
            | "pkg_resources"
            | "pip"
            | "wheel"
            | "_thread"
            | "asyncio"
            | "enum"
            | "pathlib"
            | "__main__"
            | "numbers.Number"
            | "tkinter"
            | "tty"
            | "pty"
            | "pwd"
            | "grp"
            | "fcntl"
            | "resource"
    )
}

/// Names that have not always been in their module.
pub fn name_since(module: &str, name: &str) -> Option<MarkerTree> {
    let since = match (module, name) {
        ("collections", "OrderedDict" | "Counter") => "2.7",
        ("subprocess", "check_output") => "2.7",
        ("functools", "lru_cache") => "3.2",
        ("functools", "singledispatch") => "3.4",
        ("importlib", "reload" | "resources") => "3.4",
        ("importlib", "metadata") => "3.8",
        ("functools", "cached_property") => "3.8",
        ("unittest", "mock") => "3.3",
        ("shutil", "which") => "3.3",
        ("os", "scandir") => "3.5",
        // Gone since Python 3, so never found by a build of today.
        ("collections", "Mapping" | "Iterable" | "Callable" | "MutableMapping" | "Sequence")
        | ("string", "maketrans" | "join" | "split" | "replace" | "strip" | "lower")
        | ("itertools", "izip" | "imap" | "ifilter" | "izip_longest")
        | ("urllib", "urlopen" | "urlretrieve" | "urlencode" | "quote" | "unquote")
        | ("distutils.command.build_py", "build_py_2to3")
        | ("types", "StringTypes" | "StringType" | "ListType")
        | ("pip", "parse_requirements" | "main") => return Some(MarkerTree::FALSE),
        _ => return None,
    };
    Some(marker(&format!("python_version >= '{since}'")))
}

/// Modules that only Python 2 has: importing them fails in a build of today.
pub fn is_python2_module(name: &str) -> bool {
    matches!(
        name.split('.').next().unwrap_or(name),
        "ConfigParser"
            | "StringIO"
            | "cStringIO"
            | "urllib2"
            | "urlparse"
            | "httplib"
            | "__builtin__"
            | "commands"
            | "Queue"
            | "cPickle"
            | "exceptions"
            | "HTMLParser"
            | "Tkinter"
            | "thread"
            | "copy_reg"
            | "_winreg"
            | "anydbm"
            | "md5"
            | "sets"
            | "UserDict"
            | "dummy_thread"
    )
}

/// Names that `from module import *` brings.
pub fn star_names(module: &str) -> &'static [&'static str] {
    match module {
        "setuptools" => &[
            "setup",
            "Extension",
            "Command",
            "find_packages",
            "find_namespace_packages",
            "Distribution",
        ],
        "distutils.core" => &["setup", "Extension", "Command", "Distribution"],
        "os.path" => &[
            "join", "dirname", "abspath", "exists", "basename", "isfile", "isdir", "split",
            "splitext",
        ],
        "io" => &["open", "StringIO", "BytesIO"],
        "glob" => &["glob", "iglob"],
        _ => &[],
    }
}

/// The module that a build requirement is imported as, where its name does not tell.
pub fn import_name(project: &str) -> Option<&'static str> {
    Some(match project {
        "scikit_build" => "skbuild",
        "setuptools_rust" => "setuptools_rust",
        "pyyaml" => "yaml",
        "oldest_supported_numpy" => "numpy",
        "extension_helpers" => "extension_helpers",
        "gitpython" => "git",
        "attrs" => "attr",
        _ => return None,
    })
}

/// Third-party modules whose `setup` is setuptools' with more keywords.
pub fn sets_up(name: &str) -> bool {
    matches!(
        name,
        "skbuild" | "numpy.distutils.core" | "cx_Freeze" | "py2exe" | "numpy.distutils"
    )
}
