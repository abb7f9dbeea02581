package storage

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"dangan/archive"
)

// S3 is Objects in a bucket of a real store.
type S3 struct {
	core    minio.Core
	bucket  string
	buffers sync.Pool // of *bytes.Buffer, each of up to singlePut bytes
}

const (
	partSize    = 8 << 20          // of a multipart upload, three of which are in memory; of 10,000 at most
	singlePut   = 16 << 20         // up to which a stream becomes a single PUT
	attempts    = 4                // of minio-go for one request
	busyRetries = 20               // while a store decides between writers
	smallWait   = 30 * time.Second // and a second for each MiB
)

// Dial connects to the store, creates the bucket when it is missing, and tries
// out the promises that can only be seen on the wire.
func Dial(ctx context.Context, cfg Config) (*S3, error) {
	s, err := connect(cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to store: %w", err)
	}
	if err := s.ensureBucket(ctx, cfg.Region); err != nil {
		return nil, fmt.Errorf("connect to store: %w", err)
	}
	if err := s.probeWire(ctx); err != nil {
		return nil, fmt.Errorf("connect to store: %w", err)
	}
	return s, nil
}

func connect(cfg Config) (*S3, error) {
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	core, err := minio.NewCore(cfg.Endpoint, &minio.Options{
		Creds:      credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Secure:     cfg.Secure,
		Region:     cfg.Region,
		Transport:  cfg.Transport,
		MaxRetries: attempts,
	})
	if err != nil {
		return nil, err
	}
	return &S3{core: *core, bucket: cfg.Bucket, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}, nil
}

func (s *S3) ensureBucket(ctx context.Context, region string) error {
	ctx, cancel := context.WithTimeout(ctx, smallWait)
	defer cancel()
	exists, err := s.core.BucketExists(ctx, s.bucket)
	if err != nil {
		return failure("look for bucket", s.bucket, err)
	}
	if exists {
		return nil
	}
	err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: region})
	var answer minio.ErrorResponse
	if errors.As(err, &answer) && answer.Code == minio.BucketAlreadyOwnedByYou {
		return nil // by a replica that starts at the same time
	}
	return failure("make bucket", s.bucket, err)
}

// Put implements Objects.
func (s *S3) Put(ctx context.Context, key string, data []byte) error {
	return failure("put", key, s.put(ctx, key, data, func(*minio.PutObjectOptions) {}))
}

// PutIfAbsent implements Objects.
func (s *S3) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	err := s.put(ctx, key, data, func(o *minio.PutObjectOptions) { o.SetMatchETagExcept("*") })
	if errors.Is(classify(err), archive.ErrConflict) {
		return fmt.Errorf("create %s: %w", key, archive.ErrExists)
	}
	return failure("create", key, err)
}

// PutIfMatch implements Objects.
func (s *S3) PutIfMatch(ctx context.Context, key, etag string, data []byte) error {
	err := s.put(ctx, key, data, func(o *minio.PutObjectOptions) { o.SetMatchETag(etag) })
	if errors.Is(classify(err), archive.ErrNotFound) {
		return fmt.Errorf("replace %s: %w", key, archive.ErrConflict)
	}
	return failure("replace", key, err)
}

