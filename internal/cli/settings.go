package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/spf13/pflag"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/report"
)

// A kind is the type of a setting's value.
type kind uint8

const (
	kindText  kind = iota
	kindTexts      // a list
	kindPath       // relative to the file that names it
	kindPaths      // a list of paths
	kindInt
	kindBool
)

func (k kind) many() bool { return k == kindTexts || k == kindPaths }

func (k kind) String() string {
	switch k {
	case kindText, kindTexts:
		return "text"
	case kindPath, kindPaths:
		return "path"
	case kindInt:
		return "number"
	case kindBool:
		return "bool"
	}
	return ""
}

// A setting is one value that a flag, the environment or a file may set.
type setting struct {
	key  string
	flag string // without the dashes; the flag exists on commands that use it
	kind kind
	doc  string // lower case, for help, schema and docs; `NAME` names the value
	def  []string
	// allowed are the values there are, nil if any text will do.
	// They are also what completion offers.
	allowed func() []string
	// valid says what is wrong with a value; nil accepts all.
	valid func(string) error
	// words are values of a path setting that are no paths.
	words []string
}

// table is all settings, in the order config show prints them.
var table = []setting{
	{key: "format", flag: "format", kind: kindTexts, doc: "write the result as `FMT[=FILE]`; may be given several times", def: []string{"text"}, allowed: formats, valid: validFormat},
	{key: "severity", flag: "severity", kind: kindText, doc: "show only results of `SEV` and above", def: []string{"info"}, allowed: severities},
	{key: "fail_on", flag: "fail-on", kind: kindText, doc: "exit 1 when a result is at or above `SEV`, or never", def: []string{"high"}, allowed: func() []string { return append(severities(), "never") }},
	{key: "color", flag: "color", kind: kindText, doc: "colour the output: `WHEN` is auto, always or never", def: []string{"auto"}, allowed: func() []string { return []string{"auto", "always", "never"} }},
	{key: "offline", flag: "offline", kind: kindBool, doc: "refuse to use the network", def: []string{"false"}},
	{key: "timeout", flag: "timeout", kind: kindText, doc: "stop after `DURATION` (90s, 10m); 0 means never", def: []string{"0"}, valid: validDuration},
	{key: "jobs", flag: "jobs", kind: kindInt, doc: "work on at most `N` things at once; 0 means one a core", def: []string{"0"}, valid: validJobs},
	{key: "org_id", flag: "org-id", kind: kindText, doc: "the id of our AWS organisation, `o-…`", valid: validOrg},
	{key: "accounts", flag: "account", kind: kindTexts, doc: "an account `ID` of ours; may be given several times", valid: validAccount},
	{key: "rules", flag: "rules", kind: kindPaths, doc: "a rule file or a folder of rules at `PATH`, or builtin; may be given several times", words: []string{"builtin"}},
	{key: "publishers", flag: "publishers", kind: kindPaths, doc: "a `FILE` of layer publishers beside the one built in; may be given several times"},
	{key: "owners", flag: "owners", kind: kindPath, doc: "which team owns what: `FILE`, else ./owners.toml if it is there"},
	{key: "exceptions", flag: "exceptions", kind: kindPaths, doc: "a `FILE` of exceptions; may be given several times"},
	{key: "approvals", flag: "approvals", kind: kindPaths, doc: "a `FILE` of approvals, else ./approvals.toml; may be given several times"},
	{key: "pipelines", flag: "pipeline", kind: kindTexts, doc: "a role that layers are published by: `ARN`, * for any text; may be repeated", valid: validPipeline},
	{key: "db", flag: "db", kind: kindPath, doc: "use the vulnerability database `FILE`, not the one in the user's data folder"},
	{key: "db_verify", flag: "verify", kind: kindPath, doc: "believe only a database or index that the public key in `FILE` (PEM) verifies"},
	{key: "db_max_age", flag: "db-max-age", kind: kindText, doc: "warn of vulnerability data older than `DAYS` (14d, 8w); 0 for never", def: []string{"30d"}, valid: validDays},
	{key: "hashes", flag: "hashes", kind: kindPaths, doc: "compare with `FILE`, an index of what registries published; may be repeated"},
	{key: "vex", flag: "vex", kind: kindPaths, doc: "an OpenVEX `FILE` of statements on vulnerabilities; may be given several times"},
	{key: "hash_key", flag: "hash-key", kind: kindPath, doc: "show fingerprints of credentials, made with the key in `FILE`"},
	{key: "elastic_quirks", flag: "elastic-quirks", kind: kindBool, doc: "follow Elastic also where it does what no author of a rule can have meant", def: []string{"false"}},
	{key: "max_inflated", flag: "max-inflated", kind: kindText, doc: "read a compressed file up to `SIZE` of text (512MiB); 0 for no limit", def: []string{"256MiB"}, valid: validSize},
	{key: "geoip_city", flag: "geoip-city", kind: kindPath, doc: "a MaxMind city database `FILE` (.mmdb)"},
	{key: "geoip_asn", flag: "geoip-asn", kind: kindPath, doc: "a MaxMind ASN database `FILE` (.mmdb)"},
}

