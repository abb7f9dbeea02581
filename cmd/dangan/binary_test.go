package main_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/api/reader"
	"dangan/api/stamp"
	"dangan/archive"
	"dangan/cmd/dangan/demo"
	"dangan/internal/testenv"
	"dangan/storage/embedded"
)

// binary is the built program; TestMain makes it once.
var binary string

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "reader-child" { // the reader of a test in package main
		if err := reader.RunChild(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "store-child" { // the embedded store of a test in package main
		if err := embedded.RunChild(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dangan-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "dangan")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// site is a running service with what a test may do to it.
type site struct {
	url     string
	trust   string // PEM file of the authority behind the seal
	objects string // folder in which the object store keeps its data
	tokens  map[string]string
	secrets map[string]string // passwords, of an embedded site
	persons map[string]archive.Account
	service *testenv.Process
	minio   *testenv.MinIOServer // of an external site
	env     []string             // of the service of an external site
	// wipeIndex throws the index away and brings an empty one back; while
	// stopped runs, there is none.
	wipeIndex func(t *testing.T, stopped func())
	logs      func() string
}

// environment is all that a child of a test sees: enough to find its caches.
func environment(extra ...string) []string {
	return append([]string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, extra...)
}

// embeddedSite runs `dangan demo` on a folder of its own.
func embeddedSite(t *testing.T, records int) *site {
	t.Helper()
	return embeddedSiteIn(t, t.TempDir(), records)
}

func embeddedSiteIn(t *testing.T, dir string, records int) *site {
	t.Helper()
	address := testenv.FreeAddr(t)
	s := &site{url: "http://" + address, trust: filepath.Join(dir, "trust.pem"), objects: filepath.Join(dir, "store", "objects")}
	s.service = testenv.Run(t, testenv.Spec{
		Args: []string{binary, "demo", "--listen", address, "--data", dir, "--records", fmt.Sprint(records), "--log-level", "debug"},
		Env:  environment(), Ready: s.url + "/healthz",
	})
	s.logs = s.service.Log
	s.awaitDemo(t, dir)
	s.wipeIndex = func(t *testing.T, stopped func()) {
		s.service.Stop()
		if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
			t.Fatal(err)
		}
		s.service.Start()
	}
	return s
}

// awaitDemo reads the accounts once the demonstration is filled.
func (s *site) awaitDemo(t *testing.T, dir string) {
	t.Helper()
	var file struct {
		Accounts []struct{ User, Token, Password string }
	}
	eventually(t, 2*time.Minute, "demo.json", func() bool {
		raw, err := os.ReadFile(filepath.Join(dir, "demo.json"))
		return err == nil && json.Unmarshal(raw, &file) == nil
	})
	s.tokens, s.secrets = map[string]string{}, map[string]string{}
	for _, a := range file.Accounts {
		s.tokens[a.User], s.secrets[a.User] = a.Token, a.Password
	}
	s.nameAccounts()
}

func (s *site) nameAccounts() {
	s.persons = map[string]archive.Account{}
	for _, a := range demo.Accounts() {
		s.persons[a.User] = a
	}
}

// externalSite runs `dangan setup` and `dangan serve` over a real MinIO and a
// real Meilisearch.
func externalSite(t *testing.T) *site {
	t.Helper()
	return externalSiteOver(t, testenv.MinIO(t, "MINIO_FS_OSYNC=on"))
}

func externalSiteOver(t *testing.T, minio *testenv.MinIOServer) *site {
	t.Helper()
	meili := testenv.Meilisearch(t)
	dir := t.TempDir()
	address := testenv.FreeAddr(t)
	s := &site{url: "http://" + address, trust: filepath.Join(dir, "trust.pem"), objects: minio.Data, minio: minio}
	s.env = environment(
		"DANGAN_LISTEN="+address,
		"DANGAN_S3_ENDPOINT=http://"+minio.Endpoint, "DANGAN_S3_ACCESS_KEY="+minio.AccessKey,
		"DANGAN_S3_SECRET_KEY_FILE="+secretFile(t, dir, "s3.key", minio.SecretKey),
		"DANGAN_MEILI_URL="+meili.URL, "DANGAN_MEILI_KEY_FILE="+secretFile(t, dir, "meili.key", meili.MasterKey),
		"DANGAN_ROOT_KEY_FILE="+secretFile(t, dir, "root.key", randomHex(t)),
		"DANGAN_SIGNER_CERT_FILE="+filepath.Join(dir, "seal.pem"), "DANGAN_SIGNER_KEY_FILE="+filepath.Join(dir, "seal.key"),
		"DANGAN_PUBLIC_URL="+s.url, "DANGAN_LOG_LEVEL=debug", "DANGAN_OCR=off",
	)
	writeSeal(t, dir)
	s.setup(t, dir, s.env)
	s.service = testenv.Run(t, testenv.Spec{Args: []string{binary, "serve"}, Env: s.env, Ready: s.url + "/readyz"})
	s.logs = func() string { return s.service.Log() + meili.Log() + minio.Log() }
	s.wipeIndex = func(t *testing.T, stopped func()) {
		meili.Kill()
		stopped()
		if err := os.RemoveAll(meili.Data); err != nil {
			t.Fatal(err)
		}
		meili.Start()
	}
	return s
}

// setup makes the offices and accounts of the demonstration, and no records.
func (s *site) setup(t *testing.T, dir string, env []string) {
	t.Helper()
	type newcomer struct {
		archive.Account
		Password string `json:"password"`
	}
	var people []newcomer
	for _, a := range demo.Accounts() {
		people = append(people, newcomer{Account: a})
	}
	raw, err := json.Marshal(map[string]any{"offices": demo.Offices(), "accounts": people})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "setup", secretFile(t, dir, "plan.json", string(raw)))
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("setup: %v\n%s", err, stderrOf(err))
	}
	s.tokens = map[string]string{}
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var made struct{ User, Token string }
		if err := lines.Decode(&made); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		s.tokens[made.User] = made.Token
	}
	s.nameAccounts()
}

