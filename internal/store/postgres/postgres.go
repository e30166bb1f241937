// Package postgres is the store in PostgreSQL, for more than one machine.
//
// It makes its tables, all named lamina_…, in the schema that the connection
// string's user writes to, and touches nothing else.
package postgres

import (
	"context"
	"database/sql"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver, which registers itself

	"github.com/lamina-sec/lamina/internal/store"
)

// Open connects with a connection string as
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
// has it.
func Open(ctx context.Context, connection string) (store.Store, error) {
	db, err := sql.Open("pgx", connection)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	s, err := store.NewSQL(ctx, db, store.Dialect{Numbered: true, Blob: "BYTEA", Serial: "BIGSERIAL"})
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	return s, nil
}
