package attacks

import (
	"context"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/validate"
)

// ShareLayerPublicly lets everyone read a layer version for a moment.
var ShareLayerPublicly = validate.Attack{
	ID:        "share-layer-publicly",
	Title:     "let everyone read a layer version",
	Since:     "0.1",
	Technique: "T1537",
	Needs:     []string{"lambda:AddLayerVersionPermission", "lambda:RemoveLayerVersionPermission"},
	Expect:    []string{"layer-shared"},
	Detonate: func(ctx context.Context, t validate.Target) error {
		return t.Do(ctx, lamina.Step{
			Action: "lambda:AddLayerVersionPermission", Resource: t.Layer,
			Args: map[string]string{"StatementId": publicSid, "Action": "lambda:GetLayerVersion", "Principal": "*"},
		})
	},
	Revert: func(ctx context.Context, t validate.Target) error {
		return t.Do(ctx, lamina.Step{
			Action: "lambda:RemoveLayerVersionPermission", Resource: t.Layer,
			Args: map[string]string{"StatementId": publicSid},
		})
	},
}

// publicSid marks the statement as ours, so that one left behind is known.
const publicSid = "lamina-validate-share-layer-publicly"
