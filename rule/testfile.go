package rule

import (
	"path"
	"strings"
)

// TestFile is where the tests of a rule file are kept: testdata/NAME.txtar
// beside it.
func TestFile(file string) string {
	dir, base := path.Split(strings.ReplaceAll(file, `\`, "/"))
	return dir + "testdata/" + strings.TrimSuffix(base, ".toml") + ".txtar"
}
