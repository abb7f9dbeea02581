package testenv

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// MinIOServer is a running MinIO with one drive, keys of its own and no buckets.
type MinIOServer struct {
	*Process
	Endpoint  string // host:port, plain HTTP
	AccessKey string
	SecretKey string
	Data      string // folder of its drive
}

// MinIO starts a MinIO that lives as long as the test. Extra environment, such as
// MINIO_FS_OSYNC=on, may be given as KEY=value.
func MinIO(t testing.TB, env ...string) *MinIOServer {
	t.Helper()
	return MinIOIn(t, t.TempDir(), env...)
}

// MinIOIn is MinIO with its drive in a folder of the caller's.
func MinIOIn(t testing.TB, dir string, env ...string) *MinIOServer {
	t.Helper()
	executable := Path(t, "minio")
	server := &MinIOServer{AccessKey: secret(), SecretKey: secret(), Data: filepath.Join(dir, "data")}
	server.Process, server.Endpoint = runOnFreeAddr(t, func(addr string) Spec {
		return Spec{
			Args: []string{executable, "server", "--address", addr,
				"--certs-dir", filepath.Join(dir, "certs"), server.Data},
			Env: append(bareEnv(dir),
				append([]string{
					"MINIO_ROOT_USER=" + server.AccessKey,
					"MINIO_ROOT_PASSWORD=" + server.SecretKey,
					"MINIO_BROWSER=off",
					"MINIO_UPDATE=off",
				}, env...)...),
			// /minio/health/ready says yes while requests are still refused.
			Ready: "http://" + addr + "/minio/health/cluster",
		}
	})
	return server
}

// MeilisearchServer is a running Meilisearch without indexes.
type MeilisearchServer struct {
	*Process
	URL       string // http://host:port
	MasterKey string
	Data      string // folder of its indexes
}

// Meilisearch starts a Meilisearch that lives as long as the test. It writes errors
// only: at its other log levels rejected filters appear with their values. Servers that
// are to have one key are given it.
func Meilisearch(t testing.TB, key ...string) *MeilisearchServer {
	t.Helper()
	executable := Path(t, "meilisearch")
	dir := t.TempDir()
	server := &MeilisearchServer{MasterKey: strings.Join(key, ""), Data: filepath.Join(dir, "db")}
	if server.MasterKey == "" {
		server.MasterKey = secret()
	}
	var addr string
	server.Process, addr = runOnFreeAddr(t, func(addr string) Spec {
		return Spec{
			Args: []string{executable, "--no-analytics", "--log-level", "ERROR",
				"--http-addr", addr,
				"--db-path", server.Data,
				"--dump-dir", filepath.Join(dir, "dumps"),
				"--snapshot-dir", filepath.Join(dir, "snapshots"),
				"--master-key", server.MasterKey,
				"--max-indexing-memory", "512MiB"},
			Env:   bareEnv(dir),
			Ready: "http://" + addr + "/health",
		}
	})
	server.URL = "http://" + addr
	return server
}

// Dump has the server write all it holds into a file, as its operator would for a
// backup, and returns its path.
func (s *MeilisearchServer) Dump() string {
	s.t.Helper()
	var task struct {
		UID     int    `json:"taskUid"`
		Status  string `json:"status"`
		Details struct {
			UID string `json:"dumpUid"`
		} `json:"details"`
	}
	s.call(http.MethodPost, "/dumps", &task)
	for path := fmt.Sprintf("/tasks/%d", task.UID); task.Status != "succeeded"; time.Sleep(readyPoll) {
		if s.call(http.MethodGet, path, &task); task.Status == "failed" || task.Status == "canceled" {
			s.t.Fatalf("dump: task %s", task.Status)
		}
	}
	return filepath.Join(filepath.Dir(s.Data), "dumps", task.Details.UID+".dump")
}

// Restore puts what a dump holds in place of everything the server has.
func (s *MeilisearchServer) Restore(dump string) {
	s.t.Helper()
	s.Stop()
	if err := os.RemoveAll(s.Data); err != nil {
		s.t.Fatal(err)
	}
	args := s.spec.Args
	s.spec.Args = append(slices.Clip(args), "--import-dump", dump)
	s.Start()
	s.spec.Args = args
}

func (s *MeilisearchServer) call(method, path string, answer any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.MasterKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil || res.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %s, %v", method, path, res.Status, err)
	}
}

// runOnFreeAddr takes another address when a server does not come up: between
// FreeAddr and the server's own listen, somebody else may have taken the first.
func runOnFreeAddr(t testing.TB, spec func(addr string) Spec) (*Process, string) {
	t.Helper()
	const attempts = 3
	for attempt := 1; ; attempt++ {
		addr := FreeAddr(t)
		process := newProcess(t, spec(addr))
		err := process.start()
		if err == nil {
			return process, addr
		}
		process.Kill()
		if attempt == attempts {
			t.Fatalf("start %s: %v", process.spec.Args[0], err)
		}
	}
}

// bareEnv keeps the settings and credentials of the machine out of the servers.
func bareEnv(dir string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
}
