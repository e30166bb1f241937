package fixes_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/fixes"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exposure"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/remedy"
)

// Each fix's testdata/ID.txtar holds snapshot.json and the plans that the fix
// makes for the exposures in it.
func TestGolden(t *testing.T) {
	for _, f := range fixes.All {
		t.Run(f.ID, func(t *testing.T) {
			file := filepath.Join("testdata", f.ID+".txtar")
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s lamina.Snapshot
			if err := json.Unmarshal(a.Files[0].Data, &s); err != nil {
				t.Fatal(err)
			}
			est := estate.New(s, nil)
			var got []byte
			for _, e := range exposure.Build(est, posture.Run(checks.All, posture.Input{Estate: est})) {
				plans, err := remedy.Plans([]remedy.Fix{f}, est, e)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range plans {
					text, err := json.MarshalIndent(p, "", "  ")
					if err != nil {
						t.Fatal(err)
					}
					got = append(append(got, text...), '\n')
				}
			}
			if os.Getenv("LAMINA_UPDATE") != "" {
				a.Files[1].Data = got
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(a.Files[1].Data), string(got)); d != "" {
				t.Errorf("plans differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", d)
			}
		})
	}
}
