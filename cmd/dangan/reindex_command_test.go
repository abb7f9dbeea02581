package main_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestReindexCommand rebuilds the index of a service that goes on serving.
func TestReindexCommand(t *testing.T) {
	s := externalSite(t)
	record := s.deposit(t, storyRecord(s), storyFiles(t)...)
	found := func() bool {
		a, err := s.try(t.Context(), call{user: "reviewer", method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": record.Title}})
		return err == nil && a.status == 200 && strings.Contains(string(a.body), record.ID)
	}
	eventually(t, time.Minute, "the record in the index", found)
	for _, flags := range [][]string{nil, {"--fresh"}} {
		eventually(t, time.Minute, "a reindex", func() bool {
			cmd := exec.Command(binary, append([]string{"reindex"}, flags...)...)
			cmd.Env = s.env
			out, err := cmd.CombinedOutput()
			if err != nil && strings.Contains(string(out), "another process is at it") {
				return false // the service itself, which has just started
			}
			if err != nil || !strings.Contains(string(out), "1 records are in the index") || !strings.Contains(string(out), "100%") {
				t.Fatalf("%v\n%s", err, out)
			}
			return true
		})
		if !found() {
			t.Errorf("not found after a reindex %v", flags)
		}
	}
	s.service.Stop()
	s.service.Start()
	if !found() {
		t.Error("not found by a service that starts on the new index")
	}
}
