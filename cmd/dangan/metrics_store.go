package main

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/prometheus/client_golang/prometheus"

	"dangan/storage"
)

// openBucket opens a bucket whose operations are counted.
func (m *metrics) openBucket(ctx context.Context, cfg storage.Config) (*storage.Bucket, error) {
	objects, err := storage.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return storage.New(ctx, watchedObjects{objects, m.store}, cfg)
}

// watchedObjects counts how operations end. That an object is not there, or that
// somebody else was faster, is an answer like others; unavailable, damaged and
// failed are not.
type watchedObjects struct {
	*storage.S3
	ended *prometheus.CounterVec
}

func (w watchedObjects) count(op string, err error) error {
	w.ended.WithLabelValues(op, resultOf(err)).Inc()
	return err
}

// Put implements storage.Objects.
func (w watchedObjects) Put(ctx context.Context, key string, data []byte) error {
	return w.count("put", w.S3.Put(ctx, key, data))
}

// PutIfAbsent implements storage.Objects.
func (w watchedObjects) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return w.count("create", w.S3.PutIfAbsent(ctx, key, data))
}

// PutIfMatch implements storage.Objects.
func (w watchedObjects) PutIfMatch(ctx context.Context, key, etag string, data []byte) error {
	return w.count("replace", w.S3.PutIfMatch(ctx, key, etag, data))
}

// PutStream implements storage.Objects.
func (w watchedObjects) PutStream(ctx context.Context, key string, r io.Reader) error {
	return w.count("stream", w.S3.PutStream(ctx, key, r))
}

// Delete implements storage.Objects.
func (w watchedObjects) Delete(ctx context.Context, key string) error {
	return w.count("delete", w.S3.Delete(ctx, key))
}

// Get implements storage.Objects.
func (w watchedObjects) Get(ctx context.Context, key string, offset, length int64) (storage.Object, error) {
	o, err := w.S3.Get(ctx, key, offset, length)
	if w.count("get", err) == nil {
		o.Body = watchedBody{o.Body, w}
	}
	return o, err
}

// List implements storage.Objects.
func (w watchedObjects) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Listed, error] {
	return func(yield func(storage.Listed, error) bool) {
		var failed error
		defer func() { _ = w.count("list", failed) }()
		for o, err := range w.S3.List(ctx, prefix, after) {
			failed = err
			if !yield(o, err) {
				return
			}
		}
	}
}

// watchedBody counts bodies that break off.
type watchedBody struct {
	io.ReadCloser
	w watchedObjects
}

func (b watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, b.w.count("read", err)
	}
	return n, err
}
