package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lamina-sec/lamina/internal/store"
	"github.com/lamina-sec/lamina/internal/store/sqlite"
	"github.com/lamina-sec/lamina/internal/store/storetest"
)

func TestStore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a name with ? and %.db")
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestOpen_refuses_what_is_no_database(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(file, []byte("this is not a database, and longer than a header would be, too............................."), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := sqlite.Open(t.Context(), file); err == nil {
		t.Errorf("opened; close says %v", s.Close())
	}
}