func settingByKey(key string) *setting {
	i := slices.IndexFunc(table, func(s setting) bool { return s.key == key })
	if i < 0 {
		panic("no setting " + key) // a bug in the command that asks for it
	}
	return &table[i]
}

// env is the variable that sets s. Lists are separated by commas.
func (s *setting) env() string { return "LAMINA_" + strings.ToUpper(s.key) }

// usage is the help text of the flag.
func (s *setting) usage() string {
	if len(s.def) == 0 || s.def[0] == "0" || s.def[0] == "false" {
		return s.doc
	}
	return s.doc + " (default " + s.def[0] + ")"
}

// check says what is wrong with one value, with a guess at what was meant.
func (s *setting) check(v string) error {
	switch {
	case s.kind == kindInt:
		if n, err := strconv.Atoi(v); err != nil || n < 0 {
			return errors.New("want a number")
		}
	case s.kind == kindBool:
		if v != "true" && v != "false" {
			return errors.New("want true or false")
		}
	case s.allowed != nil && s.valid == nil:
		if all := s.allowed(); !slices.Contains(all, v) {
			if g := nearest(v, all); g != "" {
				return fmt.Errorf("did you mean %s?", g)
			}
			return errors.New("want one of " + strings.Join(all, ", "))
		}
	}
	if s.valid != nil {
		return s.valid(v)
	}
	return nil
}

func severities() []string {
	out := make([]string, len(lamina.Severities))
	for i, s := range lamina.Severities {
		out[i] = string(s)
	}
	return out
}

func formats() []string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	if !slices.Contains(names, "csv") { // lists are written in it
		names = append(names, "csv")
	}
	return names
}

func validFormat(v string) error {
	name, file, named := strings.Cut(v, "=")
	names := formats()
	switch {
	case !slices.Contains(names, name):
		if g := nearest(name, names); g != "" {
			return fmt.Errorf("unknown format, did you mean %s?", g)
		}
		return errors.New("unknown format, want one of " + strings.Join(names, ", "))
	case named && file == "":
		return errors.New("the file name after = is missing")
	}
	return nil
}

func validDuration(v string) error {
	if d, err := time.ParseDuration(v); err != nil || d < 0 {
		return errors.New("want a duration like 90s or 10m")
	}
	return nil
}

// sizes are the units of parseSize.
var sizes = []struct {
	unit  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}, {"", 1}}

// parseSize reads a number of bytes: "0", "1048576", "512MiB".
func parseSize(v string) (int64, error) {
	for _, s := range sizes {
		digits, ok := strings.CutSuffix(v, s.unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/s.bytes || digits[0] == '+' {
			break
		}
		return n * s.bytes, nil
	}
	return 0, errors.New("want a size like 512MiB or 4GiB; the units are B, KiB, MiB, GiB and TiB")
}

func validSize(v string) error {
	_, err := parseSize(v)
	return err
}

func validJobs(v string) error {
	if n, err := strconv.Atoi(v); err == nil && n > 1024 {
		return errors.New("want at most 1024")
	}
	return nil
}

// validOrg follows the pattern of
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html.
func validDays(s string) error {
	if s == "0" {
		return nil
	}
	if _, ok := parseDays(s); !ok {
		return errors.New("want 14d, 8w or 0")
	}
	return nil
}

func validOrg(v string) error {
	rest, ok := strings.CutPrefix(v, "o-")
	if !ok || len(rest) < 10 || len(rest) > 32 || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return errors.New("want o- and 10 to 32 lower-case letters or digits")
	}
	return nil
}

