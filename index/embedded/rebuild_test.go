package embedded_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/index/embedded"
)

func paper(id string, version int) archive.Document {
	return archive.Document{Version: version, Record: archive.Record{
		ID: id, Title: "退休审批表", Persons: []archive.Person{{Name: "刘静佩"}},
	}}
}

// held is what a search finds: id → version.
func held(t *testing.T, x *embedded.Index) map[string]int {
	t.Helper()
	hits, err := x.Search(t.Context(), archive.Query{Text: "刘静佩", Limit: 100}, all())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, h := range hits.Hits {
		found[h.ID] = h.Version
	}
	return found
}

func generations(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestRebuild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	x := open(t, path)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(x.Put(t.Context(), paper("a", 1), paper("b", 1), paper("stray", 1)))
	next, err := x.Rebuild(t.Context())
	must(err)
	if _, err := x.Rebuild(t.Context()); !errors.Is(err, archive.ErrExists) {
		t.Errorf("a second rebuild beside the first: %v", err)
	}
	must(x.Put(t.Context(), paper("a", 2), paper("c", 1)))
	must(x.Delete(t.Context(), "b"))
	must(next.Load(t.Context(), paper("a", 1), paper("b", 1), paper("d", 1)))
	if diff := cmp.Diff(map[string]int{"a": 2, "c": 1, "stray": 1}, held(t, x)); diff != "" {
		t.Errorf("before the swap: %s", diff)
	}
	if n, err := next.Count(t.Context()); err != nil || n != 3 {
		t.Errorf("%d documents in the fresh index, %v", n, err)
	}
	if filled, err := x.Filled(t.Context()); err != nil || filled {
		t.Errorf("filled before the swap: %v, %v", filled, err)
	}
	must(next.Swap(t.Context()))
	if diff := cmp.Diff(map[string]int{"a": 2, "c": 1, "d": 1}, held(t, x)); diff != "" {
		t.Errorf("after the swap: %s", diff)
	}
	if filled, err := x.Filled(t.Context()); err != nil || !filled {
		t.Errorf("filled after the swap: %v, %v", filled, err)
	}
	if diff := cmp.Diff([]string{"2", "serving"}, generations(t, path)); diff != "" {
		t.Error(diff)
	}
	for op, err := range map[string]error{"load": next.Load(t.Context(), paper("b", 1)), "swap": next.Swap(t.Context())} {
		if !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s after the swap: %v", op, err)
		}
	}
	must(next.Abandon(t.Context()))
	must(x.Put(t.Context(), paper("a", 3)))
	if got := held(t, x); got["a"] != 3 {
		t.Errorf("after all: %v", got)
	}
}

func TestAbandon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	x := open(t, path)
	next, err := x.Rebuild(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), paper("a", 1)); err != nil {
		t.Fatal(err)
	}
	if err := next.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"a": 1}, held(t, x)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1", "serving"}, generations(t, path)); diff != "" {
		t.Error(diff)
	}
}

// No search fails and none misses a record while indexes are swapped under it.
func TestSwapUnderSearches(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index"))
	if err := x.Put(t.Context(), paper("a", 1)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var searching sync.WaitGroup
	for range 2 {
		searching.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				hits, err := x.Search(t.Context(), archive.Query{Text: "刘静佩", Limit: 1}, all())
				if err != nil || hits.Total != 1 {
					t.Errorf("%d hits, %v", hits.Total, err)
					return
				}
			}
		})
	}
	for range 5 {
		next, err := x.Rebuild(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(next.Load(t.Context(), paper("a", 1)), next.Swap(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	searching.Wait()
}

// victim is the environment variable that makes this test a process to be killed.
const victim = "DANGAN_TEST_INDEX_VICTIM"

// Killed while it writes, rebuilds and swaps, the index opens and has everything that
// was acknowledged, in whichever of the two generations.
func TestKilledWhileRebuilding(t *testing.T) {
	if path := os.Getenv(victim); path != "" {
		rebuildForEver(t, path)
	}
	path := filepath.Join(t.TempDir(), "index")
	acknowledged := 0
	for round := range 12 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileRebuilding$")
		child.Env = append(os.Environ(), victim+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		begun := lines.Scan()
		time.AfterFunc(time.Duration(15*round)*time.Millisecond, func() { _ = child.Process.Kill() }) // Wait tells
		for more := begun; more; more = lines.Scan() {
			if _, err := fmt.Sscanf(lines.Text(), "acknowledged %d", &acknowledged); err != nil {
				t.Fatalf("the child says %q", lines.Text())
			}
		}
		if err := child.Wait(); err == nil || !begun {
			t.Fatal("the child ended by itself")
		}
		with(t, path, func(x *embedded.Index) error {
			if got := held(t, x); got["a"] < acknowledged {
				t.Errorf("round %d: version %d of the record, acknowledged %d", round, got["a"], acknowledged)
			}
			if list := generations(t, path); len(list) != 2 || list[1] != "serving" {
				t.Errorf("round %d: left over: %s", round, strings.Join(list, " "))
			}
			return nil
		})
	}
}

func rebuildForEver(t *testing.T, path string) {
	x := open(t, path)
	for version := held(t, x)["a"] + 1; ; version++ {
		next, err := x.Rebuild(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Put(t.Context(), paper("a", version)); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("acknowledged %d\n", version)
		if err := errors.Join(next.Load(t.Context(), paper("a", version-1), paper("b", 1)), next.Swap(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}

// Many callers at once share what is written.
func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			x, err := embedded.New(b.Context(), embedded.Config{Path: filepath.Join(b.TempDir(), "index")})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = x.Close() }() // the folder goes with the test
			var n sync.WaitGroup
			turns := make(chan int)
			for range callers {
				n.Go(func() {
					for i := range turns {
						if err := x.Put(b.Context(), paper(fmt.Sprintf("r%d", i), 1)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for i := 0; b.Loop(); i++ {
				turns <- i
			}
			close(turns)
			n.Wait()
		})
	}
}