// put is a single PUT with a checksum: minio-go drops the condition of an upload
// in parts, silently. The body is not signed. What it holds is sealed, so that a
// change is seen when it is read; and whoever could change it on its way could as
// well answer in the place of the store.
func (s *S3) put(ctx context.Context, key string, data []byte, condition func(*minio.PutObjectOptions)) error {
	opts := putOptions(checksum(data))
	condition(&opts)
	for try := 1; ; try++ {
		err := s.putOnce(ctx, key, data, opts)
		if !isBusy(err) {
			return err
		}
		if try == busyRetries {
			return fmt.Errorf("%w: %w", archive.ErrUnavailable, err)
		}
		select {
		case <-time.After(rand.N(50 * time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func putOptions(checksum string) minio.PutObjectOptions {
	return minio.PutObjectOptions{
		DisableContentSha256: true,
		ContentType:          "application/octet-stream",
		// Sent as a header, not as metadata, and checked by the store.
		UserMetadata: map[string]string{"X-Amz-Checksum-Crc32c": checksum},
	}
}

// checksum is the CRC-32C of data as the header has it.
func checksum(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

func (s *S3) putOnce(ctx context.Context, key string, data []byte, opts minio.PutObjectOptions) error {
	ctx, cancel := context.WithTimeout(ctx, smallWait+time.Duration(len(data)>>20)*time.Second)
	defer cancel()
	_, err := s.core.PutObject(ctx, s.bucket, key, bytes.NewReader(data), int64(len(data)), "", "", opts)
	return err
}

// PutStream implements Objects.
func (s *S3) PutStream(ctx context.Context, key string, r io.Reader) error {
	start, _ := s.buffers.Get().(*bytes.Buffer)
	start.Reset()
	defer s.buffers.Put(start)
	_, err := io.CopyN(start, r, singlePut+1)
	if err == io.EOF {
		return s.Put(ctx, key, start.Bytes())
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return failure("put", key, s.putParts(ctx, key, io.MultiReader(start, r)))
}

func (s *S3) putParts(ctx context.Context, key string, r io.Reader) error {
	_, err := s.core.Client.PutObject(ctx, s.bucket, key, r, -1, minio.PutObjectOptions{
		PartSize:              partSize,
		NumThreads:            2, // one part is sent while the next one is sealed
		DisableContentSha256:  true,
		ConcurrentStreamParts: true,
		ContentType:           "application/octet-stream",
	})
	return err
}

// Get implements Objects.
func (s *S3) Get(ctx context.Context, key string, offset, length int64) (Object, error) {
	var opts minio.GetObjectOptions
	whole := offset == 0 && length < 0
	if !whole {
		end := int64(0) // to the end
		if length >= 0 {
			end = offset + length - 1
		}
		if err := opts.SetRange(offset, end); err != nil {
			return Object{}, fmt.Errorf("get %s: %w: %w", key, archive.ErrInvalid, err)
		}
	}
	body, info, headers, err := s.core.GetObject(ctx, s.bucket, key, opts)
	if err != nil {
		return Object{}, failure("get", key, err)
	}
	o := Object{Body: answered{body, key}, Size: info.Size, ETag: info.ETag}
	if !whole {
		if o.Size, err = totalSize(headers); err != nil {
			_ = body.Close()
			return Object{}, fmt.Errorf("get %s: %w", key, err)
		}
	}
	return o, nil
}

// totalSize reads "Content-Range: bytes 0-9/100".
func totalSize(h http.Header) (int64, error) {
	value := h.Get("Content-Range")
	_, total, _ := strings.Cut(value, "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the store does not say the size of a range: %q", value)
	}
	return size, nil
}

// List implements Objects.
func (s *S3) List(ctx context.Context, prefix, after string) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		owner := false
		for info := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{
			Prefix: prefix, StartAfter: after, Recursive: true, FetchOwner: &owner,
		}) {
			if info.Err != nil {
				yield(Listed{}, failure("list", prefix, info.Err))
				return
			}
			if strings.Contains(info.Key, "/.") {
				continue // how versitygw names an object that is about to replace another
			}
			if !yield(Listed{info.Key, info.Size, info.LastModified}, nil) {
				return
			}
		}
		// minio-go ends a listing silently when the context ends: that what is left
		// does not exist must not follow from it.
		if err := ctx.Err(); err != nil {
			yield(Listed{}, failure("list", prefix, err))
		}
	}
}

// Delete implements Objects.
func (s *S3) Delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, smallWait)
	defer cancel()
	err := s.core.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
	if errors.Is(classify(err), archive.ErrNotFound) {
		return nil
	}
	return failure("delete", key, err)
}
