package checks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/approval"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// What is approved passes and says by whom, what is only partly approved fails
// for the rest, and an approval that has ended brings the finding back: the
// goldens are by the day on which is asked.
func TestApprovals(t *testing.T) {
	name := filepath.Join("testdata", "approvals", "approvals.txtar")
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	e := estate.New(parseEstate(t, string(a.Files[0].Data)), nil)
	f, err := approval.Parse("approvals.toml", a.Files[1].Data, time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Files[2:] {
		golden := &a.Files[2+i]
		now, err := time.Parse("2006-01-02.golden", golden.Name)
		if err != nil {
			t.Fatal(err)
		}
		in := posture.Input{Estate: e, Approvals: &approval.Set{Items: f.Items, Now: now}}
		var got strings.Builder
		for _, f := range posture.Run([]posture.Check{checks.ForeignLayer, checks.LayerPublic, checks.LayerSharedOutside}, in) {
			got.WriteString(line(f))
		}
		if os.Getenv("LAMINA_UPDATE") != "" {
			golden.Data = []byte(got.String())
			if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(string(golden.Data), got.String()); d != "" {
			t.Errorf("%s: findings differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", golden.Name, d)
		}
	}
}
