package sbom

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// pyHow is how a Python package at dir is there.
func (f *file) pyHow(dir string) How {
	switch {
	case f.Depth > 0:
		return Embedded
	case vendoredDir(dir):
		return Vendored
	}
	return Installed
}

// vendoredDir reports whether a folder of the path is where Python packages keep
// copies of others.
func vendoredDir(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		switch part {
		case "_vendor", "vendored", "_vendored", "_vendored_packages", "_thirdparty", "third_party":
			return true
		}
	}
	return false
}

// pyRoot is the metadata's folder, or for an egg-info that is a file the file.
func (f *file) pyRoot() string {
	if strings.HasSuffix(f.base, ".egg-info") {
		return f.Path
	}
	return f.dir
}

// pyMetadata reads core metadata
// (https://packaging.python.org/en/latest/specifications/core-metadata/).
func pyMetadata(f *file) error {
	b, err := f.start(maxHeader)
	if err != nil {
		return err
	}
	c := Component{Ecosystem: PyPI, Root: f.pyRoot(), How: f.pyHow(f.dir)}
	sdist := f.base == "PKG-INFO" && !strings.HasSuffix(f.dir, ".egg-info") && path.Base(f.dir) != "EGG-INFO"
	if sdist {
		c.How = Guessed // a source distribution: what was to be built, not what was installed
	}
	var written, expression string
	var classifiers []string
	last := ""
	for line := range lines(b) {
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' { // a folded line of the header before
			if last == "license" && len(written) < maxLicense {
				written += "\n" + line
			}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		last = strings.ToLower(key)
		value = strings.TrimSpace(value)
		switch last {
		case "name":
			if c.Name == "" {
				c.Name = pyName(value)
			}
		case "version":
			if c.Version == "" {
				c.Version = value
			}
		case "license":
			written = value
		case "license-expression":
			expression = value
		case "classifier":
			if strings.HasPrefix(value, "License ::") && len(classifiers) < maxList {
				classifiers = append(classifiers, value)
			}
		case "requires-dist":
			if name := pyRequirement(value); name != "" && len(c.Requires) < maxList {
				c.Requires = append(c.Requires, name)
			}
		}
	}
	if c.Name == "" || c.Version == "" {
		if sdist {
			return nil // some other file that is called PKG-INFO
		}
		return fmt.Errorf("no Name and Version in the first %d bytes", maxHeader)
	}
	c.License, c.LicenseText = pyLicense(expression, written, classifiers)
	f.add(c)
	return nil
}

// pyName is https://packaging.python.org/en/latest/specifications/name-normalization/.
func pyName(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-")
}

// pyRequirement is the name in a dependency
// (https://packaging.python.org/en/latest/specifications/dependency-specifiers/),
// "" if only an extra asks for it.
func pyRequirement(s string) string {
	spec, marker, _ := strings.Cut(s, ";")
	if strings.Contains(strings.ReplaceAll(marker, " ", ""), "extra==") {
		return ""
	}
	spec = strings.TrimSpace(spec)
	if i := strings.IndexFunc(spec, func(r rune) bool { return !nameRune(r) }); i >= 0 {
		spec = spec[:i]
	}
	return pyName(spec)
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
}

// pyFolder splits "acme_auth-1.2.dist-info", or for the EGG-INFO in it
// "acme_auth-1.2-py3.8.egg", into a name and a version.
func pyFolder(dir string) (name, version string) {
	base := path.Base(dir)
	if base == "EGG-INFO" {
		base = strings.TrimSuffix(strings.TrimSuffix(path.Base(path.Dir(dir)), "!"), ".egg")
	}
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".dist-info"), ".egg-info")
	name, version, _ = strings.Cut(base, "-")
	version, _, _ = strings.Cut(version, "-py")
	return pyName(name), version
}

