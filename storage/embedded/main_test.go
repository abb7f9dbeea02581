package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	miniocreds "github.com/minio/minio-go/v7/pkg/credentials"
)

// TestMain lets the test binary play the processes a program consists of.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	var err error
	switch os.Args[1] {
	case "store-child":
		err = RunChild(context.Background(), os.Stdin, os.Stdout)
	case "store-child-on-bad-disk":
		err = serve(context.Background(), os.Stdin, os.Stdout, failOnFolders)
	case "store-child-that-never-syncs":
		err = serve(context.Background(), os.Stdin, os.Stdout, func(*os.File) error { return nil })
	case "store-child-that-hangs":
		_, err = io.Copy(io.Discard, os.Stdin)
	case "store-child-that-fails":
		err = errors.New("no store today")
	case "store-parent":
		err = runParent(os.Args[2])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runParent starts a store, says so, and waits to be killed.
func runParent(dir string) error {
	s, err := Start(context.Background(), testConfig(dir))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	<-s.Done()
	return s.Err()
}

// failOnFolders syncs files but no folder below the root.
func failOnFolders(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.IsDir() && f.Name() != "." {
		return errors.Join(err, syscall.EIO)
	}
	return nil
}

func testConfig(dir string) Config {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Config{Dir: dir, Exe: exe, Args: []string{"store-child"}, StartTimeout: time.Minute}
}

// start runs a store until the end of the test.
func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil && !errors.Is(err, ErrNotDurable) {
		t.Errorf("Stop: %v", err)
	}
}

const bucket = "archive"

func credentialsOf(s *Server) *miniocreds.Credentials {
	return miniocreds.NewStaticV4(s.AccessKey(), s.SecretKey(), "")
}

// client connects as package storage does.
func client(t *testing.T, s *Server) *minio.Client {
	t.Helper()
	c, err := minio.New(s.Endpoint(), &minio.Options{
		Creds:     credentialsOf(s),
		Transport: s.Transport(),
		Region:    "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clientWithBucket is a client of a fresh store.
func clientWithBucket(t *testing.T, s *Server) *minio.Client {
	t.Helper()
	c := client(t, s)
	if err := c.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return c
}
