package exposure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exposure"
)

func TestBuild(t *testing.T) {
	layer := func(name string, grants ...lamina.Grant) lamina.LayerVersion {
		return lamina.LayerVersion{ARN: name, Name: name, Version: 1, Account: "111122223333", Policy: &lamina.LayerPolicy{Grants: grants}}
	}
	fail := func(id, resource string, s lamina.Severity) lamina.Finding {
		return lamina.Finding{ID: id, Check: "c-" + id, Resource: resource, Severity: s, Outcome: lamina.Fail, Detail: "d"}
	}
	est := estate.New(lamina.Snapshot{
		OrgID: "o-exampleorgid", Accounts: []lamina.Account{{ID: "111122223333"}, {ID: "444455556666"}},
		Layers: []lamina.LayerVersion{
			layer("public", lamina.Grant{Principal: "*"}, lamina.Grant{Principal: "*", StatementID: "again"}),
			layer("partner", lamina.Grant{Principal: "777788889999"}),
			layer("ours", lamina.Grant{Principal: "444455556666"}),
			layer("public-but-passed", lamina.Grant{Principal: "*"}),
		},
		Functions: []lamina.Function{{ARN: "fn", Layers: []string{"public"}}},
	}, nil)
	got := exposure.Build(est, []lamina.Finding{
		fail("F1", "public", lamina.High), fail("F2", "public", lamina.Critical), fail("F3", "partner", lamina.Medium), fail("F4", "ours", lamina.Low),
		{ID: "F5", Resource: "public-but-passed", Outcome: lamina.Unknown},
	})
	want := []lamina.Exposure{
		{
			ID: lamina.ID("E", "public", "everyone"), Title: "layer public:1 can be read by everyone", Severity: lamina.Critical,
			Resource: "public", Who: "everyone", Findings: []string{"F1", "F2"}, Path: []string{"everyone", "public", "fn"},
			Reasons: []string{"grant scope: public", "c-F1 (high): d", "c-F2 (critical): d", "1 functions of ours load it: whoever reads it knows what they run"},
		},
		{
			ID: lamina.ID("E", "partner", "777788889999"), Title: "layer partner:1 can be read by 777788889999", Severity: lamina.Medium,
			Resource: "partner", Who: "777788889999", Findings: []string{"F3"}, Path: []string{"777788889999", "partner"},
			Reasons: []string{"grant scope: unknown_account", "c-F3 (medium): d"},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("exposures differ (-want +got):\n%s", d)
	}
}