// pyRecord reads what an installer wrote down of every file
// (https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file).
func pyRecord(f *file) error {
	b, err := f.text(maxFile)
	if err != nil {
		return err
	}
	c := Component{Ecosystem: PyPI, Root: f.dir, How: f.pyHow(f.dir)}
	c.Name, c.Version = pyFolder(f.dir)
	c.Files = make([]FileHash, 0, min(bytes.Count(b, []byte("\n"))+1, maxFiles))
	var errs []error
	for line := range lines(b) {
		if line == "" {
			continue
		}
		if len(c.Files) == maxFiles {
			errs = append(errs, fmt.Errorf("more than the limit of %d files", maxFiles))
			break
		}
		h, err := pyRecordLine(f.dir, line)
		if err != nil {
			if len(errs) == 0 {
				errs = append(errs, fmt.Errorf("entry %d: %w", len(c.Files)+1, err))
			}
			continue
		}
		c.Files = append(c.Files, h)
	}
	f.add(c)
	return errors.Join(errs...)
}

// pyRecordLine reads "path,sha256=URLSAFE_BASE64,size".
func pyRecordLine(dir, line string) (FileHash, error) {
	var fields []string
	if strings.Contains(line, `"`) {
		r := csv.NewReader(strings.NewReader(line))
		var err error
		if fields, err = r.Read(); err != nil {
			return FileHash{}, err
		}
	} else {
		fields = strings.SplitN(line, ",", 4)
	}
	if len(fields) != 3 || fields[0] == "" {
		return FileHash{}, fmt.Errorf("%d fields: want path, hash and size", len(fields))
	}
	h := FileHash{Path: strings.Clone(pyRecordPath(dir, fields[0])), Size: -1}
	h.Script = strings.HasPrefix(fields[0], "../") && path.Base(path.Dir(fields[0])) == "bin"
	if fields[2] != "" {
		n, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil || n < 0 {
			return FileHash{}, fmt.Errorf("size %q is no number of bytes", clip(fields[2]))
		}
		h.Size = n
	}
	if fields[1] == "" {
		return h, nil
	}
	sum, ok := strings.CutPrefix(fields[1], "sha256=")
	if !ok {
		h.Other = clip(fields[1])
		return h, nil
	}
	got, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(sum, "="))
	if err != nil || len(got) != len(h.SHA256) {
		return FileHash{}, fmt.Errorf("sha256 %q of %s: want the 32 bytes of the digest in URL-safe base64, 43 characters", clipTo(sum, 60), clipTo(fields[0], 100))
	}
	copy(h.SHA256[:], got)
	return h, nil
}

// pyRecordPath is where in the layer a path of a RECORD in the folder dir is.
// "pip install --target" leaves the paths as they were before it moved the
// files: scripts are listed two folders up and lie in a folder beside the
// packages.
func pyRecordPath(dir, name string) string {
	site := path.Dir(dir)
	if rest, ok := strings.CutPrefix(name, "../../"); ok && !strings.HasPrefix(rest, "../") {
		return under(site, rest)
	}
	if path.IsAbs(name) {
		return strings.TrimPrefix(path.Clean(name), "/opt/")
	}
	return under(site, name)
}

// pyNote reads one of the small files beside the metadata.
func pyNote(f *file) error {
	b, err := f.text(maxHeader)
	if err != nil {
		return err
	}
	c := Component{Ecosystem: PyPI, Root: f.dir, How: f.pyHow(f.dir)}
	c.Name, c.Version = pyFolder(f.dir)
	switch f.base {
	case "INSTALLER":
		c.Installer = strings.TrimSpace(string(b))
	case "top_level.txt":
		c.Imports = strings.Fields(string(b))
	default:
		var direct struct {
			URL string `json:"url"`
			VCS struct {
				Commit string `json:"commit_id"`
			} `json:"vcs_info"`
		}
		if err := json.Unmarshal(b, &direct); err != nil {
			return err
		}
		c.Source, c.Revision = direct.URL, clip(direct.VCS.Commit)
	}
	f.add(c)
	return nil
}

