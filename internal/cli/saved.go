package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/report"
	"github.com/lamina-sec/lamina/internal/source"
)

// runInfo is what the command examines and how, for those who read its result
// later. more are values beside the settings; empty ones are left out.
func (a *app) runInfo(targets []string, more map[string]string) *lamina.RunInfo {
	run := &lamina.RunInfo{Targets: slices.Clone(targets), Settings: map[string][]string{}}
	for _, key := range explainSettings {
		values := slices.Clone(a.conf.list(key))
		s := settingByKey(key)
		if s.kind == kindPath || s.kind == kindPaths {
			for i, v := range values {
				values[i] = a.fromHere(v)
			}
		}
		if !slices.Equal(values, s.def) {
			run.Settings[key] = values
		}
	}
	for key, v := range more {
		if v != "" {
			run.Settings[key] = []string{v}
		}
	}
	return run
}

// fromHere is a path from the working folder where it is in it: a file of
// settings makes its paths absolute, and where somebody's folder is tells the
// reader of a result nothing.
func (a *app) fromHere(p string) string {
	if !filepath.IsAbs(p) {
		return p
	}
	if rel, err := filepath.Rel(a.std.Dir, p); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return p
}

// stamp is a time for RunInfo, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// A savedResult is what -f json wrote: its alerts, and what it was made from.
type savedResult struct {
	name   string
	alerts []lamina.Alert
	run    *lamina.RunInfo
}

// savedResult reads a result that -f json wrote; nil when the file is something
// else.
func (a *app) savedResult(name string) (*savedResult, error) {
	f, err := os.Open(a.path(name))
	if err != nil {
		return nil, a.missing(name, err)
	}
	defer f.Close() //nolint:errcheck // read only
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	s := &savedResult{name: name}
	err = report.Read(f, func(m lamina.Message) error {
		if m.Version != nil && m.Version.Run != nil && len(m.Version.Run.Targets) > 0 {
			s.run = m.Version.Run
		}
		if m.Alert != nil {
			s.alerts = append(s.alerts, *m.Alert)
		}
		return nil
	})
	if err != nil {
		return nil, nil //nolint:nilnil // it is no saved result, which is what was asked
	}
	return s, nil
}

// explainSaved explains an alert of a saved result from the logs and with the
// settings that the result names; logs and flags that were given win.
func (a *app) explainSaved(ctx context.Context, id string, s *savedResult, logs []string) (explanation, error) {
	var x explanation
	al, err := pickAlert(s.alerts, id, s.name, "a result holds only what --severity let through; give the logs instead")
	if err != nil {
		return x, err
	}
	var using []string
	switch {
	case s.run == nil && len(logs) == 0:
		logs = []string{al.File} // the result does not say what else there was
	case s.run != nil:
		if logs, err = a.sameRun(s, logs, al.ID); err != nil {
			return x, err
		}
		using = append(using, logs...)
		for _, t := range table {
			if slices.Contains(explainSettings, t.key) && a.conf.by[t.key].origin != "default" {
				using = append(using, t.args(a.conf.list(t.key))...)
			}
		}
	}
	d, err := a.detection(detect.Once)
	if err != nil {
		return x, err
	}
	defer d.close() //nolint:errcheck // read only
	p, err := d.ruleOf(al)
	if err != nil {
		return x, err
	}
	x, err = a.explainEvent(ctx, d, p, slices.Clone(logs), ofAlert(al))
	x.Using, x.From = using, s.name
	switch {
	case err != nil:
		return x, err
	case !x.Match && x.Exception == nil:
		// A clause on what was before the event, which other files hold, or on
		// what flags say. The tree would explain why there is no alert.
		return x, usagef("give the logs, all of them, and the flags of that run: lamina explain "+al.ID+" LOGS…",
			"%s cannot be explained from %s and %s: its rule asks for more than that holds", al.ID, s.name, strings.Join(logs, " "))
	case !x.Match:
		a.note("warning: an exception applies that did not when %s was written", s.name)
	case x.Severity != al.Severity:
		a.note("warning: in %s the alert has severity %s, and %s here", s.name, al.Severity, x.Severity)
		a.note("hint: give the flags of the run that wrote it: --org-id, --account, --publishers")
	}
	return x, nil
}

// sameRun puts the settings of a saved result in force, but for those given as
// flags, and returns the logs to read: those given, or the result's own. What is
// no longer there is an error now, by the result's name for it.
func (a *app) sameRun(s *savedResult, logs []string, id string) ([]string, error) {
	gone := func(what string) error {
		return usagef("explain starts in the folder detect ran in; logs and flags given here take the place of those: lamina explain "+id+" "+s.name+" LOGS…",
			"%s, which %s was made from, is gone", what, s.name)
	}
	if len(logs) == 0 {
		logs = s.run.Targets
		for _, t := range logs {
			if t == source.Stdin {
				return nil, gone("standard input")
			}
			if !strings.ContainsAny(t, "*?[") && !exists(a.path(t)) {
				return nil, gone(t)
			}
		}
	}
	for _, key := range explainSettings {
		if strings.HasPrefix(a.conf.by[key].origin, "flag") {
			continue
		}
		t := settingByKey(key)
		values := s.run.Settings[key]
		for _, v := range values {
			if err := t.check(v); err != nil {
				return nil, usagef("the file was changed by hand, or is of another version", "%s: setting %s is %q: %v", s.name, key, v, err)
			}
			if (t.kind == kindPath || t.kind == kindPaths) && !slices.Contains(t.words, v) && !exists(a.path(v)) {
				return nil, gone(fmt.Sprintf("--%s %s", t.flag, v))
			}
		}
		origin := "result " + s.name
		if len(values) == 0 || slices.Equal(values, t.def) {
			values, origin = t.def, "default"
		}
		a.conf.by[key] = resolved{values, origin}
	}
	return logs, nil
}
