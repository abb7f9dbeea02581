package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/internal/testenv"
)

// vaultOf is a store with the files that `dangan keys` needs.
type vaultOf struct {
	t       *testing.T
	dir     string
	env     []string
	objects string // folder in which the store keeps them
}

func newVault(t *testing.T) vaultOf {
	minio := testenv.MinIO(t)
	dir := t.TempDir()
	return vaultOf{t, dir, []string{"DANGAN_S3_ENDPOINT=http://" + minio.Endpoint, "DANGAN_S3_ACCESS_KEY=" + minio.AccessKey,
		"DANGAN_S3_SECRET_KEY_FILE=" + secretFile(t, dir, "s3.key", minio.SecretKey)}, minio.Data}
}

func (v vaultOf) file(name string) string { return filepath.Join(v.dir, name) }

// keys runs `dangan keys` with a root key file, expects it to succeed or not, and
// to say something.
func (v vaultOf) keys(ok bool, say, root string, args ...string) string {
	v.t.Helper()
	cmd := exec.Command(binary, append([]string{"keys"}, args...)...)
	cmd.Env = environment(append(slices.Clone(v.env), "DANGAN_ROOT_KEY_FILE="+v.file(root), "DANGAN_RING_AGE=1s")...)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); (err == nil) != ok || !ok && code != 1 || !strings.Contains(string(out), say) {
		v.t.Errorf("keys %v: exit %d, want success %v and %q\n%s", args, code, ok, say, out)
	}
	if regexp.MustCompile(`[0-9a-f]{64}|AGE-SECRET`).Match(out) {
		v.t.Errorf("keys %v: prints a key\n%s", args, out)
	}
	return string(out)
}

// TestKeys takes a bucket through the life of its keys by the command line.
func TestKeys(t *testing.T) {
	v := newVault(t)
	who, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	recipient := who.Recipient().String()
	secretFile(t, v.dir, "identity", who.String()+"\n")
	v.keys(false, "dangan keys init", "root", "status")
	v.keys(true, "key ring", "root", "init", "--recipient", recipient, "--out", v.file("first.age"))
	made, err := os.ReadFile(v.file("root"))
	if info, statErr := os.Stat(v.file("root")); err != nil || statErr != nil || info.Mode().Perm() != 0o600 || len(made) != 65 {
		t.Errorf("root key of %d bytes: %v, %v", len(made), err, statErr)
	}
	v.keys(false, "nothing was changed", "root", "init")
	v.keys(false, "nothing was changed", "another", "init")
	if _, err := os.Stat(v.file("another")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused init made a root key: %v", err)
	}
	v.keys(true, "escrow of all versions", "root", "status")
	v.keys(true, "Version 2", "root", "rotate")
	v.keys(false, "version 2", "root", "rotate")
	v.keys(true, "Moved 0 data keys", "root", "rewrite")
	v.keys(true, "only the versions up to 1", "root", "status")
	v.keys(false, "exists", "root", "escrow", "--recipient", recipient, "--out", v.file("first.age"))
	v.keys(true, "sealed to", "root", "escrow", "--recipient", recipient, "--out", v.file("second.age"))
	v.keys(true, "opens nothing any more", "root", "reroot", "--new-root-key-file", v.file("root2"))
	v.keys(false, "--root-key-file: "+v.file("root"), "root", "status")
	var status struct {
		Versions []struct{ Version, Sealed int }
		Escrow   struct{ Version int }
	}
	if out := v.keys(true, "", "root2", "status", "--json"); json.Unmarshal([]byte(out), &status) != nil ||
		len(status.Versions) != 2 || status.Escrow.Version != 2 || status.Versions[1].Sealed != 1 { // the lease of rewrite
		t.Errorf("status %+v", status)
	}
	rescue := []string{"recover", "--identity", v.file("identity"), "--new-root-key-file", v.file("root3"), "--escrow"}
	v.keys(false, "escrow lacks", "root", append(rescue, v.file("first.age"))...)
	v.keys(true, "opens all 1 objects", "root", append(rescue, v.file("second.age"))...)
	v.keys(true, "escrow of all versions", "root3", "status")
	v.keys(false, "--root-key-file", "root2", "status")
}

