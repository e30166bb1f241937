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
	GrantUnused,
	LayerDownloaders,
	BucketReadable,
	LayerNotRead,
	AnalyzerDisagrees,
	// USE: what our functions load
	ForeignLayer,
	LayerLookalike,
	LayerAbandonedPublisher,
	ForeignLayerUnreadable,
	LayerUnexpectedRegion,
	ForeignLayerOld,
	LayerSprawl,
	LayerFromParameter,
	EdgeForeignLayer,
	LayerIncompatible,
	// INT: integrity, signing, storage
	LayerUnsigned,
	SigningNotEnforced,
	SigningViolated,
	SigningProfileRevoked,
	SigningForeignProfile,
	SigningWeakener,
	LayerReferenceUnversioned,
	BucketWritable,
	BucketAnyAccount,
	LayerReplaced,
	// PTH: privilege and attack paths
	LayerAttachPath,
	LayerPublishPath,
	AttachAndRun,
	EnvironmentPath,
	HandlerPath,
	ForeignPublisherRoles,
	PipelineTrust,
	RoleSpreads,
	WildcardRoleForeignLayer,
	LayerSharer,
	ChangeWithoutMFA,
	OutsideRole,
	LayerDestroyer,
	PathUndecided,
	// LIF: lifecycle and drift
	LayerOrphan,
	LayerGhost,
	VersionPinsBadLayer,
	LayerVersionDrift,
	PublisherChanged,
	LayersChanged,
	LayerHidesCode,
	LayerUndocumented,
	CodeStorage,
	LayerVersionGrowth,
	LayerCopied,
	// RUN: what a layer can hijack
	ExecWrapper,
	PreloadVariable,
	LayerExtension,
	LayerBootstrap,
	SdkOverride,
	EnvironmentChanged,
	SnapstartOldLayer,
	// NET: egress and ingress
	EgressForeignLayer,
	EgressOpen,
	EndpointOpen,
	URLForeignLayer,
	DNSForeignLayer,
	// GRD: guardrails
	GuardrailAttach,
	GuardrailForeign,
	GuardrailShare,
	GuardrailPublish,
	GuardrailSigning,
	GuardrailIneffective,
	GuardrailExemption,
	ManagementAccountFunctions,
	EndpointForeignLayer,
	// VIS: can we see it
	TrailMissing,
	TrailSelectors,
	TrailIntegrity,
	AlarmMissing,
	EventRuleMissing,
	InspectorOff,
	AnalyzerMissing,
	GuardDutyOff,
	SecurityHubOff,
	RuleMissing,
	// WIN: time
	GrantWindow,
	WindowFetch,
	WindowDisclosed,
	ShareRevoked,
	LayerReconnaissance,
	LayerShortLived,
	// TOX: what is in layers, and who can reach it
	SharedSecret,
	SharedPrivateCode,
	ExploitedPackage,
	MaliciousLayer,
	ForeignLayerUnbounded,
	LayerNotAsReleased,
	LayerSinglePoint,
	SecretReach,
}

// Docs holds each check's document as ID.md.
//
//go:embed *.md
var Docs embed.FS

// An Absent is a number of the catalogue that no check has.
type Absent struct {
	// Ref is the number ("WIN-04"), Asks what the check would ask.
	Ref, Asks string
	// Reason is what it would take, in a line without a full stop.
	Reason string
}

// Unsupported lists the numbers of the catalogue without a check, none today: who
// adds a check takes its line away.
var Unsupported []Absent
