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
	"sync"
	"testing"
	"time"

	"dangan/archive"
)

// ledger is what the clients know: what they tried and what was acknowledged.
type ledger struct {
	mu       sync.Mutex
	deposits []*deposited
	requests []*requested
}

type deposited struct {
	key     string
	record  archive.Record
	file    upload
	id      string // once acknowledged
	early   bool   // it was acknowledged the first time
	settled bool
}

type requested struct {
	key      string
	of       *deposited
	id       string // once acknowledged
	approved bool   // the approval was acknowledged
	early    bool   // it was approved the first time
	settled  bool
}

// acknowledged counts the deposits that did not have to be repeated.
func (b *ledger) acknowledged() (first, all int) {
	for _, d := range b.deposits {
		if d.early {
			first++
		}
	}
	return first, len(b.deposits)
}

// approvals counts the approvals that did not have to be repeated.
func (b *ledger) approvals() (n int) {
	for _, r := range b.requests {
		if r.early {
			n++
		}
	}
	return n
}

func (b *ledger) String() string {
	acked, all := b.acknowledged()
	return fmt.Sprintf("%d deposits, %d acknowledged at once; %d requests, %d approvals acknowledged at once",
		all, acked, len(b.requests), b.approvals())
}

// mustShow holds that the blows fell among the work.
func (b *ledger) mustShow(t *testing.T) {
	t.Helper()
	acked, all := b.acknowledged()
	if acked == 0 || len(b.requests) == 0 || acked == all && b.approvals() == len(b.requests) {
		t.Error("the blows did not fall among the work: the test has shown nothing")
	}
}

// compare holds that the store has gained the chains the clients know of, and no
// others: none is lost, and none was made that nobody was told of.
func (b *ledger) compare(t *testing.T, before, after map[archive.Ref]bool) {
	t.Helper()
	known := map[archive.Ref]bool{}
	for _, d := range b.deposits {
		known[archive.Ref{Kind: archive.KindRecord, ID: d.id}] = true
	}
	for _, r := range b.requests {
		known[archive.Ref{Kind: archive.KindRequest, ID: r.id}] = true
		known[archive.Ref{Kind: archive.KindCertificate, ID: r.id}] = true
	}
	for chain := range known {
		if !after[chain] {
			t.Errorf("lost: %s", chain)
		}
	}
	for chain := range after {
		if !before[chain] && !known[chain] {
			t.Errorf("nobody knows of %s", chain)
		}
	}
}

// client deposits and certifies until it is told to stop. After an outage it goes
// on with other work, because a ledger that is repeated later shows more.
func (s *site) client(ctx context.Context, book *ledger, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		d := newDeposit(s, fmt.Sprintf("%s-%d", name, i))
		book.mu.Lock()
		book.deposits = append(book.deposits, d)
		book.mu.Unlock()
		if d.early = s.acknowledge(ctx, d); !d.early {
			pause(ctx)
			continue
		}
		if i%2 == 0 {
			r := &requested{key: "request-" + d.key, of: d}
			book.mu.Lock()
			book.requests = append(book.requests, r)
			book.mu.Unlock()
			for range 3 { // its page may not have been read yet
				if r.early = s.approve(ctx, r); r.early {
					break
				}
				pause(ctx)
			}
		}
	}
}

// pause keeps a client from filling its ledger while there is no service.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
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
	r.Title = "断电之间 " + hex.EncodeToString(sum[:6])
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

// settleAll has the clients ask again, as clients do who heard no answer. Those
// who heard one must hear the same.
func (s *site) settleAll(t *testing.T, book *ledger) {
	t.Helper()
	for _, d := range book.deposits {
		if d.settled {
			continue
		}
		before := d.id
		eventually(t, 30*time.Second, "a repeated deposit", func() bool { return s.acknowledge(t.Context(), d) })
		if before != "" && d.id != before {
			t.Errorf("deposit %s: was %s, is %s", d.key, before, d.id)
		}
		d.settled = true
	}
	for _, r := range book.requests {
		if r.settled {
			continue
		}
		before := r.id
		eventually(t, 30*time.Second, "a repeated request", func() bool { return s.approve(t.Context(), r) })
		if before != "" && r.id != before {
			t.Errorf("request %s: was %s, is %s", r.key, before, r.id)
		}
		r.settled = true
	}
}
