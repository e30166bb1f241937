package runtimes

import (
	"strconv"
	"strings"
)

// The tables of Python were made by asking the interpreters of 3.7 to 3.13 on
// Linux: sys.stdlib_module_names where it exists (3.10 and later) or the files of
// the library, without what cannot be imported there; sys.builtin_module_names;
// what _imp.is_frozen says. 3.14 is 3.13 with the modules that
// https://docs.python.org/3.14/whatsnew/3.14.html adds (derived), and its other
// tables are those of 3.13 (derived).

// pythonStdlib are the top-level modules of the standard library.
var pythonStdlib = names{
	{[]span{{7, 14}}, `__future__ _abc _ast _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp
		_codecs_kr _codecs_tw _collections _collections_abc _compat_pickle _compression _contextvars _csv _ctypes
		_curses _curses_panel _datetime _decimal _elementtree _functools _hashlib _heapq _imp _io _json _locale
		_lsprof _lzma _markupbase _md5 _multibytecodec _multiprocessing _opcode _operator _osx_support _pickle
		_posixsubprocess _py_abc _pydecimal _pyio _queue _random _sha1 _sha3 _signal _sitebuiltins _socket _sqlite3
		_sre _ssl _stat _string _strptime _struct _symtable _thread _threading_local _tkinter _tracemalloc _uuid
		_warnings _weakref _weakrefset abc antigravity argparse array ast asyncio atexit base64 bdb binascii bisect
		builtins bz2 cProfile calendar cmath cmd code codecs codeop collections colorsys compileall concurrent
		configparser contextlib contextvars copy copyreg csv ctypes curses dataclasses datetime dbm decimal difflib
		dis doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions
		ftplib functools gc genericpath getopt getpass gettext glob grp gzip hashlib heapq hmac html http idlelib
		imaplib importlib inspect io ipaddress itertools json keyword linecache locale logging lzma mailbox marshal
		math mimetypes mmap modulefinder multiprocessing netrc ntpath nturl2path numbers opcode operator optparse os
		pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty
		pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter
		runpy sched secrets select selectors shelve shlex shutil signal site smtplib socket socketserver sqlite3
		sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess symtable sys
		sysconfig syslog tabnanny tarfile tempfile termios textwrap this threading time timeit tkinter token
		tokenize trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uuid
		venv warnings wave weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zlib`},
	{[]span{{7, 12}}, `_crypt aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap nis nntplib ossaudiodev pipes sndhdr spwd
		sunau telnetlib uu xdrlib`},
	{[]span{{13, 14}}, `_android_support _colorize _interpchannels _interpqueues _interpreters _ios_support _opcode_metadata _pyrepl
		_suggestions _sysconfig`},
	{[]span{{14, 14}}, `_apple_support _ast_unparse _hmac _py_warnings _remote_debugging _types _zstd annotationlib compression`},
	{[]span{{7, 11}}, `_sha256 _sha512 asynchat asyncore distutils imp smtpd`},
	{[]span{{7, 9}}, `_bootlocale formatter parser symbol`},
	{[]span{{9, 14}}, `_aix_support _zoneinfo graphlib zoneinfo`},
	{[]span{{11, 14}}, `_tokenize _typing tomllib`},
	{[]span{{12, 14}}, `_pydatetime _pylong _sha2`},
	{[]span{{7, 8}}, `_dummy_thread dummy_threading`},
	{[]span{{8, 14}}, `_posixshmem _statistics`},
	{[]span{{10, 14}}, `_frozen_importlib _frozen_importlib_external`},
	{[]span{{7, 7}}, `macpath`},
	{[]span{{7, 10}}, `binhex`},
	{[]span{{9, 9}}, `_peg_parser`},
	{[]span{{9, 11}}, `_bootsubprocess`},
}

// pythonBuiltin are compiled into the interpreter (derived for Lambda's build,
// which nobody asked).
var pythonBuiltin = names{
	{[]span{{7, 14}}, `_abc _ast _codecs _collections _functools _imp _io _locale _operator _signal _sre _stat _string _symtable
		_thread _tracemalloc _warnings _weakref atexit builtins errno faulthandler gc itertools marshal posix pwd
		sys time`},
	{[]span{{13, 14}}, `_suggestions _sysconfig`},
	{[]span{{7, 7}}, `zipimport`},
	{[]span{{9, 9}}, `_peg_parser`},
	{[]span{{11, 14}}, `_tokenize`},
	{[]span{{12, 14}}, `_typing`},
}

// pythonFrozen are frozen into the interpreter and found before any path: the
// start-up modules, since 3.11
// (https://docs.python.org/3/whatsnew/3.11.html#faster-startup).
var pythonFrozen = names{
	{[]span{{11, 14}}, `_collections_abc _sitebuiltins abc codecs genericpath io ntpath os posixpath runpy site stat zipimport`},
}