// TestKeysRefused: what is wrong with a root key, and that the text of it is shown
// nowhere.
func TestKeysRefused(t *testing.T) {
	v := newVault(t)
	v.keys(true, "key ring", "root", "init")
	good, err := os.ReadFile(v.file("root"))
	if err != nil {
		t.Fatal(err)
	}
	secretFile(t, v.dir, "wrong", randomHex(t))
	secretFile(t, v.dir, "short", "c0ffee")
	secretFile(t, v.dir, "empty", "")
	if err := os.WriteFile(v.file("open"), good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(v.file("open"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, say := range map[string]string{"wrong": "does not belong to this bucket", "missing": "no such file", "short": "64 hex digits",
		"empty": "is empty", "open": "can be read by everybody"} {
		out := v.keys(false, say, name, "status")
		if !strings.Contains(out, "--root-key-file: ") || !strings.Contains(out, v.file(name)) || strings.Contains(out, "c0ffee") {
			t.Errorf("%s root key: %s", name, out)
		}
	}
	v.keys(false, "--recipient and --out", "root", "init", "--recipient", "age1x")
	v.keys(false, "say init", "root", "rotate", "twice")
	v.keys(false, "--new-root-key-file is required", "root", "reroot")
	v.keys(false, "no age recipient", "root", "escrow", "--recipient", "age1x", "--out", v.file("x"))

	if err := os.RemoveAll(filepath.Join(v.objects, "dangan", "system", "keyring")); err != nil {
		t.Fatal(err)
	}
	v.keys(false, "has lost its key ring", "root", "status")
	v.keys(false, "nothing was changed", "root", "init")
}

// TestRotateWhileServing rotates while two replicas serve clients who deposit and
// look up: no request fails, and with the index away every record, old and new, is
// found by its reference code on both. Under another root key, both end.
func TestRotateWhileServing(t *testing.T) {
	s := externalSite(t)
	s.service.Stop()
	s.env = append(slices.Clip(s.env), "DANGAN_RING_AGE=1s")
	other := *s
	address := testenv.FreeAddr(t)
	other.url = "http://" + address
	s.service = testenv.Run(t, testenv.Spec{Args: []string{binary, "serve"}, Env: s.env, Ready: s.url + "/readyz"})
	other.service = testenv.Run(t, testenv.Spec{Args: []string{binary, "serve"}, Env: append(s.env, "DANGAN_LISTEN="+address), Ready: other.url + "/readyz"})

	ctx, stop := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(ctx)
	replicas, made := []*site{s, &other}, make([][]*deposited, 2)
	for i := range replicas {
		group.Go(func() error {
			return replicas[i].depositAndFind(ctx, fmt.Sprint("replica-", i), replicas[1-i], &made[i])
		})
	}
	for n := 2; n <= 3; n++ {
		s.keys(t, "rotate")
		eventually(t, time.Minute, "moving to the new version", func() bool { return s.movedTo(t, n) })
	}
	stop()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(made[0]) + len(made[1]); n < 4 {
		t.Errorf("only %d deposits", n)
	}
	s.wipeIndex(t, func() {
		for i, d := range slices.Concat(made...) {
			for _, s := range replicas {
				if !s.finds(t, d.record.RefCode.Original, archive.RecordView{Record: archive.Record{ID: d.id}}) {
					t.Errorf("record %d is not found", i)
				}
			}
		}
	})
	s.keys(t, "reroot", "--new-root-key-file", filepath.Join(t.TempDir(), "root"))
	for _, s := range replicas {
		eventually(t, time.Minute, "the end of a replica with the old root key", func() bool {
			_, err := s.try(t.Context(), call{method: "GET", path: "/healthz"})
			return err != nil && strings.Contains(s.service.Log(), "does not belong to this bucket")
		})
	}
}

// keys runs `dangan keys` on the bucket of an external site.
func (s *site) keys(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"keys"}, args...)...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("keys %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// movedTo reports whether version n is the newest, and all marks are under it.
func (s *site) movedTo(t *testing.T, n int) bool {
	t.Helper()
	var v struct {
		Versions []struct {
			Left  bool
			Marks int
		}
	}
	err := json.Unmarshal([]byte(s.keys(t, "status", "--json")), &v)
	return err == nil && len(v.Versions) == n && v.Versions[n-2].Left && v.Versions[n-2].Marks == 0 && v.Versions[n-1].Marks > 0
}

// depositAndFind deposits here until ctx ends, and sees that each record is found
// here and there.
func (s *site) depositAndFind(ctx context.Context, name string, there *site, made *[]*deposited) error {
	for i := 0; ctx.Err() == nil; i++ {
		d := newDeposit(s, fmt.Sprint(name, i))
		if !s.acknowledge(ctx, d) {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("deposit %d of %s was not acknowledged", i, name)
		}
		*made = append(*made, d)
		for _, s := range []*site{there, s} {
			if err := s.awaitFound(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// awaitFound asks for a record until its job is done; no question may fail.
func (s *site) awaitFound(ctx context.Context, d *deposited) error {
	limit := time.Now().Add(30 * time.Second)
	for time.Now().Before(limit) {
		a, err := s.try(ctx, call{user: "reviewer", method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": d.record.RefCode.Original}})
		if ctx.Err() != nil {
			return nil
		}
		var hits archive.Hits
		if err != nil || a.status != 200 || json.Unmarshal(a.body, &hits) != nil {
			return fmt.Errorf("search: status %d, %w", a.status, err)
		}
		if slices.ContainsFunc(hits.Hits, func(h archive.Hit) bool { return h.ID == d.id }) {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("a record was not found within 30 s")
}