func validPipeline(v string) error {
	a, err := lamina.ParseARN(v)
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case err != nil || a.Service != "iam" || kind != "role" && kind != "user" || name == "":
		return errors.New("want the ARN of a role, as in arn:aws:iam::111122223333:role/deploy-*")
	case strings.Trim(name, "*/") == "":
		return errors.New("it would be every role")
	}
	return nil
}

func validAccount(v string) error {
	if len(v) != 12 || strings.Trim(v, "0123456789") != "" {
		return errors.New("want the 12 digits of an account id")
	}
	return nil
}

// A resolved setting is its values and where they come from.
type resolved struct {
	values []string
	origin string
}

// settings are the values in force, by key.
type settings struct{ by map[string]resolved }

// text is the value of a setting that is not a list, "" if it has none.
func (s *settings) text(key string) string {
	if v := s.list(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// list is all values of a setting.
func (s *settings) list(key string) []string {
	v, ok := s.by[key]
	if !ok {
		panic("no setting " + key) // a bug in the command that asks for it
	}
	return v.values
}

func (s *settings) num(key string) int {
	n, err := strconv.Atoi(s.text(key))
	if err != nil {
		return 0
	}
	return n
}

func (s *settings) yes(key string) bool { return s.text(key) == "true" }

// resolve finds each setting: flag, environment, ./lamina.toml of the working
// folder (never of what is examined), the user's file, default. --config, or
// LAMINA_CONFIG, takes the place of both files. Without fromFiles no file is
// read.
func (a *app) resolve(flags *pflag.FlagSet, fromFiles bool) (*settings, error) {
	var files []map[string]resolved
	read := func(shown, path string, must bool) error {
		b, err := readSettings(path, must)
		switch {
		case errors.Is(err, fs.ErrNotExist) && !must:
			return nil
		case err != nil:
			return a.missing(shown, err)
		}
		m, err := parseConfig(shown, filepath.Dir(path), b)
		files = append(files, m)
		return err
	}
	explicit := a.flags.configFile
	if explicit == "" {
		explicit = a.std.Env("LAMINA_CONFIG")
	}
	switch {
	case !fromFiles:
	case explicit != "":
		if err := read(explicit, a.path(explicit), true); err != nil {
			return nil, err
		}
	default:
		if err := read("lamina.toml", a.path("lamina.toml"), false); err != nil {
			return nil, err
		}
		if dir := a.userConfigDir(); dir != "" {
			p := filepath.Join(dir, "lamina", "config.toml")
			if err := read(p, p, false); err != nil {
				return nil, err
			}
		}
	}
	out := &settings{by: map[string]resolved{}}
	for i := range table {
		s := &table[i]
		v, err := a.resolveOne(s, flags, files)
		if err != nil {
			return nil, err
		}
		out.by[s.key] = v
	}
	return out, nil
}

func (a *app) resolveOne(s *setting, flags *pflag.FlagSet, files []map[string]resolved) (resolved, error) {
	if f := flags.Lookup(s.flag); f != nil && f.Changed {
		if v, ok := f.Value.(*settingValue); ok && v.s == s {
			return resolved{v.values, "flag --" + s.flag}, nil
		}
	}
	if v := a.std.Env(s.env()); v != "" {
		values := []string{v}
		if s.kind.many() {
			values = strings.Split(v, ",")
		}
		for _, v := range values {
			if err := s.check(v); err != nil {
				return resolved{}, usagef("unset it or correct it", "environment %s=%q: %v", s.env(), v, err)
			}
		}
		return resolved{values, "environment " + s.env()}, nil
	}
	for _, m := range files {
		if v, ok := m[s.key]; ok {
			return v, nil
		}
	}
	return resolved{s.def, "default"}, nil
}

// userConfigDir is where the user's file lives, as the XDG base directory
// specification says.
func (a *app) userConfigDir() string {
	if d := a.std.Env("XDG_CONFIG_HOME"); filepath.IsAbs(d) {
		return d
	}
	if home := a.std.Env("HOME"); home != "" {
		return filepath.Join(home, ".config")
	}
	return ""
}

// maxConfig is more than any settings file needs.
const maxConfig = 1 << 20

// readSettings reads a settings file. One that the user did not name must be a
// regular file: a pipe called lamina.toml would keep every command waiting.
func readSettings(path string, named bool) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !named && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errNoFile}
	}
	return readInput(path, maxConfig)
}

