// Package checks holds the checks: one file each, with its document and its
// test data beside it, and the one list of them.
//
// A check reads the estate and says what it found; it never reads AWS. To add
// one, add its file, its .md, its testdata and a line to All: the tests say
// what is missing. How an estate is checked is package posture's business.
package checks

import (
	"embed"

	"github.com/lamina-sec/lamina/internal/posture"
)

// All lists every check, grouped as the catalogue numbers them.
var All = []posture.Check{
	// EXP: who can read our layers
	LayerPublic,
	LayerSharedOutside,
	LayerSharedOtherOrganization,
	LayerSharedOrganizationWide,
	LayerSupersededShared,
	LayerSharedClosedAccount,
	LayerNotRead,
	// USE: what our functions load
	ForeignLayer,
	LayerLookalike,
	LayerAbandonedPublisher,
	ForeignLayerUnreadable,
	LayerUnexpectedRegion,
	// INT: integrity, signing, storage
	LayerUnsigned,
	SigningNotEnforced,
	SigningViolated,
	SigningProfileRevoked,
	SigningForeignProfile,
	LayerReferenceUnversioned,
	// PTH: privilege and attack paths
	RoleSpreads,
	LayerSharer,
	// LIF: lifecycle and drift
	LayerOrphan,
	LayerGhost,
	// RUN: what a layer can hijack
	ExecWrapper,
	PreloadVariable,
	// NET: egress and ingress
	URLForeignLayer,
	// GRD: guardrails
	GuardrailAttach,
	GuardrailForeign,
	GuardrailShare,
	GuardrailPublish,
	GuardrailSigning,
	GuardrailIneffective,
	ManagementAccountFunctions,
	// VIS: can we see it
	TrailMissing,
	AnalyzerMissing,
}

// Docs holds each check's document as ID.md.
//
//go:embed *.md
var Docs embed.FS
