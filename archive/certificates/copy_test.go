package certificates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/archive/policy"
)

// files are the originals of every record: "file 1", "file 2".
type files struct{ w *world }

func (f files) File(_ context.Context, actor archive.Actor, p archive.Purpose, id string, n int) (archive.File, archive.Content, error) {
	w := f.w
	w.mu.Lock()
	defer w.mu.Unlock()
	target := w.records[id].Value.Target()
	if !policy.Decide(actor, archive.ActFile, target).Allowed {
		return archive.File{}, nil, archive.ErrNotFound
	}
	if w.away != nil {
		return archive.File{}, nil, w.away
	}
	w.traces = append(w.traces, archive.Disclosure{Actor: actor, Action: archive.ActFile, Target: target, Purpose: p})
	w.opened++
	name := fmt.Sprintf("file %d", n)
	return archive.File{Blob: archive.Blob{ID: name, SHA256: digest([]byte(name))}}, &lent{content{bytes.NewReader([]byte(name))}, w}, nil
}

// lent is content that must be given back.
type lent struct {
	archive.Content
	w *world
}

func (l *lent) Close() error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.opened--
	return nil
}

// copier writes which pages of which originals it was given, in two pieces.
type copier struct{ w *world }

func (c copier) Copy(ctx context.Context, cert archive.Certificate, originals []archive.Content, out io.Writer) error {
	c.w.mu.Lock()
	c.w.stamped++
	fails := c.w.stamp
	n := c.w.stamped
	c.w.mu.Unlock()
	if _, err := fmt.Fprintf(out, "%%PDF copy %d\n%s\n", n, cert.Number); err != nil {
		return err
	}
	if fails != nil {
		if err := fails(n); err != nil {
			return err
		}
	}
	return c.DrawCopy(ctx, cert, originals, out)
}

func (c copier) DrawCopy(_ context.Context, cert archive.Certificate, originals []archive.Content, out io.Writer) error {
	for _, o := range originals {
		all, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", all); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%d pages", len(cert.Copy.Pages))
	return err
}

// twoPages asks for copies of pages of both files.
func twoPages(r *archive.Request, _ *archive.Record) {
	original := func(n int) archive.Original {
		name := fmt.Sprintf("file %d", n)
		return archive.Original{File: n, ID: name, SHA256: digest([]byte(name))}
	}
	box := archive.Box{Width: 0.5, Height: 0.1, Reason: archive.MaskThirdParty}
	r.Service, r.Sources = archive.ServiceCopy, nil
	r.Copy = &archive.Copy{Originals: []archive.Original{original(1), original(2)}, Pages: []archive.CopyPage{
		{PageRef: archive.PageRef{File: 1, Page: 3}}, {PageRef: archive.PageRef{File: 1, Page: 4}, Masks: []archive.Box{box, box}},
		{PageRef: archive.PageRef{File: 2, Page: 1}, Masks: []archive.Box{box, {Width: 1, Height: 1, Reason: archive.MaskMinor}}},
	}}
}

func TestCopyIsSealed(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	c := w.sealed(room, twoPages)
	if got := string(w.pdf(c)); got != "%PDF copy 1\n"+c.Number+"\nfile 1\nfile 2\n3 pages" {
		t.Errorf("%q", got)
	}
	var said []string
	for _, s := range c.Statements {
		said = append(said, s.Text)
		if s.Source.RefCode == "" || s.Source.File == 0 || s.Source.Page == 0 || s.Source.Date.Year != 2010 {
			t.Errorf("%q rests on %+v", s.Text, s.Source)
		}
	}
	want := []string{
		"本核证副本共3页，由本馆馆藏档案复制，经核对与馆藏原件一致。", "副本第1–2页为文件1第3–4页。", "副本第3页为文件2第1页。",
		"因含第三人个人信息，副本第2–3页共遮盖3处。", "因含未成年人信息，副本第3页共遮盖1处。",
	}
	if diff := cmp.Diff(want, said); diff != "" || c.Title.ZH != "档案核证副本" {
		t.Error(c.Title, diff)
	}
	for name, v := range map[string]func() (archive.Verification, error){
		"number": func() (archive.Verification, error) { return room.Verify(t.Context(), c.Number, c.Code) },
		"PDF":    func() (archive.Verification, error) { return room.VerifyPDF(t.Context(), w.pdf(c)) },
	} {
		if v, err := v(); err != nil || v.Verdict != archive.Valid || v.Pages != 3 {
			t.Errorf("by %s: %+v, %v", name, v, err)
		}
	}
	for _, d := range w.traces {
		if d.Actor.Role != archive.RoleSystem || d.Purpose != (archive.Purpose{Code: archive.ForRequest, Case: c.ID}) {
			t.Errorf("trace %+v", d)
		}
	}
	if len(w.traces) != 2 || w.opened != 0 {
		t.Errorf("%d traces, %d originals open", len(w.traces), w.opened)
	}
}

// TestOfficesThatAppend: it is the office that decides.
func TestOfficesThatAppend(t *testing.T) {
	for _, appends := range []bool{true, false} {
		w := newWorld(t)
		office := w.offices["qc"]
		office.AppendCopies = appends
		w.offices["qc"] = office
		if c := w.sealed(w.room(), twoPages); c.Copy.Append != appends {
			t.Errorf("an office that appends: %v, a copy: %v", appends, c.Copy.Append)
		}
	}
}

func TestEnglishCopy(t *testing.T) {
	w := newWorld(t)
	c := w.sealed(w.room(), func(r *archive.Request, rec *archive.Record) { twoPages(r, rec); r.Language = "en" })
	if got := c.Statements[3].Text; got != "Withheld, personal data of a third party: on page 2–3 of the copy, 3 place(s)." {
		t.Error(got)
	}
	both := w.sealed(w.room(), func(r *archive.Request, rec *archive.Record) { twoPages(r, rec); r.Language = archive.Bilingual })
	if len(both.Statements) != 2*len(c.Statements) || both.Statements[8].Text != c.Statements[3].Text {
		t.Errorf("in two languages: %+v", both.Statements)
	}
}