// parseConfig reads a settings file strictly: only keys of the table, each once,
// with values of the right type. shown names the file in errors; relative paths
// in it start at dir.
func parseConfig(shown, dir string, b []byte) (map[string]resolved, error) {
	out := map[string]resolved{}
	p := unstable.Parser{}
	p.Reset(b)
	at := func(raw unstable.Range) string {
		pos := p.Shape(raw).Start
		return fmt.Sprintf("%s:%d:%d", shown, pos.Line, pos.Column)
	}
	for p.NextExpression() {
		e := p.Expression()
		it := e.Key()
		var key []string
		var where unstable.Range
		for it.Next() {
			if len(key) == 0 {
				where = it.Node().Raw
			}
			key = append(key, string(it.Node().Data))
		}
		name := strings.Join(key, ".")
		if e.Kind != unstable.KeyValue {
			return nil, usagef("the settings are plain keys at the top of the file", "%s: unknown table [%s]", at(where), name)
		}
		i := slices.IndexFunc(table, func(s setting) bool { return s.key == name })
		if i < 0 {
			return nil, usagef(guessKey(name), "%s: unknown key %q", at(where), name)
		}
		s := &table[i]
		if before, ok := out[s.key]; ok {
			return nil, usagef("keep one of them", "%s: key %q is already set at %s", at(where), name, before.origin)
		}
		values, err := configValue(s, e.Value())
		if err != nil {
			return nil, usagef("see lamina config schema", "%s: %s: %v", at(where), name, err)
		}
		if s.kind == kindPath || s.kind == kindPaths {
			for i, v := range values {
				if !filepath.IsAbs(v) && !slices.Contains(s.words, v) {
					values[i] = filepath.Join(dir, v)
				}
			}
		}
		out[s.key] = resolved{values, fmt.Sprintf("%s:%d", shown, p.Shape(where).Start.Line)}
	}
	if err := p.Error(); err != nil {
		var pe *unstable.ParserError
		if errors.As(err, &pe) && len(pe.Highlight) > 0 {
			return nil, usagef("settings files are TOML", "%s: %s", at(p.Range(pe.Highlight)), pe.Message)
		}
		return nil, usagef("settings files are TOML", "%s: %v", shown, err)
	}
	return out, nil
}

func guessKey(name string) string {
	var keys []string
	for _, s := range table {
		keys = append(keys, s.key)
	}
	name = strings.ReplaceAll(name, "-", "_")
	if slices.Contains(keys, name) {
		return "did you mean " + name + "?"
	}
	if g := nearest(name, keys); g != "" {
		return "did you mean " + g + "?"
	}
	return "lamina config show lists the keys"
}

// configValue is the value of a key as text, checked.
func configValue(s *setting, n *unstable.Node) ([]string, error) {
	var nodes []*unstable.Node
	if s.kind.many() {
		if n.Kind != unstable.Array {
			return nil, errors.New("want a list of text in brackets")
		}
		for it := n.Children(); it.Next(); {
			nodes = append(nodes, it.Node())
		}
	} else {
		nodes = []*unstable.Node{n}
	}
	values := []string{}
	for _, n := range nodes {
		want := unstable.String
		switch s.kind {
		case kindInt:
			want = unstable.Integer
		case kindBool:
			want = unstable.Bool
		case kindText, kindTexts, kindPath, kindPaths:
		}
		if n.Kind != want {
			return nil, fmt.Errorf("want %s, got %s", tomlWord(want), tomlWord(n.Kind))
		}
		v := string(n.Data)
		if v == "" && (s.kind == kindPath || s.kind == kindPaths) {
			return nil, errors.New("the path is empty")
		}
		if err := s.check(v); err != nil {
			return nil, fmt.Errorf("%q: %w", v, err)
		}
		values = append(values, v)
	}
	if len(values) == 0 && len(s.def) > 0 {
		return nil, errors.New("the list is empty: leave the key out for the default")
	}
	return values, nil
}

// tomlWord is what a person calls a kind of value.
func tomlWord(k unstable.Kind) string {
	switch k { //nolint:exhaustive // the rest are dates, and parts of a document that are no value
	case unstable.String:
		return "text in quotes"
	case unstable.Integer:
		return "a whole number"
	case unstable.Bool:
		return "true or false"
	case unstable.Float:
		return "a fraction"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	}
	return "a date"
}
