package cli

import "github.com/spf13/cobra"

// Groups of the help text.
const (
	groupLook  = "look"
	groupShow  = "show"
	groupAbout = "about"
)

// rootExample is what `lamina --help` shows first.
const rootExample = `  lamina demo                              the whole story on a sample: no account, no network
  lamina scan layer.zip                    what is in a layer, and what is wrong with it
  lamina collect && lamina posture snapshot.lamina   who can read, attach, change or lose each layer
  lamina detect trail/                     our rules over CloudTrail files`

// A commandGroup is commands that the help lists together.
type commandGroup struct {
	id, title string
	// brief says that the root's help names them and no more.
	brief bool
	make  []func(*app) *cobra.Command
}

// commands is the list of all commands, as the help shows them. A new command
// is one line here.
var commands = []commandGroup{
	{groupLook, "Look:", false, []func(*app) *cobra.Command{
		newDemo,
		newScan,
		newContent,
		newGate,
		newExcept,
		newApprove,
		newOpt,
		newCollect,
		newPosture,
		newDetect,
		newExplain,
		newRules,
	}},
	{groupShow, "Show what a snapshot holds:", true, []func(*app) *cobra.Command{
		newSnapshot,
		newLayers,
		newFunctions,
		newPrincipals,
	}},
	{groupAbout, "About lamina and what it knows:", true, []func(*app) *cobra.Command{
		newDoctor,
		newIAM,
		newPublishers,
		newDB,
		newRender,
		newSample,
		newConfig,
		newCompletion,
		newVersion,
	}},
}
