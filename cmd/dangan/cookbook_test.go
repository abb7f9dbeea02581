package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/internal/testenv"
)

// TestCookbook runs the examples in order, in one folder, as a reader would, and
// compares what each prints with what is said there.
func TestCookbook(t *testing.T) {
	for _, program := range []string{"curl", "jq", "openssl", "sha256sum", "base64"} {
		testenv.Path(t, program)
	}
	page, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs/cookbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?ms)^```sh\n(.*?)^```\n\n```text\n(.*?)^```\n").FindAllStringSubmatch(string(page), -1)
	if n := len(regexp.MustCompile("(?m)^```sh$").FindAll(page, -1)); n != len(examples) || n < 5 {
		t.Fatalf("of %d examples, %d have their output", n, len(examples))
	}
	_, url, key := agencySite(t)
	dir := t.TempDir()
	for _, example := range examples {
		cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", example[1])
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "DANGAN_URL="+url, "DANGAN_KEY="+key, "NO_PROXY=127.0.0.1")
		out, err := cmd.CombinedOutput()
		if diff := cmp.Diff(example[2], string(out)); diff != "" || err != nil {
			t.Errorf("%s\n%v\n%s", example[1], err, diff)
		}
	}
}
