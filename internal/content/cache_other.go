//go:build !unix

package content

import "os"

// private is an error if there is no such file or folder. Elsewhere than on Unix
// the profile of a user is that user's.
func private(path string) error {
	_, err := os.Lstat(path)
	return err
}
