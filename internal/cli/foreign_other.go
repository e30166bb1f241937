//go:build !unix

package cli

import "io/fs"

// foreign reports whether somebody else than the user may read or write the file.
// Elsewhere than on Unix the profile of a user is that user's.
func foreign(fs.FileInfo) bool { return false }