// pythonPreloaded are loaded when /var/runtime/bootstrap.py has done its imports
// (json, logging, os, site, sys, time, traceback, warnings and awslambdaric) and
// before it extends the search path: what was in sys.modules then with every one
// of awslambdaric 2.0.12, 2.2.1, 3.1.1 and 4.2.2 that installs on the version.
// That csv is not among them and json is was seen in an emulated runtime.
var pythonPreloaded = names{
	{[]span{{7, 14}}, `__future__ _abc _codecs _collections _collections_abc _decimal _functools _imp _io _json _operator _signal
		_sitebuiltins _sre _stat _string _thread _warnings _weakref _weakrefset abc atexit awslambdaric builtins
		codecs collections copyreg decimal encodings enum functools genericpath importlib io itertools json keyword
		linecache logging marshal math numbers operator os posix posixpath re reprlib runtime_client simplejson site
		stat string sys threading time traceback types warnings weakref zipimport`},
	{[]span{{7, 10}}, `_locale sre_compile sre_constants sre_parse`},
	{[]span{{7, 7}}, `_bootlocale _struct struct`},
	{[]span{{7, 9}}, `_heapq heapq`},
	{[]span{{7, 12}}, `token tokenize`},
	{[]span{{10, 14}}, `_frozen_importlib _frozen_importlib_external`},
	{[]span{{11, 14}}, `contextlib textwrap`},
	{[]span{{12, 12}}, `_tokenize`},
	{[]span{{13, 14}}, `_colorize`},
}

// pythonShips are the top-level modules outside the standard library that a
// managed runtime has in /var/runtime: the SDK with what it needs
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html), and the
// runtime interface client with what it needs. The list of dependencies is that
// of botocore's own metadata. snapshot_restore_py came with SnapStart for 3.12.
var pythonShips = names{
	{[]span{{7, 14}}, `awslambdaric boto3 bootstrap botocore dateutil jmespath runtime_client s3transfer simplejson six
		urllib3`},
	{[]span{{12, 14}}, `snapshot_restore_py`},
}

// PythonPath returns sys.path of a function in the order of the search, and the
// directories of it in which .pth files are obeyed. pythonpath is the value of
// PYTHONPATH and whether it is set, to whatever value.
//
// The order is that of /var/runtime/bootstrap.py: Python starts with the script's
// own directory, PYTHONPATH and its library; then, unless PYTHONPATH is set, the
// bootstrap puts both directories of layers in front (and from 3.11 on the
// interpreter's site-packages behind them), and always /var/task before all. It
// then calls site.addsitedir on /var/task and, unless PYTHONPATH is set, on both
// directories of layers.
func (r Runtime) PythonPath(pythonpath string, set bool) (path, sites []string) {
	lib := Lang + "/lib/python" + r.Version()
	path = []string{Task}
	sites = []string{Task}
	if !set {
		layers := []string{Opt + "/python/lib/python" + r.Version() + "/site-packages", Opt + "/python"}
		path = append(path, layers...)
		sites = append(sites, layers...)
		if r.Minor >= 11 {
			path = append(path, lib+"/site-packages")
		}
	}
	path = append(path, Own)
	if set {
		path = append(path, Split(pythonpath)...)
	}
	path = append(path, lib, lib+"/lib-dynload")
	if set || r.Minor < 11 {
		path = append(path, lib+"/site-packages")
	}
	return path, sites
}

// PythonSuffixes are the endings of a module's file, in the order in which one
// directory is searched for them; a package's __init__ is searched the same way
// before. Only the ending for the interpreter's own machine counts.
func (r Runtime) PythonSuffixes(architecture string) []string {
	machine := "x86_64"
	if architecture == "arm64" {
		machine = "aarch64"
	}
	tag := "cpython-3" + strconv.Itoa(r.Minor)
	if r.Minor == 7 {
		tag += "m"
	}
	return []string{"." + tag + "-" + machine + "-linux-gnu.so", ".abi3.so", ".so", ".py", ".pyc"}
}

// StartsPython are the top-level modules that the runtime imports at its start,
// in the order of their names: what a directory in PYTHONPATH can stand in for.
func (r Runtime) StartsPython() []string {
	var out []string
	for _, n := range pythonPreloaded.of(r.Minor) {
		if !r.Builtin(n) && pythonStdlib.has(r.Minor, n) {
			out = append(out, n)
		}
	}
	return out
}

// Split splits a search path at its colons and drops empty parts.
func Split(path string) []string {
	var out []string
	for p := range strings.SplitSeq(path, ":") {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}