func stderrOf(err error) []byte {
	if e, ok := err.(*exec.ExitError); ok {
		return e.Stderr
	}
	return nil
}

func secretFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func randomHex(t *testing.T) string {
	t.Helper()
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", raw)
}

func writeSeal(t *testing.T, dir string) {
	t.Helper()
	ca, chain, signer, err := stamp.NewDemoAuthority(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	var certs bytes.Buffer
	for _, c := range chain {
		if err := pem.Encode(&certs, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	secretFile(t, dir, "seal.pem", certs.String())
	secretFile(t, dir, "trust.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})))
	secretFile(t, dir, "seal.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

// eventually waits for something that the service does after it has answered.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not come to be within %s", what, limit)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("status %d: %v\n%s", a.status, err, a.body)
	}
}

// call is one request to the API as a user ("" for nobody).
type call struct {
	user, method, path string
	body               any // JSON, or io.Reader with contentType
	contentType        string
	header             map[string]string
}

func (s *site) try(ctx context.Context, c call) (answer, error) {
	var body io.Reader
	switch b := c.body.(type) {
	case nil:
	case io.Reader:
		body = b
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		body, c.contentType = bytes.NewReader(raw), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, c.method, s.url+c.path, body)
	if err != nil {
		return answer{}, err
	}
	if c.contentType != "" {
		req.Header.Set("Content-Type", c.contentType)
	}
	if c.user != "" {
		req.Header.Set("Authorization", "Bearer "+s.tokens[c.user])
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, raw}, err
}

// must is try for a call that has to get the given status.
func (s *site) must(t *testing.T, status int, c call) answer {
	t.Helper()
	a, err := s.try(t.Context(), c)
	if err != nil {
		t.Fatalf("%s %s: %v", c.method, c.path, err)
	}
	if a.status != status {
		t.Fatalf("%s %s as %q: status %d, want %d\n%s", c.method, c.path, c.user, a.status, status, a.body)
	}
	return a
}

// run runs the binary and returns its output and exit status.
func dangan(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}
