package main_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"dangan/archive"
	"dangan/internal/testenv"
)

// TestFullDisk fills the disk of the store. Clients are told that the service
// cannot take it now, what needs no trace goes on, and when there is room again
// all goes on, without a restart.
func TestFullDisk(t *testing.T) {
	t.Run("embedded parts", func(t *testing.T) {
		disk := testenv.NewDisk(t, 192)
		runFull(t, disk, embeddedSiteIn(t, filepath.Join(disk.Path, "data"), 1))
	})
	t.Run("MinIO and Meilisearch", func(t *testing.T) {
		disk := testenv.NewDisk(t, 192)
		runFull(t, disk, externalSiteOver(t, testenv.MinIOIn(t, disk.Path)))
	})
}

func runFull(t *testing.T, disk *testenv.Disk, s *site) {
	book, before := &ledger{}, s.all(t)
	r := &requested{key: "before", of: newDeposit(s, "before")}
	book.deposits, book.requests = append(book.deposits, r.of), append(book.requests, r)
	s.settleAll(t, book)
	s.awaitRest(t)
	c, _ := s.certificate(t, s.request(t, "citizen", r.id).Certificate)
	pid := s.service.PID()
	ballast := fillUp(t, disk)
	answers := s.depositInto(t, book)
	// Nothing is shown to staff without a trace, for which there may be no room.
	// The public leaves none.
	s.mustOr(t, call{user: "reviewer", method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": r.of.record.RefCode.Original}}, 503)
	if v := s.verify(t, call{body: map[string]string{"number": c.Number, "code": c.Code}}); v.Verdict != archive.Valid {
		t.Errorf("on a full disk, a certificate is %s", v.Verdict)
	}
	if v := s.request(t, "citizen", r.id); v.State != archive.Issued {
		t.Errorf("on a full disk, an issued request is %s", v.State)
	}
	s.must(t, 200, call{method: "GET", path: "/healthz"})

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.settleAll(t, book)
	s.awaitRest(t)
	s.checkDeposits(t, book)
	s.checkCertificates(t, book)
	book.compare(t, before, s.all(t))
	if s.service.PID() != pid {
		t.Error("the service did not live through it")
	}
	s.checkBucket(t)
	t.Logf("answers on a full disk: %v; in the end %v", answers, book)
}

// fillUp leaves room for a few deposits at most, and returns the file that takes
// the rest.
func fillUp(t *testing.T, disk *testenv.Disk) (path string) {
	t.Helper()
	path = filepath.Join(disk.Path, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1<<20))
	}
	const room = 400 << 10
	size, seek := f.Seek(-room, io.SeekCurrent)
	if err := errors.Join(seek, f.Truncate(size), f.Sync()); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return path
}

// depositInto deposits until a full disk has refused some, and counts the answers.
// None may be an accident.
func (s *site) depositInto(t *testing.T, book *ledger) map[int]int {
	t.Helper()
	answers := map[int]int{}
	for refused := 0; refused < 20; {
		if len(book.deposits) == 1000 {
			t.Fatal("the disk does not become full")
		}
		d := newDeposit(s, fmt.Sprint("full-", len(book.deposits)))
		book.deposits = append(book.deposits, d)
		a, err := s.tryDeposit(t.Context(), d.key, d.record, d.file)
		if err != nil {
			t.Fatal(err)
		}
		answers[a.status]++
		switch a.status {
		case http.StatusCreated:
			d.early = true
		case http.StatusServiceUnavailable, http.StatusInsufficientStorage:
			refused++
		default:
			t.Fatalf("a deposit on a full disk: status %d\n%s", a.status, a.body)
		}
	}
	return answers
}
