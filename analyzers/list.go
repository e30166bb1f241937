// Package analyzers holds the analyzers of layer zips: one file each, with its
// document and its test data beside it, and the one list of them.
//
// An analyzer looks at an opened archive and says what it found. To add one,
// add its file, its .md, its testdata and a line to All: the tests say what is
// missing. How an archive is opened and walked is package content's business.
package analyzers

import (
	"embed"

	"github.com/lamina-sec/lamina/internal/content"
)

// All lists every analyzer, grouped by what it looks at.
var All = []content.Analyzer{
	// the archive itself
	DuplicateEntry,
	// what the files hold
	BakedSecret,
	GapFill,
	JavaClassShadow,
	PathShadow,
	MixedPackage,
	ShadowedStdlib,
	ShadowedPackage,
	HandlerInLayer,
	UnresolvedStart,
	CustomBootstrap,
	LoaderVariable,
	SiteCustomize,
	PthCode,
	ExecWrapper,
	ExternalExtension,
	KnownVulnerability,
	ArchiveTrick,
	InternalNames,
	ArchitectureSplit,
	OversizeLayer,
	WrongArchitecture,
	RuntimeApiProxy,
	BaselineDrift,
	SourceMap,
	SourceControlData,
	InstallHook,
	Miner,
	DownloadAndRun,
	ReverseShell,
	ObfuscatedCode,
	ImportHook,
	RequestCapture,
	CredentialTheft,
	// whether it is what it says it is
	RecordMismatch,
	UnlistedCode,
	PycMismatch,
	MissingMetadata,
	NpmIntegrity,
	RegistryMismatch,
	RegistryUnlisted,
	// what a share would give away
	PrivateCode,
	PersonalData,
	PrivateRegistry,
	EnvironmentFile,
	// what could be left out
	TestFiles,
	DuplicateContent,
	RuntimePackage,
	UnusedPackage,
	LicenceConflict,
	LicenceUnknown,
	ForeignSuppression,
}

// Docs holds each analyzer's document as ID.md.
//
//go:embed *.md
var Docs embed.FS