// pyVendor reads pip's list of the packages it carries.
func pyVendor(f *file) error {
	b, err := f.text(maxHeader)
	if err != nil {
		return err
	}
	how := Vendored
	if f.Depth > 0 {
		how = Embedded
	}
	for line := range lines(b) {
		spec, _, _ := strings.Cut(line, "#")
		name, version, ok := strings.Cut(strings.TrimSpace(spec), "==")
		if !ok || name == "" || version == "" {
			continue
		}
		c := Component{Ecosystem: PyPI, Name: pyName(name), Version: strings.TrimSpace(version), How: how}
		c.Root = f.dir + "/" + moduleOf(c.Name)
		if !f.add(c) {
			return errMany
		}
	}
	return nil
}

// pyVersion reads the version constant of a well-known module, which tells a
// copy of it that came without metadata. Join drops what has metadata.
func pyVersion(f *file) error {
	const limit = 128 << 10 // the constants stand near the start of a module
	root, module, above := f.dir, path.Base(f.dir), path.Base(path.Dir(f.dir))
	stem, _, compiled := strings.Cut(f.base, ".")
	compiled = compiled && strings.HasSuffix(f.base, ".pyc")
	if modules[stem] != "" && stem != module {
		root, module, above = f.Path, stem, module
	}
	name := modules[module]
	switch above {
	case "instrumentation", "integrations", "plugins", "contrib", "backends", "dialects", "ext", "drivers", "tests", "test", "hooks", "extern":
		return nil // what is for the module, not the module
	case "ruamel":
		name = "ruamel-" + module
	}
	b, err := f.start(limit)
	if err != nil {
		return err
	}
	var version string
	plain := strings.HasSuffix(stem, "version") // such a file may call it just version
	if compiled {
		version = compiledVersion(b, plain)
	} else if version = sourceVersion(b, "__version__"); version == "" && plain {
		version = sourceVersion(b, "version")
	}
	if version == "" {
		return nil
	}
	c := Component{Ecosystem: PyPI, Name: name, Version: version, How: Guessed, Root: root}
	if f.Depth > 0 {
		c.How = Embedded
	}
	f.add(c)
	return nil
}

// sourceVersion finds a line that begins with the name, assigns, and ends in a
// text that is a version.
func sourceVersion(b []byte, name string) string {
	for rest := b; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			return ""
		}
		begins := i == 0 || rest[i-1] == '\n'
		rest = rest[i+len(name):]
		if !begins {
			continue
		}
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("=")) {
			continue
		}
		_, value, _ := bytes.Cut(line, []byte("="))
		if j := bytes.IndexAny(value, `"'`); j >= 0 {
			quoted := value[j+1:]
			if k := bytes.IndexByte(quoted, value[j]); k >= 0 && pyIsVersion(string(quoted[:k])) {
				return string(quoted[:k])
			}
		}
	}
}

// compiledVersion finds the version among the constants of a compiled module that
// assigns __version__, or is all about it: the only short text in it that is one. Texts are
// marshalled as one of the letters below, a length and the text (CPython's
// marshal.c); its highest bit marks a text that is referred to again.
func compiledVersion(b []byte, plain bool) string {
	if !plain && !bytes.Contains(b, []byte("__version__")) {
		return ""
	}
	found := ""
	for i := 0; i+2 < len(b); i++ {
		switch b[i] &^ 0x80 {
		case 'z', 'Z': // short ASCII text, plain and interned
		default:
			continue
		}
		n := int(b[i+1])
		if n < 3 || n > 24 || i+2+n > len(b) {
			continue
		}
		if s := string(b[i+2 : i+2+n]); pyIsVersion(s) && s != found {
			if found != "" {
				return "" // which of them cannot be said
			}
			found = s
		}
	}
	return found
}

