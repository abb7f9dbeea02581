package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// recorder is a disk that notes what was synced, and in which state.
type recorder struct {
	synced []string
	err    error // what a sync returns
	failed error // what the store was told
}

func (r *recorder) sync(f *os.File) error {
	name := f.Name()
	if strings.HasPrefix(name, "/proc/") || strings.Contains(name, posix.MetaTmpDir) {
		name = "staged file" // without a name yet, where the file system can do that
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() {
		name = fmt.Sprintf("%s of %d bytes", name, info.Size())
	}
	r.synced = append(r.synced, name)
	return errors.Join(r.err, f.Sync())
}

func (r *recorder) take() []string {
	defer func() { r.synced = nil }()
	return r.synced
}

// openRecorded opens a store with one bucket in this process.
func openRecorded(t *testing.T) (*durable, *recorder) {
	t.Helper()
	root := t.TempDir()
	t.Chdir(root) // posix.New changes it; this changes it back
	r := &recorder{}
	d, err := openDurable(root, disk{sync: r.sync, fail: func(err error) { r.failed = err }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Shutdown)
	in := &s3.CreateBucketInput{Bucket: ptr("b"), CreateBucketConfiguration: &types.CreateBucketConfiguration{}}
	if err := d.CreateBucket(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"b", "b", "."} // two attributes, then the name of the bucket
	if diff := cmp.Diff(want, r.take()); diff != "" {
		t.Fatalf("create bucket: %s", diff)
	}
	return d, r
}

func ptr[T any](v T) *T { return &v }

func putInput(key, body string) s3response.PutObjectInput {
	return s3response.PutObjectInput{
		Bucket: ptr("b"), Key: &key,
		Body: strings.NewReader(body), ContentLength: ptr(int64(len(body))),
	}
}

func TestSyncs(t *testing.T) {
	d, r := openRecorded(t)
	ctx := t.Context()
	put := func(in s3response.PutObjectInput) error {
		_, err := d.PutObject(ctx, in)
		return err
	}
	steps := []struct {
		name string
		do   func() error
		want []string
	}{
		{"put: the bytes before the name, then all folders", func() error {
			return put(putInput("x/y/k", "12345"))
		}, []string{"staged file of 5 bytes", "b/x/y/k of 5 bytes", "b/x/y", "b/x", "b"}},
		{"overwrite: the folders above are known", func() error {
			return put(putInput("x/y/k", "123"))
		}, []string{"staged file of 3 bytes", "b/x/y/k of 3 bytes", "b/x/y"}},
		{"a new folder in a known one", func() error {
			return put(putInput("x/z/k", "123"))
		}, []string{"staged file of 3 bytes", "b/x/z/k of 3 bytes", "b/x/z", "b/x"}},
		{"create-only: what is in the way is synced", func() error {
			in := putInput("x/y/k", "other")
			in.IfNoneMatch = ptr("*")
			if err := put(in); !errors.Is(err, s3err.GetAPIError(s3err.ErrPreconditionFailed)) {
				return fmt.Errorf("create-only over an object: %w", err)
			}
			return nil
		}, []string{"b/x/y/k of 3 bytes", "b/x/y"}},
		{"copy", func() error {
			_, err := d.CopyObject(ctx, s3response.CopyObjectInput{
				Bucket: ptr("b"), Key: ptr("copy"), CopySource: ptr("b/x/y/k"), ExpectedBucketOwner: ptr(""),
			})
			return err
		}, []string{"staged file of 3 bytes", "b/copy of 3 bytes", "b"}},
		{"tag an object", func() error {
			return d.PutObjectTagging(ctx, "b", "copy", "", map[string]string{"k": "v"})
		}, []string{"b/copy of 3 bytes"}},
		{"delete: the folders that remain", func() error {
			_, err := d.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: ptr("b"), Key: ptr("x/y/k")})
			return err
		}, []string{"b/x"}},
		{"put where a folder was removed", func() error {
			return put(putInput("x/y/k", "12345"))
		}, []string{"staged file of 5 bytes", "b/x/y/k of 5 bytes", "b/x/y", "b/x", "b"}},
		{"delete many", func() error {
			_, err := d.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: ptr("b"), Delete: &types.Delete{
				Objects: []types.ObjectIdentifier{{Key: ptr("copy")}, {Key: ptr("absent")}},
			}})
			return err
		}, []string{"b", "b"}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if diff := cmp.Diff(s.want, r.take()); diff != "" {
			t.Errorf("%s (-want +got): %s", s.name, diff)
		}
	}
	if r.failed != nil {
		t.Errorf("the store was told: %v", r.failed)
	}
}

func TestSyncsMultipart(t *testing.T) {
	d, r := openRecorded(t)
	in, parts := uploadPart(t, d, "scan", "all of it")
	r.take()
	if _, _, err := d.CompleteMultipartUpload(t.Context(), completeInput(in, parts)); err != nil {
		t.Fatal(err)
	}
	want := []string{"staged file of 9 bytes", "b/scan of 9 bytes", "b"}
	if diff := cmp.Diff(want, r.take()); diff != "" {
		t.Error(diff)
	}
}

