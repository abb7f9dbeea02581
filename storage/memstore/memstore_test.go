package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"dangan/storage"
	"dangan/storage/memstore"
	"dangan/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Objects { return memstore.New(t) })
}

// recorder takes what a store reports.
type recorder struct{ reports []string }

func (*recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.reports = append(r.reports, fmt.Sprintf(format, args...))
}

// TestRules: each way to break FORMAT.md is reported, and the way beside it is not.
func TestRules(t *testing.T) {
	ctx := context.Background()
	put := func(key string) func(*memstore.Store) error {
		return func(s *memstore.Store) error { return s.Put(ctx, key, []byte("x")) }
	}
	create := func(key string) func(*memstore.Store) error {
		return func(s *memstore.Store) error { return s.PutIfAbsent(ctx, key, []byte("x")) }
	}
	stream := func(key string) func(*memstore.Store) error {
		return func(s *memstore.Store) error { return s.PutStream(ctx, key, strings.NewReader("x")) }
	}
	remove := func(key string) func(*memstore.Store) error {
		return func(s *memstore.Store) error { return s.Delete(ctx, key) }
	}
	for name, test := range map[string]struct {
		steps []func(*memstore.Store) error
		want  string // part of the report; empty for none
	}{
		"entry created":             {[]func(*memstore.Store) error{create("chain/record/a/00000001")}, ""},
		"entry put":                 {[]func(*memstore.Store) error{put("chain/record/a/00000001")}, "does not allow"},
		"entry in parts":            {[]func(*memstore.Store) error{stream("chain/record/a/00000001")}, "does not allow"},
		"entry deleted":             {[]func(*memstore.Store) error{remove("chain/record/a/00000001")}, "does not allow"},
		"blob written":              {[]func(*memstore.Store) error{stream("blob/ab/abc")}, ""},
		"blob overwritten":          {[]func(*memstore.Store) error{stream("blob/ab/abc"), stream("blob/ab/abc")}, "immutable"},
		"claim deleted":             {[]func(*memstore.Store) error{remove("claim/refcode/ab/abc")}, "does not allow"},
		"data key made again":       {[]func(*memstore.Store) error{create("key/record/a"), remove("key/record/a"), create("key/record/a")}, "created again"},
		"mark put, deleted and put": {[]func(*memstore.Store) error{put("mark/p/1/ab/abc/a"), remove("mark/p/1/ab/abc/a"), put("mark/p/1/ab/abc/a")}, ""},
		"prefix nobody knows":       {[]func(*memstore.Store) error{put("other/a")}, "no such prefix"},
		"capital letter":            {[]func(*memstore.Store) error{put("mark/A")}, "form"},
		"empty segment":             {[]func(*memstore.Store) error{put("mark//a")}, "form"},
		"dots":                      {[]func(*memstore.Store) error{put("mark/../a")}, "form"},
		"segment that is too long":  {[]func(*memstore.Store) error{put("mark/" + strings.Repeat("a", 200))}, "form"},
		"folder that is an object":  {[]func(*memstore.Store) error{put("work/a"), put("work/a/b")}, "folder"},
		"object that is a folder":   {[]func(*memstore.Store) error{put("work/a/b"), put("work/a")}, "folder"},
	} {
		t.Run(name, func(t *testing.T) {
			var r recorder
			s := memstore.New(&r)
			for _, step := range test.steps {
				if err := step(s); err != nil {
					t.Fatal(err)
				}
			}
			got := strings.Join(r.reports, "\n")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("reported %q, want %q", got, test.want)
			}
		})
	}
}

// TestFault: a fault ends the operation with its error, with or without effect.
func TestFault(t *testing.T) {
	ctx, failure := context.Background(), errors.New("no answer")
	s := memstore.New(t)
	for _, apply := range []bool{false, true} {
		s.SetFault(func(op, key string) (bool, error) {
			if op != memstore.Put || key != "work/a/b" {
				t.Errorf("fault asked for %s %s", op, key)
			}
			return apply, failure
		})
		if err := s.Put(ctx, "work/a/b", []byte("x")); !errors.Is(err, failure) {
			t.Errorf("put: %v", err)
		}
		if applied := s.Raw("work/a/b") != nil; applied != apply {
			t.Errorf("apply %v, and the effect is %v", apply, applied)
		}
	}
	s.SetFault(func(string, string) (bool, error) { return false, nil })
	if err := s.Put(ctx, "work/a/c", []byte("x")); err != nil || s.Raw("work/a/c") == nil {
		t.Errorf("a fault without an error changes the outcome: %v", err)
	}
}
