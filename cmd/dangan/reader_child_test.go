package main_test

import (
	"path/filepath"
	"testing"
	"time"
)

// TestServiceOutlivesItsReaders kills the child of a running service that would
// have read the next file.
func TestServiceOutlivesItsReaders(t *testing.T) {
	s := embeddedSite(t, 1)
	eventually(t, time.Minute, "a child to kill", func() bool { return s.service.KillChild("reader-child") })
	r := s.deposit(t, storyRecord(s), storyFiles(t)...)
	s.awaitReady(t, r)
	s.readPages(t, r)
}

// TestPagesAreDrawnAhead waits for pages that nobody has asked for.
func TestPagesAreDrawnAhead(t *testing.T) {
	s := embeddedSite(t, 1)
	s.awaitReady(t, s.deposit(t, storyRecord(s), storyFiles(t)...))
	for _, what := range []string{"page-1-200", "page-1-1600"} {
		eventually(t, time.Minute, what, func() bool {
			found, err := filepath.Glob(filepath.Join(s.objects, "*", "derived", "*", "*", "*", "*."+what+"-v1"))
			if err != nil {
				t.Fatal(err)
			}
			return len(found) > 0
		})
	}
}