// TestCopiesThroughFaults breaks every write of the job; it is tried again, and
// there is one copy.
func TestCopiesThroughFaults(t *testing.T) {
	for _, persisted := range []bool{false, true} {
		for broken, reached := 1, true; reached; broken++ {
			w := newWorld(t)
			room, job, writes := w.room(), w.approved(twoPages), 0
			reached = false
			w.fault = func(string) (bool, error) {
				if writes++; writes == broken {
					reached = true
					return persisted, archive.ErrUnavailable
				}
				return true, nil
			}
			for try := 0; room.Seal(t.Context(), job) != nil; try++ {
				if try == 3 {
					t.Fatalf("write %d, persisted %v: never sealed", broken, persisted)
				}
			}
			if err := room.Seal(t.Context(), job); err != nil {
				t.Error(err)
			}
			w.checkIssued(job)
		}
	}
}

func TestCopyFails(t *testing.T) {
	tests := []struct {
		name   string
		broken func(*world)
		code   string
		again  bool // by the queue
	}{
		{"the signer is away", func(w *world) { w.stamp = func(int) error { return archive.ErrUnavailable } }, "signer_unavailable", true},
		{"a page cannot be drawn", func(w *world) { w.stamp = func(int) error { return odd("page_unreadable") } }, "page_unreadable", false},
		{"an original is being read", func(w *world) { w.away = archive.ErrState }, "original_unavailable", true},
		{"the log cannot be written", func(w *world) { w.away = errors.New("full") }, "original_unavailable", true},
		{"an original is damaged", func(w *world) { w.away = archive.ErrCorrupt }, "original_unavailable", false},
	}
	for _, tt := range tests {
		w := newWorld(t)
		room, job := w.room(), w.approved(twoPages)
		tt.broken(w)
		err := room.Seal(t.Context(), job)
		c := w.head(job.Ref.ID)
		if c.State != archive.CertSealFailed || c.Failure != tt.code || errors.Is(err, archive.ErrUnavailable) != tt.again || w.opened != 0 {
			t.Errorf("%s: %v, %s %s, %d open", tt.name, err, c.State, c.Failure, w.opened)
		}
		entries := len(w.certs[c.ID])
		if err := room.Seal(t.Context(), job); tt.again && (err == nil || len(w.certs[c.ID]) != entries) {
			t.Errorf("%s: %v; waiting wrote %d entries", tt.name, err, len(w.certs[c.ID])-entries)
		}
		w.stamp, w.away = nil, nil
		if err := room.Seal(t.Context(), job); err != nil || w.head(c.ID).State != archive.CertSealed {
			t.Errorf("%s: afterwards %v", tt.name, err)
		}
		w.checkIssued(job)
	}
}

// odd is a failure of the stamper with a code.
type odd string

func (o odd) Error() string { return string(o) }
func (o odd) Code() string  { return string(o) }

func TestCopyOfAnotherFile(t *testing.T) {
	w := newWorld(t)
	job := w.approved(func(r *archive.Request, rec *archive.Record) {
		twoPages(r, rec)
		r.Copy.Originals[1].SHA256 = digest([]byte("reviewed"))
	})
	if err := w.room().Seal(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if c := w.head(job.Ref.ID); c.State != archive.CertSealFailed || c.Failure != "original_unavailable" || w.stamped != 0 {
		t.Errorf("%s %s, stamped %d times", c.State, c.Failure, w.stamped)
	}
}

func TestDraft(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	draft := func(actor archive.Actor, state archive.RequestState, change func(*archive.Request)) (string, error) {
		job := w.approved(func(r *archive.Request, rec *archive.Record) {
			twoPages(r, rec)
			r.State = state
			if change != nil {
				change(r)
			}
		})
		w.traces = nil
		var out strings.Builder
		err := room.Draft(t.Context(), actor, job.Ref.ID, &out)
		return out.String(), err
	}
	for _, state := range []archive.RequestState{archive.Matched, archive.Reviewed, archive.Approved} {
		got, err := draft(approver, state, nil)
		if err != nil || got != "file 1\nfile 2\n3 pages" {
			t.Errorf("%s: %q, %v", state, got, err)
		}
		if len(w.traces) != 3 || w.opened != 0 { // of the request and two files
			t.Errorf("%s: %d traces, %d open", state, len(w.traces), w.opened)
		}
	}
	if len(w.next) != 0 || w.stamped != 0 || len(w.certs) != 0 {
		t.Error("a draft took a number or a seal")
	}
	for _, stranger := range []archive.Actor{wife, clerk, {ID: "a9", Role: archive.RoleApprover, Office: "zz"}} {
		if got, err := draft(stranger, archive.Reviewed, nil); !errors.Is(err, archive.ErrNotFound) || got != "" {
			t.Errorf("%s of %s: %v", stranger.Role, stranger.Office, err)
		}
	}
	for name, change := range map[string]func(*archive.Request){
		"no pages": func(r *archive.Request) { r.Copy = nil },
		"closed":   func(r *archive.Request) { r.State = archive.Issued },
	} {
		if _, err := draft(approver, archive.Matched, change); !errors.Is(err, archive.ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := room.Draft(t.Context(), approver, "00000000000000000000000999", io.Discard); !errors.Is(err, archive.ErrNotFound) {
		t.Error(err)
	}
}

var (
	_ certificates.Copier = copier{}
	_ certificates.Files  = files{}
)
