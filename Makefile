# make test is the whole gate and what CI runs (.ci/run). The rest is for daily work.
.DEFAULT_GOAL := test
.PHONY: test tools lint unit demo bench clean

# Packages tested without the race detector, such as those that mostly drive other
# processes, in which it sees nothing; and the longest that one package may take.
export NORACE ?=
export TIMEOUT ?= 20m

test: tools lint unit

# Everything the tests need, pinned, in .tools/bin.
tools:
	@.ci/tools

lint: tools
	@files=$$(gofmt -l .) && test -z "$$files" || { echo "gofmt: $$files"; exit 1; }
	go vet ./...
	.tools/bin/staticcheck ./...
	go mod tidy -diff
	@.ci/vulnerabilities

# Every test, none skipped.
unit: tools
	@.ci/unit

# A whole office on this machine, with made-up people.
demo:
	go run ./cmd/dangan demo $(ARGS)

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Leaves dangan-data alone: it may hold somebody's archive.
clean:
	rm -rf .tools dangan coverage*
