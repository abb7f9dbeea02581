package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/internal/testenv"
	"dangan/storage"
)

// checked is the report of dangan fsck, as JSON.
type checked struct {
	Objects, Left int
	Findings      []storage.Finding
}

// fsck runs the check and returns its report and exit status.
func fsck(t *testing.T, env []string, args ...string) (checked, int) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"fsck", "--json"}, args...)...)
	cmd.Env = env
	out, err := cmd.Output()
	var r checked
	if json.Unmarshal(out, &r) != nil {
		t.Fatalf("fsck %v: %v\n%s%s", args, err, out, stderrOf(err))
	}
	return r, cmd.ProcessState.ExitCode()
}

func (r checked) codes() (codes []storage.Code) {
	for _, f := range r.Findings {
		codes = append(codes, f.Code)
	}
	return codes
}

// TestFsckOfAFolder: a demonstration that was killed is sound; what is done to its
// folder afterwards is found, and mended as far as it can be.
func TestFsckOfAFolder(t *testing.T) {
	dir := t.TempDir()
	s := embeddedSiteIn(t, dir, 12)
	env := environment()
	if out := refused(t, nil, "fsck", "--data", dir); !strings.Contains(out, "in use") {
		t.Errorf("a folder that is served: %s", out)
	}
	s.service.Kill()
	whole, status := fsck(t, env, "--data", dir)
	if status != 0 || len(whole.Findings) > 0 || whole.Objects < 100 {
		t.Fatalf("after a kill: status %d, %+v", status, whole)
	}

	undo := damageFolder(t, s.objects)
	damaged := []storage.Code{storage.BlobChanged, storage.DerivedMissing, storage.MarkMissing, storage.ObjectStray}
	for _, step := range []struct {
		args         []string
		codes        []storage.Code
		left, status int
	}{
		{nil, damaged, 4, 4},
		{[]string{"--repair"}, damaged, 3, 4}, // the reading belongs to a record that is damaged
		{nil, []storage.Code{storage.BlobChanged, storage.DerivedMissing, storage.ObjectStray}, 3, 4},
	} {
		r, status := fsck(t, env, append(step.args, "--data", dir)...)
		if diff := cmp.Diff(step.codes, r.codes()); diff != "" || r.Left != step.left || status != step.status {
			t.Errorf("%v: %d left, status %d, %s", step.args, r.Left, status, diff)
		}
	}
	undo()
	if r, status := fsck(t, env, "--repair", "--data", dir); status != 0 || r.Left != 0 || len(r.Findings) != 1 {
		t.Errorf("with the file as it was: status %d, %+v", status, r)
	}
	memory := filepath.Join(t.TempDir(), "memory")
	if r, status := fsck(t, env, "--data", dir, "--memory", memory); status != 0 || len(r.Findings) > 0 {
		t.Errorf("after the repair: status %d, %+v", status, r)
	}
	if err := os.RemoveAll(filepath.Dir(someFile(t, filepath.Join(s.objects, "dangan", "chain", "office"), "00000001"))); err != nil {
		t.Fatal(err)
	}
	r, status := fsck(t, env, "--data", dir, "--memory", memory)
	if diff := cmp.Diff([]storage.Code{storage.ChainMissing}, r.codes()); diff != "" || status != 4 {
		t.Errorf("an office has gone: status %d, %s", status, diff)
	}
}

// damageFolder does what can be done to a folder without the keys.
func damageFolder(t *testing.T, objects string) (undo func()) {
	t.Helper()
	bucket := filepath.Join(objects, "dangan")
	entry := someFile(t, filepath.Join(bucket, "chain", "record"), "00000001")
	before, err := os.ReadFile(entry)
	if err != nil {
		t.Fatal(err)
	}
	write := func(path string, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	after := append([]byte{}, before...)
	after[len(after)-20] ^= 1 // in a file that the entry carries
	write(entry, after)
	write(filepath.Join(bucket, "stray"), []byte("x"))
	for _, folder := range []string{"mark/desk", "derived/record"} {
		if err := os.Remove(someFile(t, filepath.Join(bucket, folder), "")); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		write(entry, before)
		if err := os.Remove(filepath.Join(bucket, "stray")); err != nil {
			t.Fatal(err)
		}
	}
}

// someFile is the first file in a folder with a name.
func someFile(t *testing.T, dir, name string) (found string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (name == "" || d.Name() == name) {
			found = path
			return fs.SkipAll
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no %s in %s: %v", name, dir, err)
	}
	return found
}

// TestFsckGoesOn: a check that was killed goes on where it was, and only that one.
func TestFsckGoesOn(t *testing.T) {
	dir := t.TempDir()
	s := embeddedSiteIn(t, dir, 12)
	s.service.Kill()
	env, progress := environment(), filepath.Join(t.TempDir(), "progress.json")
	slow := exec.Command(binary, "fsck", "--data", dir, "--rate", "200kB", "--resume", progress)
	slow.Env = env
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	var left struct{ Objects int }
	eventually(t, time.Minute, "progress", func() bool {
		raw, err := os.ReadFile(progress)
		return err == nil && json.Unmarshal(raw, &left) == nil && left.Objects > 0
	})
	if err := slow.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = slow.Wait()
	eventually(t, time.Minute, "end of the store", func() bool {
		out, err := exec.Command(binary, "work", "list", "--data", dir).CombinedOutput()
		return err == nil || !strings.Contains(string(out), "in use")
	})
	if out := refused(t, nil, "fsck", "--data", dir, "--quick", "--resume", progress); !strings.Contains(out, "another check") {
		t.Error(out)
	}
	whole, _ := fsck(t, env, "--data", dir)
	rest, status := fsck(t, env, "--data", dir, "--resume", progress)
	if status != 0 || rest.Objects != whole.Objects || left.Objects >= whole.Objects {
		t.Errorf("status %d, %d objects after %d, of %d", status, rest.Objects, left.Objects, whole.Objects)
	}
	if _, err := os.Stat(progress); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the progress is left: %v", err)
	}
}

// TestFsckWhileServing: while clients deposit on real servers, nothing is wrong.
func TestFsckWhileServing(t *testing.T) {
	s := externalSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	made := make(chan int)
	go func() {
		n := 0
		for s.acknowledge(ctx, newDeposit(s, fmt.Sprint("fsck", n))) {
			n++
		}
		made <- n
	}()
	for range testenv.Rounds(t, 5) {
		if r, status := fsck(t, s.env); status != 0 {
			t.Errorf("status %d: %+v", status, r.Findings)
		}
	}
	cancel()
	if n := <-made; n < 5 {
		t.Errorf("only %d deposits meanwhile", n)
	}
}

func TestFsckRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for flag, want := range map[string]string{"--rate=fast": "--rate", "--upload-time=0s": "--upload-time", "--data=/nowhere": "--data"} {
		if out := refused(t, nil, "fsck", flag); !strings.Contains(out, want) {
			t.Errorf("%s: %s", flag, out)
		}
	}
}
