package main_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"dangan/archive"
)

const killRounds = 50

// TestKill kills the service 50 times at random moments while clients deposit
// and certify, on each kind of store. Afterwards nothing that was acknowledged
// is lost, nothing was issued twice, and nothing is half visible.
func TestKill(t *testing.T) {
	t.Run("embedded parts", func(t *testing.T) { kill(t, embeddedSite(t, 1)) })
	t.Run("MinIO and Meilisearch", func(t *testing.T) { kill(t, externalSite(t)) })
}

// ledger is what the clients know: what they tried and what was acknowledged.
type ledger struct {
	mu       sync.Mutex
	deposits []*deposited
	requests []*requested
}

type deposited struct {
	key    string
	record archive.Record
	file   upload
	id     string // once acknowledged
}

type requested struct {
	key      string
	of       *deposited
	id       string // once acknowledged
	approved bool   // the approval was acknowledged
}

// acknowledged counts what the service said yes to before it was killed for the
// last time.
func (b *ledger) acknowledged() (deposits, approvals int) {
	for _, d := range b.deposits {
		if d.id != "" {
			deposits++
		}
	}
	for _, r := range b.requests {
		if r.approved {
			approvals++
		}
	}
	return deposits, approvals
}

func kill(t *testing.T, s *site) {
	book := &ledger{}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for round := range killRounds {
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for n := range 4 {
			clients.Go(func() { s.client(ctx, book, fmt.Sprintf("%d-%d", round, n)) })
		}
		// The moment of the kill, not a wait for something: early among the
		// deposits in one round, late among the approvals in the next.
		time.Sleep(time.Duration(30+rng.IntN(400+1200*(round%2))) * time.Millisecond)
		s.service.Kill()
		cancel()
		clients.Wait()
		s.service.Start()
	}
	acked, approved := book.acknowledged()
	s.settleAll(t, book)
	s.checkDeposits(t, book)
	issued := s.checkCertificates(t, book)
	t.Logf("%d rounds: %d deposits, %d acknowledged; %d requests, %d approvals acknowledged; %d certificates in the end",
		killRounds, len(book.deposits), acked, len(book.requests), approved, issued)
	if acked == 0 || acked == len(book.deposits) || approved == 0 {
		t.Error("the kills did not fall among the work: the test has shown nothing")
	}
}

// client deposits and certifies until the service is gone.
func (s *site) client(ctx context.Context, book *ledger, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		d := newDeposit(s, fmt.Sprintf("%s-%d", name, i))
		book.mu.Lock()
		book.deposits = append(book.deposits, d)
		book.mu.Unlock()
		if !s.acknowledge(ctx, d) {
			return
		}
		if i%2 == 0 {
			r := &requested{key: "request-" + d.key, of: d}
			book.mu.Lock()
			book.requests = append(book.requests, r)
			book.mu.Unlock()
			if !s.approve(ctx, r) {
				return
			}
		}
	}
}

// newDeposit is a record with one page that differs from every other.
func newDeposit(s *site, key string) *deposited {
	sum := sha256.Sum256([]byte(key))
	page := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range page.Pix {
		page.Pix[i] = sum[i%32]
	}
	var file bytes.Buffer
	if err := png.Encode(&file, page); err != nil {
		panic(err) // a buffer takes everything
	}
	r := storyRecord(s)
	r.Title = "断电之间 " + key
	r.RefCode = archive.BuildRefCode("J019", []string{"ZY", "HY", "2010", "D100"}, "902", hex.EncodeToString(sum[:6]))
	return &deposited{key: key, record: r, file: upload{"页.png", "image/png", file.Bytes()}}
}

// acknowledge deposits, and notes the id that was acknowledged.
func (s *site) acknowledge(ctx context.Context, d *deposited) bool {
	a, err := s.tryDeposit(ctx, d.key, d.record, d.file)
	if err != nil || a.status != 201 {
		return false
	}
	var view archive.RecordView
	if json.Unmarshal(a.body, &view) != nil {
		return false
	}
	d.id = view.ID
	return true
}

// approve takes a request as far as the desk does. It may be called again for a
// request that got stuck anywhere.
func (s *site) approve(ctx context.Context, r *requested) bool {
	a, err := s.try(ctx, call{user: "citizen", method: "POST", path: "/api/v1/requests", header: map[string]string{"Idempotency-Key": r.key},
		body: map[string]any{"office": r.of.record.Office, "purpose": "办理公积金贷款",
			"wanted": archive.Wanted{Category: "marriage", Persons: []archive.Person{{Name: canaryName, Role: "wife"}}}}})
	var v requestView
	if err != nil || a.status != 201 || json.Unmarshal(a.body, &v) != nil {
		return false
	}
	r.id = v.ID
	for {
		var user string
		var m archive.Move
		switch v.State {
		case archive.Submitted:
			user, m = "reviewer", archive.Move{Step: archive.StepMatch, Record: r.of.id}
		case archive.Matched:
			user, m = "reviewer", archive.Move{Step: archive.StepReview, Sources: []archive.PageRef{{File: 1, Page: 1}}}
		case archive.Reviewed:
			user, m = "approver", archive.Move{Step: archive.StepApprove}
		default:
			r.approved = true
			return true
		}
		a, err := s.try(ctx, call{user: user, method: "POST", path: "/api/v1/requests/" + v.ID + "/actions", body: m,
			header: map[string]string{"If-Match": fmt.Sprintf("%q", fmt.Sprint(v.Version))}})
		if err != nil || a.status != 200 || json.Unmarshal(a.body, &v) != nil {
			return false
		}
	}
}

// settleAll has the clients who heard no answer ask again, as clients do.
func (s *site) settleAll(t *testing.T, book *ledger) {
	t.Helper()
	for _, d := range book.deposits {
		before := d.id
		eventually(t, 30*time.Second, "a repeated deposit", func() bool { return s.acknowledge(t.Context(), d) })
		if before != "" && d.id != before {
			t.Errorf("deposit %s: was %s, is %s", d.key, before, d.id)
		}
	}
	for _, r := range book.requests {
		if r.of.id != "" {
			eventually(t, 30*time.Second, "a repeated request", func() bool { return s.approve(t.Context(), r) })
		}
	}
}

// checkDeposits reads everything back.
func (s *site) checkDeposits(t *testing.T, book *ledger) {
	t.Helper()
	ids := map[string]string{}
	for _, d := range book.deposits {
		if other, twice := ids[d.id]; twice {
			t.Errorf("%s and %s are one record", d.key, other)
		}
		ids[d.id] = d.key
		a := s.must(t, 200, call{user: "reviewer", method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": d.record.RefCode.Original}})
		var hits archive.Hits
		a.json(t, &hits)
		if len(hits.Hits) != 1 || hits.Hits[0].ID != d.id {
			t.Errorf("deposit %s: %d records have its reference code", d.key, len(hits.Hits))
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

// mustOr is must with 200, or the other status.
func (s *site) mustOr(t *testing.T, c call, other int) answer {
	t.Helper()
	a, err := s.try(t.Context(), c)
	if err != nil || a.status != 200 && a.status != other {
		t.Fatalf("%s %s: %v, status %d\n%s", c.method, c.path, err, a.status, a.body)
	}
	return a
}

// checkCertificates returns how many certificates there are: one per request,
// each with a number of its own and a PDF that verifies.
func (s *site) checkCertificates(t *testing.T, book *ledger) int {
	t.Helper()
	numbers := map[string]bool{}
	for _, r := range book.requests {
		if !r.approved {
			continue
		}
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
	return len(numbers)
}
