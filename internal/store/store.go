// Package store is what a running Lamina remembers: alerts, findings, and the
// notices that are still to be delivered.
//
// Store is the contract, storetest its one acceptance test, and the packages
// below are the engines that pass it. An alert is stored once however often it
// is put, together with its notice or not at all. The SQL that the engines
// share is here; what differs between them is a Dialect. It holds no clock and
// deletes nothing: retention is not there yet.
package store

import (
	"context"

	"github.com/lamina-sec/lamina"
)

// A Store remembers. Its methods may be called from many goroutines and
// processes.
type Store interface {
	// PutAlert stores an alert and its notice in one transaction, and reports
	// whether it was new. An alert that is there stays as it is.
	PutAlert(ctx context.Context, a lamina.Alert, n Notice) (added bool, err error)
	// Alerts returns all alerts with their raw records, by time and then id.
	Alerts(ctx context.Context) ([]lamina.Alert, error)
	// PutFindings replaces what is known of each finding's id.
	PutFindings(ctx context.Context, fs []lamina.Finding) error
	// Findings returns all findings by id.
	Findings(ctx context.Context) ([]lamina.Finding, error)
	// Pending returns up to n notices that were not delivered, oldest first.
	Pending(ctx context.Context, n int) ([]Notice, error)
	// Delivered marks a notice. One that is unknown or marked already is no error.
	Delivered(ctx context.Context, key string) error
	Close() error
}

// A Notice is something to be delivered. Key is its idempotency key.
type Notice struct {
	Key, Kind string
	Body      []byte
}
