package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"
)

func put(ctx context.Context, c *minio.Client, key, body string, change func(*minio.PutObjectOptions)) (minio.UploadInfo, error) {
	opts := minio.PutObjectOptions{DisableMultipart: true}
	if change != nil {
		change(&opts)
	}
	return c.PutObject(ctx, bucket, key, strings.NewReader(body), int64(len(body)), opts)
}

func mustPut(t *testing.T, c *minio.Client, key, body string) minio.UploadInfo {
	t.Helper()
	info, err := put(t.Context(), c, key, body, nil)
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return info
}

func get(t *testing.T, c *minio.Client, key string) string {
	t.Helper()
	o, err := c.GetObject(t.Context(), bucket, key, minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	return string(b)
}

func wantCode(t *testing.T, err error, status int) {
	t.Helper()
	if got := minio.ToErrorResponse(err).StatusCode; got != status {
		t.Errorf("status %d (%v), want %d", got, err, status)
	}
}

func TestWrites(t *testing.T) {
	s := start(t, testConfig(t.TempDir()))
	c := clientWithBucket(t, s)

	t.Run("create only", func(t *testing.T) {
		create := func(o *minio.PutObjectOptions) { o.SetMatchETagExcept("*") }
		if _, err := put(t.Context(), c, "create/one", "first", create); err != nil {
			t.Fatal(err)
		}
		_, err := put(t.Context(), c, "create/one", "second", create)
		wantCode(t, err, http.StatusPreconditionFailed)
		if got := get(t, c, "create/one"); got != "first" {
			t.Errorf("body is %q", got)
		}
	})
	t.Run("compare and swap", func(t *testing.T) {
		first := mustPut(t, c, "swap", "1")
		swap := func(o *minio.PutObjectOptions) { o.SetMatchETag(first.ETag) }
		if _, err := put(t.Context(), c, "swap", "2", swap); err != nil {
			t.Fatal(err)
		}
		_, err := put(t.Context(), c, "swap", "3", swap)
		wantCode(t, err, http.StatusPreconditionFailed)
		if got := get(t, c, "swap"); got != "2" {
			t.Errorf("body is %q", got)
		}
	})
	t.Run("checksum header", func(t *testing.T) {
		sum := sha256.Sum256([]byte("the right body"))
		checked := func(o *minio.PutObjectOptions) {
			o.UserMetadata = map[string]string{"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum[:])}
		}
		_, err := put(t.Context(), c, "checked/wrong", "the wrong body", checked)
		wantCode(t, err, http.StatusBadRequest)
		_, err = c.StatObject(t.Context(), bucket, "checked/wrong", minio.StatObjectOptions{})
		wantCode(t, err, http.StatusNotFound)
		if _, err := put(t.Context(), c, "checked/right", "the right body", checked); err != nil {
			t.Error(err)
		}
	})
}

func TestReadsAndRemovals(t *testing.T) {
	s := start(t, testConfig(t.TempDir()))
	c := clientWithBucket(t, s)

	t.Run("metadata and ranges", func(t *testing.T) {
		described := func(o *minio.PutObjectOptions) { o.UserMetadata = map[string]string{"nonce": "n1"} }
		if _, err := put(t.Context(), c, "meta", "0123456789", described); err != nil {
			t.Fatal(err)
		}
		var opts minio.GetObjectOptions
		if err := opts.SetRange(2, 4); err != nil {
			t.Fatal(err)
		}
		r, info, _, err := (&minio.Core{Client: c}).GetObject(t.Context(), bucket, "meta", opts)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		body, err := io.ReadAll(r)
		if err != nil || string(body) != "234" {
			t.Errorf("range is %q, %v", body, err)
		}
		if got := info.UserMetadata["Nonce"]; got != "n1" {
			t.Errorf("nonce is %q", got)
		}
	})
	t.Run("copy, list and delete", func(t *testing.T) {
		mustPut(t, c, "shelf/a", "book")
		_, err := c.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: bucket, Object: "shelf/deep/b"},
			minio.CopySrcOptions{Bucket: bucket, Object: "shelf/a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.RemoveObject(t.Context(), bucket, "shelf/a", minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"shelf/deep/b"}, keys(t, c, "shelf/")); diff != "" {
			t.Error(diff)
		}
		doomed := make(chan minio.ObjectInfo, 1)
		doomed <- minio.ObjectInfo{Key: "shelf/deep/b"}
		close(doomed)
		for e := range c.RemoveObjects(t.Context(), bucket, doomed, minio.RemoveObjectsOptions{}) {
			t.Error(e.Err)
		}
		if got := keys(t, c, "shelf/"); len(got) != 0 {
			t.Errorf("left: %q", got)
		}
	})
}

func keys(t *testing.T, c *minio.Client, prefix string) []string {
	t.Helper()
	var found []string
	for o := range c.ListObjects(t.Context(), bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		found = append(found, o.Key)
	}
	return found
}

func TestMultipart(t *testing.T) {
	s := start(t, testConfig(t.TempDir()))
	c := clientWithBucket(t, s)
	core := minio.Core{Client: c}

	body := make([]byte, 6<<20)
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	upload := func(key string, opts minio.PutObjectOptions) error {
		id, err := core.NewMultipartUpload(t.Context(), bucket, key, minio.PutObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var parts []minio.CompletePart
		for n, part := range [][]byte{body[:5<<20], body[5<<20:]} {
			p, err := core.PutObjectPart(t.Context(), bucket, key, id, n+1, bytes.NewReader(part), int64(len(part)), minio.PutObjectPartOptions{})
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, minio.CompletePart{PartNumber: p.PartNumber, ETag: p.ETag})
		}
		_, err = core.CompleteMultipartUpload(t.Context(), bucket, key, id, parts, opts)
		return err
	}
	if err := upload("scan", minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, "scan"); got != string(body) {
		t.Errorf("body of %d bytes differs", len(got))
	}
	var create minio.PutObjectOptions
	create.SetMatchETagExcept("*")
	wantCode(t, upload("scan", create), http.StatusPreconditionFailed)

	// Stock versitygw acknowledges any upload id if the key exists.
	mustPut(t, c, "other", "another object")
	c2, err := minio.NewCore(s.Endpoint(), &minio.Options{
		Creds: credentialsOf(s), Transport: s.Transport(), Region: "us-east-1", MaxRetries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c2.CompleteMultipartUpload(t.Context(), bucket, "other", "00000000-0000-0000-0000-000000000000",
		[]minio.CompletePart{{PartNumber: 1, ETag: "d41d8cd98f00b204e9800998ecf8427e"}}, minio.PutObjectOptions{})
	wantCode(t, err, http.StatusInternalServerError)
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	s := start(t, testConfig(dir))
	mustPut(t, clientWithBucket(t, s), "kept", "body")
	before := client(t, s)
	stop(t, s)
	if _, err := os.Lstat(filepath.Join(dir, "run")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("socket folder is left: %v", err)
	}

	again := start(t, testConfig(dir))
	if got := get(t, client(t, again), "kept"); got != "body" {
		t.Errorf("body is %q", got)
	}
	// The path of the socket is the same, the secret is not.
	_, err := before.StatObject(t.Context(), bucket, "kept", minio.StatObjectOptions{})
	wantCode(t, err, http.StatusForbidden)
}

func TestOneStorePerFolder(t *testing.T) {
	dir := t.TempDir()
	first := start(t, testConfig(dir))
	if _, err := Start(t.Context(), testConfig(dir)); !errors.Is(err, ErrInUse) {
		t.Fatalf("second start: %v", err)
	}
	clientWithBucket(t, first) // the refused start did no harm
}

// A path that no socket can have leads to a temporary folder.
func TestLongFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", maxSocket))
	t.Setenv("TMPDIR", shortFolder(t))
	s := start(t, testConfig(dir))
	mustPut(t, clientWithBucket(t, s), "a", "b")

	folder, err := os.Readlink(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket folder: %v, %v", info, err)
	}
	stop(t, s)
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A killed process leaves its socket, and perhaps the folder it was in.
func TestStaleSocket(t *testing.T) {
	elsewhere := filepath.Join(shortFolder(t), "gone")
	for name, folder := range map[string]func(run string) (string, error){
		"in the data root": func(run string) (string, error) { return run, os.Mkdir(run, 0o700) },
		"elsewhere": func(run string) (string, error) {
			return elsewhere, errors.Join(os.Mkdir(elsewhere, 0o700), os.Symlink(elsewhere, run))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := shortFolder(t)
			folder, err := folder(filepath.Join(dir, "run"))
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: filepath.Join(folder, socketName)})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			clientWithBucket(t, start(t, testConfig(dir)))
		})
	}
	if _, err := os.Stat(elsewhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("old socket folder is left: %v", err)
	}
}

