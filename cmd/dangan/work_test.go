package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/internal/testenv"
	"dangan/storage"
)

// plantJobs leaves a job that waits, one that is dead and one that was only
// planned, in this order.
func plantJobs(t *testing.T, b *storage.Bucket) []archive.Job {
	t.Helper()
	newID := newIDs()
	began := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	var jobs []archive.Job
	for i, job := range []archive.Job{
		{Attempts: 3, Next: began.Add(time.Hour), Failure: "failed"},
		{Attempts: 12, Next: began.Add(2 * time.Hour), Failure: "damaged", Dead: true},
		{Claims: []archive.ClaimHeld{{Kind: archive.ClaimRefCode, Value: "J019-secret"}}},
	} {
		job.Kind, job.Nonce, job.At = archive.JobRecord, newID(), began.Add(time.Duration(i)*time.Minute)
		job.Ref = archive.Ref{Kind: archive.KindRecord, ID: newID()}
		put := b.Work().PutJob
		if job.Attempts == 0 {
			put = b.Work().PlanJob // it shares an object with others
		}
		if err := put(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// TestWork drives the command over the bucket in a folder and over a configured
// one.
func TestWork(t *testing.T) {
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		e := &embeddedHouse{}
		b, _, err := e.openBucket(t.Context(), dir, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		jobs := plantJobs(t, b)
		e.close()
		checkWork(t, jobs, nil, "--data", dir)
	})
	t.Run("MinIO", func(t *testing.T) {
		env := minioEnv(t, testenv.MinIO(t))
		var (
			s    settings
			out  bytes.Buffer
			none = strings.NewReader("")
		)
		if err := run(t.Context(), []string{"work", "list"}, env, none, &out, &out); err == nil || !strings.Contains(out.String(), "no archive") {
			t.Errorf("an empty bucket: %v\n%s", err, out.String())
		}
		if err := fromEnv(env, s.flags("test")); err != nil {
			t.Fatal(err)
		}
		b, _, err := s.openBucket(t.Context(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		checkWork(t, plantJobs(t, b), env)
	})
}

// minioEnv configures a bucket on a server, and nothing else.
func minioEnv(t *testing.T, m *testenv.MinIOServer) []string {
	t.Helper()
	dir := t.TempDir()
	env := []string{"DANGAN_S3_ENDPOINT=http://" + m.Endpoint, "DANGAN_S3_ACCESS_KEY=" + m.AccessKey}
	for name, secret := range map[string]string{"S3_SECRET": m.SecretKey, "ROOT": strings.Repeat("0f", 32)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		env = append(env, fmt.Sprintf("DANGAN_%s_KEY_FILE=%s", name, path))
	}
	return env
}

// checkWork runs the command with these settings after what it is to do.
func checkWork(t *testing.T, jobs []archive.Job, env []string, settings ...string) {
	dangan := func(args ...string) (string, error) {
		var out, errs bytes.Buffer
		err := run(t.Context(), slices.Concat([]string{"work"}, args, settings), env, strings.NewReader(""), &out, &errs)
		if strings.Contains(out.String()+errs.String(), "secret") {
			t.Errorf("%v tells the value of a claim", args)
		}
		return out.String() + errs.String(), err
	}
	ids := func(args ...string) (ids []string) {
		out, err := dangan(append(args, "--json")...)
		var lines []jobLine
		if err != nil || json.Unmarshal([]byte(out), &lines) != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		for _, l := range lines {
			ids = append(ids, l.ID)
		}
		return ids
	}
	waits, dead, planned := jobs[0].Nonce, jobs[1].Nonce, jobs[2].Nonce
	check := func(what string, got []string, want ...string) {
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", what, got, want)
		}
	}
	check("list", ids("list"), waits, dead, planned)
	check("list --dead", ids("list", "--dead"), dead)
	check("list --waiting", ids("list", "--waiting"), waits, planned)
	table, err := dangan("list")
	for _, want := range []string{"ATTEMPTS", waits, jobs[1].Ref.String(), "damaged", "2026-11-01T09:00:00Z"} {
		if err != nil || !strings.Contains(table, want) {
			t.Errorf("%q is missing in the table: %v\n%s", want, err, table)
		}
	}
	if out, err := dangan("show", strings.ToLower(planned)); err != nil || !strings.Contains(out, `"refcode"`) {
		t.Errorf("show: %v\n%s", err, out)
	}
	if out, err := dangan("retry", waits, "01J00000000000000000000001"); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("an unknown id is not refused: %v\n%s", err, out)
	}
	check("list --dead", ids("list", "--dead"), dead) // as it was
	check("retry --all-dead", ids("retry", "--all-dead"), dead)
	check("list --dead", ids("list", "--dead"))
	if out, err := dangan("retry", waits, planned); err != nil || !strings.Contains(out, "2 to be tried again") {
		t.Errorf("retry: %v\n%s", err, out)
	}
	out, err := dangan("list", "--json")
	if err != nil || strings.Contains(out, "failure") || strings.Contains(out, "next") || strings.Count(out, `"attempts": 0`) != 3 {
		t.Errorf("after the retries: %v\n%s", err, out)
	}
}

func TestWorkRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, args := range [][]string{{}, {"retry"}, {"retry", "X", "--all-dead"}, {"show"}, {"list", "X"}, {"list", "--dead", "--waiting"}, {"sweep"}} {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"work", "--data", t.TempDir()}, args...), nil, strings.NewReader(""), &out, &out)
		if err == nil || !strings.Contains(out.String(), "work: ") {
			t.Errorf("%v: %v\n%s", args, err, out.String())
		}
	}
	var out bytes.Buffer
	dir := t.TempDir()
	err := run(t.Context(), []string{"work", "list", "--data", dir}, nil, strings.NewReader(""), &out, &out)
	if err == nil || !strings.Contains(out.String(), "no folder of dangan demo") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
