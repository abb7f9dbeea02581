// Command noskips reads the output of go test -json, prints what a person wants to
// read of it, and fails if a test failed, was skipped or never ended, or if there was
// none: a suite that silently shrinks must not look like a pass.
//
// It owns that judgement only. It must not know which tests there are.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "noskips:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	suite := newSuite(out)
	// a line holds at most one line of a test's output, which may be a long one
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		suite.add(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read test output: %w", err)
	}
	return suite.verdict()
}

// event is one line of go test -json, see go doc cmd/test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output and build-fail, instead of Package
	Test       string // empty when the event is about the whole package
	Elapsed    float64
	Output     string
}

// unit is a package, or one test of it, subtests included.
type unit struct{ pkg, test string }

type suite struct {
	out     io.Writer
	output  map[unit]*strings.Builder
	running map[unit]bool

	passed, failed, skipped int
	broken                  int // packages that failed, or that did not build
}

func newSuite(out io.Writer) *suite {
	return &suite{out: out, output: map[unit]*strings.Builder{}, running: map[unit]bool{}}
}

func (s *suite) add(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		fmt.Fprintf(s.out, "%s\n", line) // go itself speaks, not a test
		return
	}
	u := unit{e.Package, e.Test}
	if e.ImportPath != "" {
		u.pkg = e.ImportPath
	}
	switch e.Action {
	case "start", "run":
		s.running[u] = true
	case "output", "build-output":
		s.record(u, e.Output)
	case "pass", "fail", "skip", "build-fail":
		s.end(u, e)
	}
}

func (s *suite) record(u unit, text string) {
	if s.output[u] == nil {
		s.output[u] = &strings.Builder{}
	}
	s.output[u].WriteString(text)
}

func (s *suite) end(u unit, e event) {
	isTest := u.test != ""
	switch {
	case e.Action == "pass" && isTest:
		s.passed++
	case e.Action == "pass":
		fmt.Fprintf(s.out, "ok    %s  %.1fs\n", u.pkg, e.Elapsed)
	case e.Action == "skip" && isTest:
		s.skipped++
		s.show("SKIP", u)
	case e.Action == "skip": // a package without tests
	case isTest:
		s.failed++
		s.show("FAIL", u)
	default:
		s.broken++
		s.show("FAIL", u)
	}
	delete(s.running, u)
	delete(s.output, u)
}

func (s *suite) show(verdict string, u unit) {
	fmt.Fprintf(s.out, "%s  %s %s\n", verdict, u.pkg, u.test)
	if text := s.output[u]; text != nil {
		fmt.Fprint(s.out, text.String())
	}
}

func (s *suite) verdict() error {
	unfinished := slices.SortedFunc(maps.Keys(s.running), func(a, b unit) int {
		return strings.Compare(a.pkg+" "+a.test, b.pkg+" "+b.test)
	})
	for _, u := range unfinished {
		s.failed++
		s.show("NEVER ENDED", u)
	}
	fmt.Fprintf(s.out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	switch {
	case s.failed+s.broken > 0:
		return errors.New("not every test passed")
	case s.skipped > 0:
		return errors.New("a skipped test is not a passed test")
	case s.passed == 0:
		return errors.New("no test ran")
	}
	return nil
}
