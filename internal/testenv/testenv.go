// Package testenv gives tests the outside programs they need: executables, free
// addresses, disks that lose their power, and real MinIO and Meilisearch servers
// that can be stopped, killed, paused and started again on the same data and port.
//
// It owns finding, starting and ending those programs. It must not know what a
// test does with them: it imports std only, holds no client, and knows nothing of
// the archive.
//
// A missing program skips the test with a reason, so that a laptop without
// Meilisearch can still run the rest. With DANGAN_REQUIRE_TOOLS=1, which make test
// sets, a missing program fails the test: a skipped test must not look like a pass.
package testenv

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Path returns the absolute path of an executable such as "minio" or "qpdf". It
// looks in the repository's .tools/bin, which make tools fills, then in PATH.
func Path(t testing.TB, tool string) string {
	t.Helper()
	if path, err := lookTool(tool); err == nil {
		return path
	}
	missing(t, fmt.Sprintf("%s is neither in .tools/bin nor in PATH; make tools installs it", tool))
	return ""
}

// Models returns the folder of the models with which tesseract is tested.
func Models(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(t), ".tools", "tessdata")
	if _, err := os.Stat(filepath.Join(dir, "chi_sim.traineddata")); err != nil {
		missing(t, "no model of Chinese in .tools/tessdata; make tools fetches it")
	}
	return dir
}

// missing ends a test for want of something that this machine should have.
func missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("DANGAN_REQUIRE_TOOLS") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// Rounds is how often a test of endurance repeats itself: short times the whole
// number in DANGAN_TORTURE, which make torture sets.
func Rounds(t testing.TB, short int) int {
	t.Helper()
	factor := os.Getenv("DANGAN_TORTURE")
	if factor == "" {
		return short
	}
	n, err := strconv.Atoi(factor)
	if err != nil || n < 1 {
		t.Fatalf("DANGAN_TORTURE must be a whole number from 1 on, not %q", factor)
	}
	return n * short
}

func lookTool(tool string) (string, error) {
	if root, err := moduleRoot(); err == nil {
		if path, err := exec.LookPath(filepath.Join(root, ".tools", "bin", tool)); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(tool)
}

// Root returns the folder of go.mod, for tests that build or read the repository.
func Root(t testing.TB) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// moduleRoot walks up from the working folder, which go test sets to the folder of
// the package under test.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find module root: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find module root: no go.mod above %s", start)
		}
	}
}

// FreeAddr returns a loopback address, 127.0.0.1:port, on which nothing listens.
//
// The port lies below the range from which Linux takes the source ports of outgoing
// connections (32768 and up): otherwise, while a killed server is down, its port
// could be taken by some client, even by the one that tries to reach it.
func FreeAddr(t testing.TB) string {
	t.Helper()
	const lowest, count, attempts = 20000, 12000, 100
	var last error
	for range attempts {
		addr := fmt.Sprintf("127.0.0.1:%d", lowest+mrand.IntN(count))
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			last = err
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatalf("free address: %v", err)
		}
		return addr
	}
	t.Fatalf("free address: %v", last)
	return ""
}

// secret returns 26 random letters and digits.
func secret() string { return rand.Text() }
