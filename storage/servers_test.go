package storage_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"dangan/internal/testenv"
	"dangan/storage"
	"dangan/storage/embedded"
	"dangan/storage/storagetest"
)

// embeddedChild makes the test binary play the embedded store's process.
const embeddedChild = "embedded-store-child"

func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != embeddedChild {
		os.Exit(m.Run())
	}
	if err := embedded.RunChild(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// server is a real store that buckets can be made in.
type server struct {
	name string
	cfg  storage.Config // all but the bucket
}

func startMinIO(t testing.TB) server {
	s := testenv.MinIO(t)
	return server{"minio", storage.Config{Endpoint: s.Endpoint, AccessKey: s.AccessKey, SecretKey: s.SecretKey}}
}

func startEmbedded(t testing.TB) server {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := embedded.Start(context.Background(), embedded.Config{
		Dir: t.TempDir(), Exe: exe, Args: []string{embeddedChild}, StartTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("stop embedded store: %v", err)
		}
	})
	return server{"embedded", storage.Config{
		Endpoint: s.Endpoint(), AccessKey: s.AccessKey(), SecretKey: s.SecretKey(), Transport: s.Transport(),
	}}
}

// dial opens a fresh bucket named after the test.
func (s server) dial(t testing.TB) *storage.S3 {
	t.Helper()
	cfg := s.cfg
	cfg.Bucket = bucketName(t.Name())
	objects, err := storage.Dial(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func bucketName(test string) string {
	name := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(test))
	return strings.Trim(name[max(0, len(name)-60):], "-")
}

func TestContractMinIO(t *testing.T) {
	s := startMinIO(t)
	storagetest.Run(t, func(t *testing.T) storage.Objects { return s.dial(t) })
}

func TestContractEmbedded(t *testing.T) {
	s := startEmbedded(t)
	storagetest.Run(t, func(t *testing.T) storage.Objects { return s.dial(t) })
}
