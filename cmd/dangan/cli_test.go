package main_test

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/internal/testenv"
)

// refused runs the binary and returns what it says while refusing.
func refused(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = environment(env...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("dangan %v was not refused:\n%s", args, out)
	}
	return string(out)
}

func TestServeNamesEverythingThatIsWrong(t *testing.T) {
	out := refused(t, []string{"DANGAN_MEILI_URL=meili:7700"}, "serve", "--listen", "8080")
	for _, want := range []string{"--s3-endpoint is required", "--root-key-file is required", "either --signer-key-file or --signer-socket is required",
		"--meili-url must be an http or https URL", "--listen must be host:port"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if out := refused(t, []string{"DANGAN_S3_ENDPIONT=x"}, "serve"); !strings.Contains(out, "unknown setting DANGAN_S3_ENDPIONT") {
		t.Error(out)
	}
}

func TestServeRefusesAWrongRootKey(t *testing.T) {
	minio := testenv.MinIO(t)
	dir := t.TempDir()
	writeSeal(t, dir)
	env := func(key string) []string {
		return []string{"DANGAN_S3_ENDPOINT=http://" + minio.Endpoint, "DANGAN_S3_ACCESS_KEY=" + minio.AccessKey,
			"DANGAN_S3_SECRET_KEY_FILE=" + secretFile(t, dir, "s3.key", minio.SecretKey), "DANGAN_MEILI_URL=http://127.0.0.1:1",
			"DANGAN_MEILI_KEY_FILE=" + secretFile(t, dir, "meili.key", "none"), "DANGAN_ROOT_KEY_FILE=" + secretFile(t, dir, "root.key", key),
			"DANGAN_SIGNER_CERT_FILE=" + filepath.Join(dir, "seal.pem"), "DANGAN_SIGNER_KEY_FILE=" + filepath.Join(dir, "seal.key"),
			"DANGAN_PUBLIC_URL=http://127.0.0.1:1", "DANGAN_LISTEN=127.0.0.1:0"}
	}
	first := exec.Command(binary, "setup", secretFile(t, dir, "plan.json", "{}"))
	first.Env = environment(env(randomHex(t))...)
	if out, err := first.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out := refused(t, env(randomHex(t)), "serve"); !strings.Contains(out, "root key") {
		t.Error(out)
	}
	if out := refused(t, env("short"), "serve"); !strings.Contains(out, "64 hex digits") || strings.Contains(out, "short\n") {
		t.Error(out)
	}
}

// TestServeRefusesAStoreWithoutPromises points serve at something that is no
// object store.
func TestServeRefusesAStoreWithoutPromises(t *testing.T) {
	meili := testenv.Meilisearch(t)
	dir := t.TempDir()
	writeSeal(t, dir)
	out := refused(t, []string{"DANGAN_S3_ENDPOINT=" + meili.URL, "DANGAN_S3_ACCESS_KEY=a", "DANGAN_S3_SECRET_KEY_FILE=" + secretFile(t, dir, "s3.key", "secretsecret"),
		"DANGAN_MEILI_URL=" + meili.URL, "DANGAN_MEILI_KEY_FILE=" + secretFile(t, dir, "meili.key", "none"),
		"DANGAN_ROOT_KEY_FILE=" + secretFile(t, dir, "root.key", randomHex(t)), "DANGAN_SIGNER_CERT_FILE=" + filepath.Join(dir, "seal.pem"),
		"DANGAN_SIGNER_KEY_FILE=" + filepath.Join(dir, "seal.key"), "DANGAN_PUBLIC_URL=http://127.0.0.1:1"}, "serve")
	if !strings.Contains(out, "bucket") {
		t.Error(out)
	}
}

func TestDemoSaysThatThePortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if out := refused(t, nil, "demo", "--listen", l.Addr().String()); !strings.Contains(out, "another program") {
		t.Error(out)
	}
}

// TestDemoGoesOn starts the demonstration a second time on the same folder, and
// a third time beside it.
func TestDemoGoesOn(t *testing.T) {
	s := embeddedSite(t, 12)
	dir := filepath.Dir(s.trust)
	before, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	records := s.search(t, 200, "").Total
	if out := refused(t, nil, "demo", "--listen", "127.0.0.1:0", "--data", dir); !strings.Contains(out, "in use") {
		t.Error(out)
	}
	s.service.Kill()
	if err := os.Remove(filepath.Join(dir, "demo.json")); err != nil {
		t.Fatal(err)
	}
	s.service.Start()
	s.awaitDemo(t, dir)
	after, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("demo.json changed: %v", err)
	}
	if again := s.search(t, 200, "").Total; again != records || again == 0 {
		t.Errorf("%d records, then %d", records, again)
	}
	s.must(t, 200, call{user: "uploader", method: "GET", path: "/api/v1/requests"})
	eventually(t, 10*time.Second, "readiness", func() bool {
		a, err := s.try(t.Context(), call{method: "GET", path: "/readyz"})
		return err == nil && a.status == 200
	})
	var demo struct {
		Samples struct {
			Record      string
			Certificate struct{ Number, Code string }
		}
	}
	if err := json.Unmarshal(after, &demo); err != nil {
		t.Fatal(err)
	}
	if v := s.verify(t, call{body: map[string]string{"number": demo.Samples.Certificate.Number, "code": demo.Samples.Certificate.Code}}); v.Verdict != archive.Valid {
		t.Errorf("the sample certificate: %+v", v)
	}
}

func TestFlagsMayStandAfterArguments(t *testing.T) {
	out, code := dangan(t, "verify", "nowhere.pdf", "--trust", "nowhere.pem")
	if code == 0 || !strings.Contains(out, "nowhere.pdf") {
		t.Errorf("exit %d: %s", code, out)
	}
}
