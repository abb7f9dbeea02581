package main_test

import (
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
