package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Dialect is what differs between SQL engines.
type Dialect struct {
	// Numbered says that parameters are $1, $2 and not ?.
	Numbered bool
	// Blob, Serial are the engine's words for bytes and a growing number.
	Blob, Serial string
}

// SQL is a Store in a database that Go's database/sql reaches.
type SQL struct {
	db *sql.DB
	d  Dialect
}

var _ Store = (*SQL)(nil)

// schemaVersion is written into the database; another version is refused.
const schemaVersion = 1

// NewSQL makes the tables if they are not there. It owns db, and closes it also
// when it fails.
func NewSQL(ctx context.Context, db *sql.DB, d Dialect) (*SQL, error) {
	s := &SQL{db: db, d: d}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), db.Close())
	}
	return s, nil
}

func (s *SQL) migrate(ctx context.Context) error {
	for _, table := range []string{
		`CREATE TABLE IF NOT EXISTS lamina_schema (version INTEGER PRIMARY KEY)`,
		`CREATE TABLE IF NOT EXISTS lamina_alerts (id TEXT PRIMARY KEY, at TEXT NOT NULL, body ` + s.d.Blob + ` NOT NULL, raw ` + s.d.Blob + `)`,
		`CREATE TABLE IF NOT EXISTS lamina_findings (id TEXT PRIMARY KEY, body ` + s.d.Blob + ` NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS lamina_outbox (seq ` + s.d.Serial + ` PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body ` + s.d.Blob + ` NOT NULL, delivered INTEGER NOT NULL DEFAULT 0)`,
	} {
		if _, err := s.db.ExecContext(ctx, table); err != nil {
			return err
		}
	}
	if _, err := s.db.ExecContext(ctx, s.q(`INSERT INTO lamina_schema (version) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM lamina_schema)`), schemaVersion); err != nil {
		return err
	}
	var version int
	if err := s.db.QueryRowContext(ctx, `SELECT max(version) FROM lamina_schema`).Scan(&version); err != nil {
		return err
	}
	if version != schemaVersion {
		return fmt.Errorf("the database has schema version %d, this program knows %d", version, schemaVersion)
	}
	return nil
}

// q writes the query's parameters as the dialect has them. No query of this
// package holds a ? that is not a parameter.
func (s *SQL) q(query string) string {
	if !s.d.Numbered {
		return query
	}
	var b strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String()
}

// PutAlert implements Store.
func (s *SQL) PutAlert(ctx context.Context, a lamina.Alert, n Notice) (added bool, err error) {
	body, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("store alert %s: %w", a.ID, err)
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		added, err = s.insert(ctx, tx, `INSERT INTO lamina_alerts (id, at, body, raw) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			a.ID, a.OriginalTime.UTC().Format(timeFormat), body, a.Raw)
		if err != nil || !added {
			return err
		}
		_, err := s.insert(ctx, tx, `INSERT INTO lamina_outbox (key, kind, body) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING`, n.Key, n.Kind, append([]byte{}, n.Body...))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store alert %s: %w", a.ID, err)
	}
	return added, nil
}

// timeFormat sorts as text does.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

func (s *SQL) insert(ctx context.Context, tx *sql.Tx, query string, args ...any) (bool, error) {
	r, err := tx.ExecContext(ctx, s.q(query), args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

func (s *SQL) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Alerts implements Store.
func (s *SQL) Alerts(ctx context.Context) ([]lamina.Alert, error) {
	var as []lamina.Alert
	err := s.rows(ctx, `SELECT body, raw FROM lamina_alerts ORDER BY at, id`, nil, func(r *sql.Rows) error {
		var a lamina.Alert
		var body, raw []byte
		if err := r.Scan(&body, &raw); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		a.Raw = raw
		as = append(as, a)
		return nil
	})
	return as, err
}

// PutFindings implements Store.
func (s *SQL) PutFindings(ctx context.Context, fs []lamina.Finding) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		for _, f := range fs {
			body, err := json.Marshal(f)
			if err != nil {
				return err
			}
			if _, err := s.insert(ctx, tx, `INSERT INTO lamina_findings (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, f.ID, body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store findings: %w", err)
	}
	return nil
}

// Findings implements Store.
func (s *SQL) Findings(ctx context.Context) ([]lamina.Finding, error) {
	var fs []lamina.Finding
	err := s.rows(ctx, `SELECT body FROM lamina_findings ORDER BY id`, nil, func(r *sql.Rows) error {
		var f lamina.Finding
		var body []byte
		if err := r.Scan(&body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &f); err != nil {
			return err
		}
		fs = append(fs, f)
		return nil
	})
	return fs, err
}

// Pending implements Store.
func (s *SQL) Pending(ctx context.Context, n int) ([]Notice, error) {
	var ns []Notice
	err := s.rows(ctx, `SELECT key, kind, body FROM lamina_outbox WHERE delivered = 0 ORDER BY seq LIMIT ?`, []any{n}, func(r *sql.Rows) error {
		var x Notice
		if err := r.Scan(&x.Key, &x.Kind, &x.Body); err != nil {
			return err
		}
		ns = append(ns, x)
		return nil
	})
	return ns, err
}

// Delivered implements Store.
func (s *SQL) Delivered(ctx context.Context, key string) error {
	if _, err := s.db.ExecContext(ctx, s.q(`UPDATE lamina_outbox SET delivered = 1 WHERE key = ?`), key); err != nil {
		return fmt.Errorf("store: mark notice %s: %w", key, err)
	}
	return nil
}

// Close implements Store.
func (s *SQL) Close() error { return s.db.Close() }

func (s *SQL) rows(ctx context.Context, query string, args []any, each func(*sql.Rows) error) (err error) {
	rows, err := s.db.QueryContext(ctx, s.q(query), args...)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer func() {
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
			err = fmt.Errorf("store: %w", err)
		}
	}()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return nil
}
