package report

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A result that replaces a private file is private, and one that is written
// through a link leaves the link.
func TestFile_keeps_permissions_and_links(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "out.json"), filepath.Join(dir, "latest.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("out.json", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	f, err := Create(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "new" {
		t.Errorf("%s holds %q, %v, want the new result", path, got, err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if p := info.Mode(); p != 0o600 {
		t.Errorf("mode %v, want that of the file before, -rw-------", p)
	}
	if info, err = os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files are left, want 2: %v", len(entries), entries)
	}
}

// A new private file is its owner's alone; one that its owner gave to others stays
// theirs, too.
func TestCreatePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "estate")
	for _, want := range []fs.FileMode{0o600, 0o640} {
		if want != 0o600 {
			if err := os.Chmod(path, want); err != nil {
				t.Fatal(err)
			}
		}
		f, err := CreatePrivate(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode %o, want %o", got, want)
		}
	}
}