// shortFolder is like t.TempDir without the name of the test in its path.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestFolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "store")
	s := start(t, testConfig(dir))
	mustPut(t, clientWithBucket(t, s), "folder/object", "body")
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		locks := filepath.Join(dir, "objects", ".vgwlocks") // empty files of the backend
		if err == nil && info.Mode().Perm()&0o077 != 0 && !strings.HasPrefix(path, locks) {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStartErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"folder is a file", func(c *Config) { c.Dir = file }, "not a directory"},
		{"no such program", func(c *Config) { c.Exe = filepath.Join(file, "exe") }, "not a directory"},
		{"child fails", func(c *Config) { c.Args = []string{"store-child-that-fails"} }, "no store today"},
		{"child hangs", func(c *Config) {
			c.Args = []string{"store-child-that-hangs"}
			c.StartTimeout = 50 * time.Millisecond
		}, "no answer from the store: context deadline exceeded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(t.TempDir())
			tt.change(&cfg)
			s, err := Start(t.Context(), cfg)
			if err == nil {
				stop(t, s)
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q, want %q", err, tt.want)
			}
			if tt.name == "folder is a file" {
				return
			}
			start(t, testConfig(cfg.Dir)) // a failed start frees the folder
		})
	}
}

// A disk that refuses to sync ends the store for good: what it shows from then
// on may not be there.
func TestBadDisk(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.Args = []string{"store-child-on-bad-disk"}
	s := start(t, cfg)
	if err := s.Err(); err != nil {
		t.Fatalf("Err of a running store: %v", err)
	}
	c, err := minio.New(s.Endpoint(), &minio.Options{
		Creds: credentialsOf(s), Transport: s.Transport(), Region: "us-east-1", MaxRetries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err == nil {
		t.Fatal("bucket was acknowledged")
	}
	<-s.Done()
	if err := s.Err(); !errors.Is(err, ErrNotDurable) {
		t.Errorf("Err: %v", err)
	}
}
