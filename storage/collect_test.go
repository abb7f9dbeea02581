package storage_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"dangan/archive"
	"dangan/storage"
)

// TestCollectUploads: an upload in parts that was broken off is found, on the store
// that shows them, and ended once it is old.
func TestCollectUploads(t *testing.T) {
	s := startEmbedded(t)
	objects := s.dial(t)
	b, err := storage.New(t.Context(), objects, storage.Config{RootKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	breakOff(t, s.cfg, bucketName(t.Name()))
	if n := uploads(t, objects); n != 1 {
		t.Fatalf("%d uploads", n)
	}
	if done, err := storage.Collect(t.Context(), b, storage.CollectConfig{}); err != nil || done.Uploads != 0 {
		t.Errorf("a young upload: %+v, error %v", done, err)
	}
	var codes []storage.Code
	for f, err := range storage.Check(t.Context(), b, storage.CheckConfig{Age: time.Nanosecond}) {
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, f.Code)
	}
	if len(codes) != 1 || codes[0] != storage.UploadLeft {
		t.Errorf("found %v", codes)
	}
	if done, err := storage.Collect(t.Context(), b, storage.CollectConfig{Age: time.Nanosecond}); err != nil || done.Uploads != 1 {
		t.Errorf("%+v, error %v", done, err)
	}
	if n := uploads(t, objects); n != 0 {
		t.Errorf("%d uploads left", n)
	}
}

func uploads(t *testing.T, objects *storage.S3) (n int) {
	t.Helper()
	for _, err := range objects.Uploads(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// breakOff begins an upload in parts and sends one part.
func breakOff(t *testing.T, cfg storage.Config, bucket string) {
	t.Helper()
	core, err := minio.NewCore(cfg.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Region: "us-east-1", Transport: cfg.Transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	key := dir("blob", "record", recordID) + "/" + blobID
	id, err := core.NewMultipartUpload(t.Context(), bucket, key, minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.PutObjectPart(t.Context(), bucket, key, id, 1, strings.NewReader("part"), 4, minio.PutObjectPartOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestCollect(t *testing.T) {
	o := stocked(t)
	ref := archive.Ref{Kind: archive.KindRecord, ID: recordID}
	garbage := o.keep(ref, "garbage", archive.Carry{})
	o.keep(archive.Ref{Kind: archive.KindRecord, ID: nobodyID}, "of a chain that is not there", archive.Carry{})
	dead := archive.Ref{Kind: archive.KindRecord, ID: fencedID}
	o.keep(dead, "left behind", archive.Carry{})
	before := o.store.Keys()
	if done, err := storage.Collect(o.ctx, o.b, storage.CollectConfig{}); err != nil || done != (storage.Collected{}) {
		t.Fatalf("young blobs: %+v, error %v", done, err)
	}
	for _, key := range before {
		o.store.Age(key, 25*time.Hour)
	}
	done, err := storage.Collect(o.ctx, o.b, storage.CollectConfig{})
	if err != nil || done.Blobs != 2 {
		t.Errorf("%+v, error %v", done, err)
	}
	want := slices.DeleteFunc(slices.Clone(before), func(key string) bool {
		return strings.HasSuffix(key, garbage.ID) || strings.HasPrefix(key, dir("blob", archive.KindRecord, fencedID))
	})
	if diff := cmp.Diff(want, o.store.Keys()); diff != "" {
		t.Error(diff)
	}
}
