package content

import "testing"

func TestDutyOf(t *testing.T) {
	for _, tt := range []struct {
		expression string
		duty       Duty
		id         string
	}{
		{"MIT", NoDuty, "MIT"},
		{"LGPL-2.1-only", NoDuty, "LGPL-2.1-only"},
		{"GPL-3.0-or-later", Source, "GPL-3.0-or-later"},
		{"AGPL-3.0-only", Network, "AGPL-3.0-only"},
		{"MIT OR GPL-2.0-only", NoDuty, "MIT"},
		{"MIT AND GPL-2.0-only", Source, "GPL-2.0-only"},
		{"(MIT AND AGPL-3.0-only) OR GPL-2.0-only", Source, "GPL-2.0-only"},
		{"GPL-2.0-only WITH Classpath-exception-2.0", NoDuty, "GPL-2.0-only WITH Classpath-exception-2.0"},
		{"GPL-2.0-only WITH Linux-syscall-note", Source, "GPL-2.0-only WITH Linux-syscall-note"},
		{"BUSL-1.1", Limited, "BUSL-1.1"},
		{"((((", NoDuty, ""},
		{"", NoDuty, ""},
	} {
		if duty, id := DutyOf(tt.expression); duty != tt.duty || id != tt.id {
			t.Errorf("DutyOf(%q) = %q, %q; want %q, %q", tt.expression, duty, id, tt.duty, tt.id)
		}
	}
}

func FuzzDutyOf(f *testing.F) {
	f.Add("(MIT AND GPL-2.0-only WITH x) OR (BSD")
	f.Fuzz(func(_ *testing.T, s string) { DutyOf(s) })
}
