// Package sqlite is the store in one file, by SQLite compiled to Go.
//
// It is the default: nothing to install, no server. The file is written ahead
// with full synchronisation, so that a crash loses nothing that was committed.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver, which registers itself

	"github.com/lamina-sec/lamina/internal/store"
)

// Open opens the file, or makes it.
func Open(ctx context.Context, file string) (store.Store, error) {
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	s, err := store.NewSQL(ctx, db, store.Dialect{Blob: "BLOB", Serial: "INTEGER"})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	return s, nil
}
