package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/minio/minio-go/v7"

	"dangan/archive"
)

// failure translates an error of minio-go, once, to the sentinels of package
// archive. What it does not know stays unknown.
func failure(op, key string, err error) error {
	if err == nil {
		return nil
	}
	if sentinel := classify(err); sentinel != nil {
		return fmt.Errorf("%s %s: %w: %w", op, key, sentinel, err)
	}
	return fmt.Errorf("%s %s: %w", op, key, err)
}

func classify(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil // not the store's fault
	}
	if isNetwork(err) {
		return archive.ErrUnavailable
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return nil
	}
	switch {
	case answer.Code == minio.NoSuchKey && answer.RequestID != "":
		return archive.ErrNotFound // said by a store, and not by a proxy that knows no such path
	case answer.Code == minio.InvalidRange:
		return archive.ErrCorrupt // an entry said that the object is longer
	case answer.StatusCode == http.StatusPreconditionFailed:
		return archive.ErrConflict
	case slices.Contains(harmedOnTheWay(), answer.Code):
		return archive.ErrUnavailable
	case answer.StatusCode >= 500, answer.StatusCode == http.StatusTooManyRequests,
		answer.StatusCode == http.StatusRequestTimeout:
		return archive.ErrUnavailable
	}
	return nil
}

// harmedOnTheWay are the answers of a store to which did not come what was sent,
// and which has therefore kept nothing: a repetition may arrive whole.
func harmedOnTheWay() []string {
	return []string{minio.BadDigest, minio.IncompleteBody, minio.XAmzContentSHA256Mismatch, "XAmzContentChecksumMismatch"}
}

func isNetwork(err error) bool {
	var network net.Error
	var request *url.Error
	return errors.As(err, &network) || errors.As(err, &request) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, net.ErrClosed)
}

// isBusy is the answer of a store that is still deciding between two writers of
// one key (AWS: 409 ConditionalRequestConflict): it says nothing about who wins.
func isBusy(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) && answer.StatusCode == http.StatusConflict &&
		answer.Code == "ConditionalRequestConflict"
}

// answered gives the errors of a body that is being read their meaning.
type answered struct {
	io.ReadCloser
	key string
}

func (a answered) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, failure("read", a.key, err)
}