// pyIsVersion is the part of PEP 440 that released packages use: numbers with
// points, at least two, and perhaps a pre, post, dev or local suffix.
func pyIsVersion(s string) bool {
	if len(s) > 40 {
		return false
	}
	i, numbers, digits := 0, 0, 0
	for ; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			if digits == 0 {
				numbers++
			}
			digits++
			continue
		}
		if s[i] != '.' || digits == 0 || i+1 == len(s) || s[i+1] < '0' || s[i+1] > '9' {
			break
		}
		digits = 0
	}
	if numbers < 2 {
		return false
	}
	rest := strings.TrimLeft(s[i:], ".-_")
	if rest == "" {
		return i == len(s)
	}
	if local, ok := strings.CutPrefix(rest, "+"); ok {
		return local != "" && !strings.ContainsFunc(local, func(r rune) bool { return !nameRune(r) })
	}
	for _, word := range []string{"alpha", "beta", "post", "dev", "rc", "a", "b", "c"} {
		if after, ok := strings.CutPrefix(rest, word); ok {
			return !strings.ContainsFunc(after, func(r rune) bool { return r < '0' || r > '9' })
		}
	}
	return false
}

// modules are the import names of packages that are often copied without their
// metadata, and the names on PyPI.
var modules = map[string]string{
	"OpenSSL": "pyopenssl", "PIL": "pillow", "aiohttp": "aiohttp", "anyio": "anyio", "aws_lambda_powertools": "aws-lambda-powertools",
	"aws_xray_sdk": "aws-xray-sdk", "awscli": "awscli", "awscrt": "awscrt", "bcrypt": "bcrypt", "boto3": "boto3", "botocore": "botocore",
	"bs4": "beautifulsoup4", "cachecontrol": "cachecontrol", "certifi": "certifi", "chardet": "chardet", "charset_normalizer": "charset-normalizer",
	"click": "click", "colorama": "colorama", "cryptography": "cryptography", "dateutil": "python-dateutil", "ddtrace": "ddtrace", "defusedxml": "defusedxml",
	"distlib": "distlib", "distro": "distro", "django": "django", "docutils": "docutils", "ecdsa": "ecdsa", "fastapi": "fastapi", "flask": "flask",
	"h11": "h11", "httpcore": "httpcore", "httpx": "httpx", "idna": "idna", "itsdangerous": "itsdangerous", "jinja2": "jinja2", "jmespath": "jmespath",
	"jose": "python-jose", "jsonschema": "jsonschema", "jwt": "pyjwt", "lxml": "lxml", "mako": "mako", "markdown": "markdown", "markupsafe": "markupsafe",
	"more_itertools": "more-itertools", "msgpack": "msgpack", "nacl": "pynacl", "numpy": "numpy", "oauthlib": "oauthlib", "openpyxl": "openpyxl",
	"orjson": "orjson", "packaging": "packaging", "pandas": "pandas", "paramiko": "paramiko", "pip": "pip", "pkg_resources": "setuptools",
	"platformdirs": "platformdirs", "prompt_toolkit": "prompt-toolkit", "psycopg2": "psycopg2-binary", "pyasn1": "pyasn1", "pycparser": "pycparser",
	"pydantic": "pydantic", "pygments": "pygments", "pymongo": "pymongo", "pymysql": "pymysql", "pyparsing": "pyparsing", "pytz": "pytz",
	"redis": "redis", "requests": "requests", "rich": "rich", "rsa": "rsa", "s3transfer": "s3transfer", "sentry_sdk": "sentry-sdk",
	"setuptools": "setuptools", "simplejson": "simplejson", "six": "six", "sqlalchemy": "sqlalchemy", "starlette": "starlette", "tenacity": "tenacity",
	"tomli": "tomli", "tornado": "tornado", "tqdm": "tqdm", "typing_extensions": "typing-extensions", "urllib3": "urllib3", "wcwidth": "wcwidth",
	"websocket": "websocket-client", "websockets": "websockets", "werkzeug": "werkzeug", "wheel": "wheel", "wrapt": "wrapt", "yaml": "pyyaml",
}

// moduleOf is the import name of a package by the table, or its own name with
// underscores.
func moduleOf(name string) string {
	module := strings.ReplaceAll(name, "-", "_")
	if modules[module] == name {
		return module
	}
	best := ""
	for m, n := range modules {
		if n == name && (best == "" || m < best) {
			best = m
		}
	}
	if best != "" {
		return best
	}
	return module
}
