// Package notify is the outbox: what leaves Lamina for people and other
// systems, at least once, each with one idempotency key.
//
// A Message is made when its alert is stored and is delivered until its
// destination took it; a destination that sees a key again must drop it. It
// promises no order. So far there is one destination, a writer of JSON lines;
// webhooks and SNS are not there yet. Start with Deliver.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/lamina-sec/lamina"
)

// A Message is one notification.
type Message struct {
	// Key is the idempotency key: the same alert to the same destination has the
	// same key for ever.
	Key  string          `json:"key"`
	Kind string          `json:"kind"` // "alert"
	Body json.RawMessage `json:"body"`
}

// OfAlert makes the message of an alert.
func OfAlert(a lamina.Alert) (Message, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return Message{}, fmt.Errorf("notify of %s: %w", a.ID, err)
	}
	return Message{Key: lamina.ID("N", "alert", a.ID), Kind: "alert", Body: body}, nil
}

// A Destination takes messages.
type Destination interface {
	// Send returns nil only when the destination has taken the message.
	Send(ctx context.Context, m Message) error
}

// An Outbox holds what is to be sent.
type Outbox interface {
	// Pending returns up to n messages that were not delivered, oldest first.
	Pending(ctx context.Context, n int) ([]Message, error)
	// Delivered marks a message. It is called after Send returned nil.
	Delivered(ctx context.Context, key string) error
}

// batch is how many messages are read from the outbox at a time.
const batch = 100

// Deliver sends what is pending, once around: a message that fails stays and
// does not hold up the others. It returns how many were delivered.
func Deliver(ctx context.Context, from Outbox, to Destination) (int, error) {
	sent, tried := 0, map[string]bool{}
	var failed error
	for {
		ms, err := from.Pending(ctx, batch+len(tried))
		if err != nil {
			return sent, errors.Join(failed, err)
		}
		fresh := false
		for _, m := range ms {
			if tried[m.Key] {
				continue
			}
			fresh = true
			if err := to.Send(ctx, m); err != nil {
				tried[m.Key] = true
				failed = errors.Join(failed, fmt.Errorf("notify %s: %w", m.Key, err))
				continue
			}
			if err := from.Delivered(ctx, m.Key); err != nil {
				return sent, errors.Join(failed, err) // it will be sent again, with the same key
			}
			sent++
		}
		if !fresh || ctx.Err() != nil {
			return sent, errors.Join(failed, ctx.Err())
		}
	}
}

// Lines is a Destination that writes each message as a line of JSON.
type Lines struct{ W io.Writer }

// Send writes the message in one Write.
func (l Lines) Send(_ context.Context, m Message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = l.W.Write(append(line, '\n'))
	return err
}
