# A fresh machine needs Go for everything but test-integration, whose -race
# needs a C compiler too. P limits how many packages are worked on at once.
GO ?= go
P  ?= 2
LINT = $(GO) tool -modfile=tools/go.mod golangci-lint

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-18s %s\n", $$1, $$2}'

build: ## build bin/lamina
	$(GO) build -trimpath -o bin/ ./cmd/...

demo: build ## build lamina and run its demo: no account, no network
	bin/lamina demo

test: ## all unit tests and scripts
	$(GO) test -p $(P) ./...

.PHONY: help build demo test
