package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

// checkDeposits reads everything back: by its reference code, from the index,
// and its file.
func (s *site) checkDeposits(t *testing.T, book *ledger) {
	t.Helper()
	ids := map[string]string{}
	for _, d := range book.deposits {
		if other, twice := ids[d.id]; twice {
			t.Errorf("%s and %s are one record", d.key, other)
		}
		ids[d.id] = d.key
		if hits := s.search(t, 200, d.record.RefCode.Original); len(hits.Hits) != 1 || hits.Hits[0].ID != d.id {
			t.Errorf("deposit %s: %d records have its reference code", d.key, len(hits.Hits))
		}
		eventually(t, 60*time.Second, "the record in the index", func() bool { return s.titled(t, d.record.Title) > 0 })
		if n := s.titled(t, d.record.Title); n != 1 {
			t.Errorf("deposit %s is in the index %d times", d.key, n)
		}
		var file answer
		eventually(t, 60*time.Second, "a readable file", func() bool {
			file = s.mustOr(t, call{user: "reviewer", method: "GET", path: "/api/v1/records/" + d.id + "/files/1",
				header: map[string]string{"Dangan-Purpose": "consultation; case=KILL"}}, 409)
			return file.status == 200
		})
		if !bytes.Equal(file.body, d.file.bytes) {
			t.Errorf("deposit %s: the file came back differently", d.key)
		}
	}
}

// titled counts the records of the index with a title.
func (s *site) titled(t *testing.T, title string) (n int) {
	t.Helper()
	for _, h := range s.search(t, 200, title).Hits {
		if h.Title == title {
			n++
		}
	}
	return n
}

// mustOr is must with 200, or the other status.
func (s *site) mustOr(t *testing.T, c call, other int) answer {
	t.Helper()
	a, err := s.try(t.Context(), c)
	if err != nil || a.status != 200 && a.status != other {
		t.Fatalf("%s %s: %v, status %d\n%s", c.method, c.path, err, a.status, a.body)
	}
	return a
}

// checkCertificates holds that every request has one certificate, with a number
// of its own and a PDF that verifies.
func (s *site) checkCertificates(t *testing.T, book *ledger) {
	t.Helper()
	numbers := map[string]bool{}
	for _, r := range book.requests {
		eventually(t, 60*time.Second, "the certificate of "+r.key, func() bool { return s.request(t, "citizen", r.id).State == archive.Issued })
		number := s.request(t, "citizen", r.id).Certificate
		if numbers[number] {
			t.Errorf("number %s was issued twice", number)
		}
		numbers[number] = true
		c, pdf := s.certificate(t, number)
		if sum := sha256.Sum256(pdf); hex.EncodeToString(sum[:]) != c.PDF.SHA256 {
			t.Errorf("certificate %s: the PDF is not the one on record", number)
		}
		if v := s.verify(t, verifyPDF(pdf)); v.Verdict != archive.Valid || v.Number != number {
			t.Errorf("certificate %s verifies as %s", number, v.Verdict)
		}
	}
}

// checkBucket has dangan fsck read everything again, and the index with it. The
// folder of a demonstration must not be served meanwhile.
func (s *site) checkBucket(t *testing.T) {
	t.Helper()
	env, args := s.env, []string{}
	if s.minio == nil {
		s.service.Stop()
		defer s.service.Start()
		env, args = environment(), []string{"--data", filepath.Dir(filepath.Dir(s.objects))}
	}
	if r, status := fsck(t, env, args...); status != 0 {
		t.Errorf("fsck: status %d, %+v", status, r.Findings)
	}
}

// chains are the ids of the chains of a kind that have a first entry.
func (s *site) chains(t *testing.T, kind archive.Kind) (ids []string) {
	t.Helper()
	for _, key := range s.stored(t, "chain/"+string(kind)) {
		if dir, n := filepath.Split(key); n == "00000001" {
			ids = append(ids, strings.ToUpper(filepath.Base(dir))) // keys are in lower case
		}
	}
	return ids
}

// stored is the keys of the objects below a folder of the bucket, read past the
// store from its disk. One that goes away meanwhile may be left out.
func (s *site) stored(t *testing.T, folder string) (keys []string) {
	t.Helper()
	root := filepath.Join(s.objects, "dangan", folder)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || entry.IsDir():
			return err
		case s.minio == nil:
			keys = append(keys, path)
		case entry.Name() == "xl.meta": // an object is a folder
			keys = append(keys, filepath.Dir(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		keys[i] = strings.TrimPrefix(key, filepath.Join(s.objects, "dangan")+"/")
	}
	return keys
}
