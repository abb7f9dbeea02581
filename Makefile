# make test is the whole gate and what CI runs (.ci/run). The rest is for daily work.
.DEFAULT_GOAL := test
.PHONY: test tools lint unit torture demo bench screenshots conformance clean relevance

# Packages tested without the race detector, such as those that mostly drive other
# processes, in which it sees nothing; and the longest that one package may take.
export NORACE ?= dangan/cmd/dangan dangan/api/reader
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

# The endurance tests of make test with TORTURE times as many rounds, as in
# docs/reliability.md. Takes about an hour.
TORTURE ?= 8
torture: tools
	DANGAN_REQUIRE_TOOLS=1 DANGAN_TORTURE=$(TORTURE) go test -count=1 -v -p 1 -timeout 3h \
		-run '^Test(Kill|PowerCut|Replicas|FullDisk|FaultyWay)' ./cmd/dangan ./storage ./storage/embedded

# A whole office on this machine, with made-up people.
demo:
	go run ./cmd/dangan demo $(ARGS)

# dangan against the raw components, and the benchmarks of every package.
bench:
	go run ./cmd/dangan bench all
	go test -run '^$$' -bench . -benchmem ./...

# How well both engines find RECORDS made-up records, as in docs/relevance.md.
relevance: tools
	DANGAN_TEST_RELEVANCE=$(or $(RECORDS),100000) go test -count=1 -v -timeout 60m -run TestRelevanceOfEngines ./index/indextest

# What validators of others say to our PDFs: veraPDF and pyHanko. Needs Java, Maven and Python.
conformance:
	@.ci/conformance/run

# A picture of every page, by the browser test.
screenshots: tools
	mkdir -p .tools/screenshots
	DANGAN_SCREENSHOTS=$(CURDIR)/.tools/screenshots go test -count=1 -run TestPages ./cmd/dangan

# Leaves dangan-data alone: it may hold somebody's archive.
clean:
	rm -rf .tools dangan coverage*
