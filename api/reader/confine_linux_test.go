package reader_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dangan/api/reader"
)

// children are the ids of the processes that this one has started.
func children(t *testing.T) []string {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(lists) == 0 {
		t.Fatalf("no list of children: %v", err)
	}
	var ids []string
	for _, list := range lists {
		raw, err := os.ReadFile(list)
		if err != nil {
			continue // that thread has ended
		}
		ids = append(ids, strings.Fields(string(raw))...)
	}
	return ids
}

// A child is looked at from outside, as the kernel sees it.
func TestChildHoldsNothing(t *testing.T) {
	t.Setenv("DANGAN_SECRET", "1")
	secret, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	p := newPool(t, reader.PoolConfig{Config: reader.Config{Workers: 1}})
	file := textPDF("x")
	for range 2 { // the first child may have to compile the engine, and then be too large to keep
		if _, err := p.Read(t.Context(), bytes.NewReader(file), int64(len(file))); err != nil {
			t.Fatal(err)
		}
	}
	ids := children(t)
	if len(ids) != 1 {
		t.Fatalf("%d children, want 1", len(ids))
	}
	proc := func(name string) string {
		raw, err := os.ReadFile(filepath.Join("/proc", ids[0], name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if env := proc("environ"); env != "" {
		t.Errorf("environment is %q", env)
	}
	if dir, err := os.Readlink(filepath.Join("/proc", ids[0], "cwd")); err != nil || !strings.HasSuffix(dir, " (deleted)") {
		t.Errorf("works in %s (%v), which is not deleted", dir, err)
	}
	if !strings.Contains(proc("status"), "NoNewPrivs:\t1\n") {
		t.Error("may gain privileges")
	}
	for _, limit := range []string{"Max data size 1073741824", "Max file size 0 0", "Max core file size 0 0", "Max open files 32 32", "Max cpu time 2"} {
		if !strings.Contains(strings.Join(strings.Fields(proc("limits")), " "), limit) {
			t.Errorf("limits are %s, want %s", proc("limits"), limit)
		}
	}
	files, err := filepath.Glob(filepath.Join("/proc", ids[0], "fd", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range files {
		to, err := os.Readlink(fd)
		// What the Go runtime opens for itself is none of ours.
		known := slices.ContainsFunc([]string{"pipe:", "anon_inode:[event", "/dev/null", "/sys/"}, func(s string) bool { return strings.HasPrefix(to, s) })
		if err != nil || !known {
			t.Errorf("%s is open: %s (%v)", filepath.Base(fd), to, err)
		}
	}
	if group := strings.Fields(proc("stat"))[4]; group != ids[0] {
		t.Errorf("is in process group %s, want its own, %s", group, ids[0])
	}
}