// uploadPart starts an upload and sends its only part.
func uploadPart(t *testing.T, d *durable, key, body string) (*s3.UploadPartInput, []types.CompletedPart) {
	t.Helper()
	up, err := d.CreateMultipartUpload(t.Context(), s3response.CreateMultipartUploadInput{Bucket: ptr("b"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	in := &s3.UploadPartInput{
		Bucket: ptr("b"), Key: &key, UploadId: &up.UploadId, PartNumber: ptr(int32(1)),
		Body: strings.NewReader(body), ContentLength: ptr(int64(len(body))),
	}
	part, err := d.UploadPart(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return in, []types.CompletedPart{{PartNumber: in.PartNumber, ETag: part.ETag}}
}

func completeInput(in *s3.UploadPartInput, parts []types.CompletedPart) *s3.CompleteMultipartUploadInput {
	return &s3.CompleteMultipartUploadInput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
}

// Killed in the middle of a completion, the backend would from then on answer
// that completion with success and have no object.
func TestInterruptedCompletion(t *testing.T) {
	d, _ := openRecorded(t)
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	in, parts := uploadPart(t, d, "scan", "all of it")
	uploads, err := filepath.Glob("b/.sgwtmp/multipart/*/" + *in.UploadId)
	if err != nil || len(uploads) != 1 {
		t.Fatalf("uploads %q, %v", uploads, err)
	}
	claimed := fmt.Sprintf("%s.%s.inprogress", uploads[0], multipartETag(t, d, in, parts))
	if err := os.Rename(uploads[0], claimed); err != nil {
		t.Fatal(err)
	}
	staged := filepath.Join("b", posix.MetaTmpDir, "staged")
	if err := os.WriteFile(staged, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.CompleteMultipartUpload(t.Context(), completeInput(in, parts)); err == nil {
		t.Fatal("acknowledged without an object")
	}
	if err := mend(root); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.CompleteMultipartUpload(t.Context(), completeInput(in, parts)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(staged); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("staged file is left: %v", err)
	}
	if body, err := os.ReadFile("b/scan"); err != nil || string(body) != "all of it" {
		t.Errorf("object is %q, %v", body, err)
	}
}

// multipartETag learns the ETag of an upload by completing a twin of it.
func multipartETag(t *testing.T, d *durable, in *s3.UploadPartInput, parts []types.CompletedPart) string {
	t.Helper()
	twin, _ := uploadPart(t, d, "twin", "all of it")
	out, _, err := d.CompleteMultipartUpload(t.Context(), completeInput(twin, parts))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(*out.ETag, `"`)
}

func TestFailedSync(t *testing.T) {
	t.Run("before the object is visible", func(t *testing.T) {
		d, r := openRecorded(t)
		r.err = syscall.ENOSPC
		_, err := d.PutObject(t.Context(), putInput("k", "body"))
		var api s3err.APIError
		if !errors.As(err, &api) || api.Code != "InsufficientStorage" {
			t.Errorf("put on a full disk: %v", err)
		}
		if _, err := os.Stat("b/k"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("object is visible: %v", err)
		}
		if r.failed != nil {
			t.Errorf("a full disk ended the store: %v", r.failed)
		}
	})
	t.Run("after a change is visible", func(t *testing.T) {
		d, r := openRecorded(t)
		if _, err := d.PutObject(t.Context(), putInput("k", "body")); err != nil {
			t.Fatal(err)
		}
		r.err = syscall.EIO
		_, err := d.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: ptr("b"), Key: ptr("k")})
		if !errors.Is(err, ErrNotDurable) || !errors.Is(r.failed, ErrNotDurable) {
			t.Errorf("delete: %v, store was told: %v", err, r.failed)
		}
	})
}

// Objects from a backup without attributes must not look absent to a
// create-only PUT.
func TestObjectWithoutETag(t *testing.T) {
	d, _ := openRecorded(t)
	if _, err := d.PutObject(t.Context(), putInput("k", "old")); err != nil {
		t.Fatal(err)
	}
	if err := d.meta.DeleteAttribute("b", "k", etagAttribute); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*s3response.PutObjectInput){
		"create only":      func(in *s3response.PutObjectInput) { in.IfNoneMatch = ptr("*") },
		"compare and swap": func(in *s3response.PutObjectInput) { in.IfMatch = ptr("d41d8cd98f00b204e9800998ecf8427e") },
	} {
		in := putInput("k", "new")
		change(&in)
		if _, err := d.PutObject(t.Context(), in); !errors.Is(err, s3err.GetAPIError(s3err.ErrPreconditionFailed)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if body, err := os.ReadFile("b/k"); err != nil || string(body) != "old" {
		t.Errorf("object is %q, %v", body, err)
	}
}

func TestMendBuckets(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "half-made"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mend(root); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}

	if err := os.MkdirAll(filepath.Join(root, "restored", "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mend(root); err == nil || !strings.Contains(err.Error(), "without extended attributes") {
		t.Errorf("mend of a bucket without attributes: %v", err)
	}
}

func TestServeRefusesGarbage(t *testing.T) {
	err := serve(context.Background(), strings.NewReader("no orders"), nil, nil)
	if err == nil {
		t.Error("served")
	}
}
