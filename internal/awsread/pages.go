package awsread

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/aws/smithy-go/middleware"
)

// maxPages is how many pages a list may have: a million versions of functions
// are 20,000.
const maxPages = 20_000

// A list that leads back to a page that was read already, or on for ever. What the SDK
// offers instead ends the list at the first page that is there twice in a row, as if
// that were all.
var (
	errCircle  = errors.New("the pages of the answer lead in a circle: not read to the end")
	errEndless = fmt.Errorf("the answer has more than %d pages: not read to the end", maxPages)
)

// A pager is what the SDK has for every list.
type pager[Out, Opt any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Opt)) (Out, error)
}

// pages are the pages of a list; an error is the last. A list without an end is an
// error.
func pages[Out, Opt any](ctx context.Context, p pager[Out, Opt]) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		ctx := listing(ctx)
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// asked is the key of what a listing has asked for.
type asked struct{}

// listing is a context in which nothing is asked for twice.
func listing(ctx context.Context) context.Context {
	return context.WithValue(ctx, asked{}, map[[sha256.Size]byte]bool{})
}

// onward is what keeps a listing from asking for a page that it has had. It comes
// before the retries, which ask for the same again.
func onward(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("lamina:onward",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if had, ok := ctx.Value(asked{}).(map[[sha256.Size]byte]bool); ok {
				text, err := json.Marshal(in.Parameters)
				if err != nil {
					return middleware.InitializeOutput{}, middleware.Metadata{}, err
				}
				page := sha256.Sum256(text)
				switch {
				case had[page]:
					return middleware.InitializeOutput{}, middleware.Metadata{}, errCircle
				case len(had) == maxPages:
					return middleware.InitializeOutput{}, middleware.Metadata{}, errEndless
				}
				had[page] = true
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}
