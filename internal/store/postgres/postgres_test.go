package postgres_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/lamina-sec/lamina/internal/store"
	"github.com/lamina-sec/lamina/internal/store/postgres"
	"github.com/lamina-sec/lamina/internal/store/storetest"
)

// LAMINA_POSTGRES is the connection string of a database whose lamina_ tables
// may be dropped.
func TestStore(t *testing.T) {
	connection := os.Getenv("LAMINA_POSTGRES")
	if connection == "" {
		t.Skip("LAMINA_POSTGRES is not set: give the connection string of a scratch database")
	}
	db, err := sql.Open("pgx", connection)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `DROP TABLE IF EXISTS lamina_schema, lamina_alerts, lamina_findings, lamina_outbox`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		s, err := postgres.Open(t.Context(), connection)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
