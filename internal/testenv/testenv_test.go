package testenv_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"dangan/internal/testenv"
)

func TestFreeAddrCanBeListenedOn(t *testing.T) {
	listener, err := net.Listen("tcp", testenv.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
}

// fakeTB records how Path ends a test instead of ending this one.
type fakeTB struct {
	testing.TB
	skipped, failed string
}

func (f *fakeTB) Helper()           {}
func (f *fakeTB) Skip(args ...any)  { f.skipped = args[0].(string) }
func (f *fakeTB) Fatal(args ...any) { f.failed = args[0].(string) }

func (f *fakeTB) Fatalf(format string, args ...any) { f.failed = fmt.Sprintf(format, args...) }

func TestMissingToolSkipsOrFails(t *testing.T) {
	for _, c := range []struct {
		require  string
		wantFail bool
	}{{"", false}, {"1", true}} {
		t.Setenv("DANGAN_REQUIRE_TOOLS", c.require)
		var tb fakeTB
		testenv.Path(&tb, "no-such-tool")
		if failed := tb.failed != ""; failed != c.wantFail {
			t.Errorf("DANGAN_REQUIRE_TOOLS=%q: failed %v, want %v", c.require, failed, c.wantFail)
		}
		if reason := tb.failed + tb.skipped; !strings.Contains(reason, "no-such-tool") {
			t.Errorf("DANGAN_REQUIRE_TOOLS=%q: reason %q does not name the tool", c.require, reason)
		}
	}
}

func TestRounds(t *testing.T) {
	for _, c := range []struct {
		factor string
		want   int // 0 for a failure
	}{{"", 4}, {"3", 12}, {"0", 0}, {"many", 0}} {
		t.Setenv("DANGAN_TORTURE", c.factor)
		var tb fakeTB
		if got := testenv.Rounds(&tb, 4); got != c.want && tb.failed == "" {
			t.Errorf("DANGAN_TORTURE=%q: %d rounds, want %d", c.factor, got, c.want)
		}
		if failed := tb.failed != ""; failed != (c.want == 0) {
			t.Errorf("DANGAN_TORTURE=%q: failed %v", c.factor, failed)
		}
	}
}

func TestServersComeBackAfterEveryEnd(t *testing.T) {
	minio, meili := testenv.MinIO(t), testenv.Meilisearch(t)
	for _, server := range []struct {
		*testenv.Process
		name, url string
	}{
		{minio.Process, "minio", "http://" + minio.Endpoint + "/minio/health/live"},
		{meili.Process, "meilisearch", meili.URL + "/health"},
	} {
		t.Run(server.name, func(t *testing.T) {
			first := server.PID()
			for name, end := range map[string]func(){"kill": server.Kill, "stop": server.Stop} {
				end()
				if answers(server.url) || server.PID() != 0 {
					t.Errorf("answers after %s", name)
				}
				server.Start()
				if !answers(server.url) || server.PID() == first {
					t.Errorf("does not answer from a new process after %s", name)
				}
			}
			server.Pause()
			if answersWithin(server.url, 300*time.Millisecond) {
				t.Error("answers while paused")
			}
			server.Resume()
			if !answers(server.url) {
				t.Error("does not answer after resume")
			}
		})
	}
}

func answers(url string) bool { return answersWithin(url, time.Minute) }

func answersWithin(url string, patience time.Duration) bool {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}
