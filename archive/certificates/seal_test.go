package certificates_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dangan/archive"
)

func TestSeal(t *testing.T) {
	w := newWorld(t)
	w.term = 24 * time.Hour
	got := w.sealed(w.room(), nil)
	request := w.requests[got.ID][1].Value
	want := archive.Certificate{
		ID: request.ID, Record: request.Record, RecordVersion: 2, Applicant: "wife", Office: "qc",
		Issuer: archive.Label{ZH: "青川市档案馆", EN: "Qingchuan Archives"}, SealNumber: "5108", Number: "青民档证〔2026〕000001号",
		Category: "marriage", Holder: "张㛃", HolderID: "999999********0016", Purpose: "办理公积金贷款",
		Template: archive.TemplatePin{ID: "marriage", Version: 1},
		State:    archive.CertSealed, IssuedAt: w.now, ValidUntil: w.now.Add(24 * time.Hour), Attempts: 1,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(archive.Certificate{}, "Code", "Title", "Matter", "Statements", "Sheet", "PDF")); diff != "" {
		t.Error(diff)
	}
	if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(got.Code) {
		t.Errorf("code %q", got.Code)
	}
	for i, s := range got.Statements {
		if s.Text == "" || s.Source.Page != 3 || s.Source.File != 1 || s.Source.RefCode != "J019-ZY·HY·2010·D100-001-0001" || s.Source.Date.ISO() != "2010-05-20" {
			t.Errorf("statement %d: %+v", i, s)
		}
	}
	if request.State != archive.Issued || request.Certificate != got.Number || len(got.Statements) != 2 {
		t.Errorf("%+v", request)
	}
	if second := w.sealed(w.room(), nil); second.Number != "青民档证〔2026〕000002号" || second.Code == got.Code {
		t.Errorf("the next one is %s %s", second.Number, second.Code)
	}
}

func TestSealOnlyWhatIsApproved(t *testing.T) {
	tests := []struct {
		state archive.RequestState
		after time.Duration
		want  error
	}{
		{archive.Reviewed, 0, archive.ErrEarly},
		{archive.Reviewed, 2 * time.Hour, nil},
		{archive.ReviewedNone, 0, archive.ErrEarly},
		{archive.Submitted, 0, nil},
		{archive.NotFound, 0, nil},
		{archive.Withdrawn, 0, nil},
		{archive.Issued, 0, nil},
	}
	for _, tt := range tests {
		w := newWorld(t)
		job := w.approved(func(r *archive.Request, _ *archive.Record) { r.State = tt.state })
		w.now = w.now.Add(tt.after)
		if err := w.room().Seal(t.Context(), job); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.state, err)
		}
		if len(w.certs) != 0 || w.stamped != 0 || len(w.next) != 0 {
			t.Errorf("%s was certified", tt.state)
		}
	}
}

// TestSealThroughFaults breaks every write in both ways, and every pair of
// writes; the queue tries again. world holds that there is one certificate with
// one number and one PDF. The numbers lost on the way are void.
func TestSealThroughFaults(t *testing.T) {
	for _, persisted := range []bool{false, true} {
		for first := 1; ; first++ {
			reached := false
			for second := first; second < first+9; second++ {
				w := newWorld(t)
				room, job, writes := w.room(), w.approved(nil), 0
				w.fault = func(string) (bool, error) {
					if writes++; writes == first || writes == second {
						reached = true
						return persisted, fmt.Errorf("write %d: %w", writes, archive.ErrUnavailable)
					}
					return true, nil
				}
				for try := 0; room.Seal(t.Context(), job) != nil; try++ {
					if try == 5 {
						t.Fatalf("writes %d and %d, persisted %v: never sealed", first, second, persisted)
					}
				}
				w.checkIssued(job)
			}
			if !reached {
				break
			}
		}
	}
}

// checkIssued checks that exactly one certificate went out, and that every other
// number that was taken verifies as unknown.
func (w *world) checkIssued(job archive.Job) {
	w.t.Helper()
	room, c := w.room(), w.head(job.Ref.ID)
	if request := w.requests[c.ID]; len(w.certs) != 1 || len(request) != 2 || request[1].Value.Certificate != c.Number || c.State != archive.CertSealed {
		w.t.Errorf("%d certificates, %s", len(w.certs), c.State)
	}
	sealings := 0
	for _, v := range w.certs[c.ID] {
		if v.Value.State == archive.CertSealed {
			sealings++
		}
	}
	if sealings != 1 {
		w.t.Errorf("sealed %d times", sealings)
	}
	for n := range w.next["certificate-qc-2026"] {
		number := fmt.Sprintf("青民档证〔2026〕%06d号", n+1)
		v, err := room.Verify(w.t.Context(), number, c.Code)
		want := archive.Unknown
		if number == c.Number {
			want = archive.Valid
		}
		if err != nil || v.Verdict != want {
			w.t.Errorf("%s: %s, %v", number, v.Verdict, err)
		}
	}
	for _, pdf := range w.blobs {
		want := archive.Tampered // a PDF of an attempt that did not get through is not the one that was released
		if digest(pdf) == c.PDF.SHA256 {
			want = archive.Valid
		}
		if v, err := room.VerifyPDF(w.t.Context(), pdf); err != nil || v.Verdict != want {
			w.t.Errorf("pdf: %s, %v", v.Verdict, err)
		}
	}
}

func TestSealsRace(t *testing.T) {
	for range 50 {
		w := newWorld(t)
		job := w.approved(nil)
		var replicas sync.WaitGroup
		for range 4 {
			room := w.room()
			replicas.Go(func() {
				for try := 0; ; try++ {
					err := room.Seal(context.Background(), job)
					if err == nil {
						return
					}
					if !errors.Is(err, archive.ErrConflict) || try == 100 {
						t.Error(err)
						return
					}
				}
			})
		}
		replicas.Wait()
		w.checkIssued(job)
	}
}

func TestManySealAtOnce(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	var jobs []archive.Job
	for range 20 {
		jobs = append(jobs, w.approved(nil))
	}
	var all sync.WaitGroup
	for _, job := range jobs {
		all.Go(func() {
			if err := room.Seal(context.Background(), job); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	numbers := map[string]bool{}
	for id := range w.certs {
		numbers[w.head(id).Number] = true
	}
	if len(numbers) != 20 {
		t.Errorf("%d numbers for 20 certificates", len(numbers))
	}
}

func TestOfficesWithTheSameShortName(t *testing.T) {
	w := newWorld(t)
	w.offices["zz"] = archive.Office{ID: "zz", Short: w.offices["qc"].Short}
	room := w.room()
	first := w.sealed(room, nil)
	job := w.approved(func(r *archive.Request, _ *archive.Record) { r.Office = "zz" })
	for try := 0; room.Seal(t.Context(), job) != nil; try++ {
		if try == 3 {
			t.Fatal("never sealed")
		}
	}
	if second := w.head(job.Ref.ID); second.Number == first.Number {
		t.Error("a number was given twice")
	}
}

type coded struct{ error }

func (coded) Code() string    { return "missing_glyph" }
func (c coded) Unwrap() error { return c.error }

func TestStamperFails(t *testing.T) {
	secret := errors.New("no glyph for 张㛃")
	tests := []struct {
		name  string
		err   error
		code  string
		again bool // the queue tries again
	}{
		{"coded", coded{secret}, "missing_glyph", false},
		{"coded, wrapped", fmt.Errorf("stamp: %w", coded{secret}), "missing_glyph", false},
		{"away", fmt.Errorf("hsm: %w", archive.ErrUnavailable), "signer_unavailable", true},
		{"unknown", secret, "seal_error", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			room, job := w.room(), w.approved(nil)
			w.stamp = func(n int) error {
				if n == 1 {
					return tt.err
				}
				return nil
			}
			if err := room.Seal(t.Context(), job); (err != nil) != tt.again {
				t.Fatal(err)
			}
			c := w.head(job.Ref.ID)
			if c.State != archive.CertSealFailed || c.Failure != tt.code || c.Attempts != 1 || w.requests[c.ID][0].Value.State != archive.Approved {
				t.Errorf("%+v", c)
			}
			if strings.Contains(w.logged.String(), "张") || !strings.Contains(w.logged.String(), tt.code) {
				t.Error(w.logged.String())
			}
			if _, err := room.PDF(t.Context(), wife, c.ID); !errors.Is(err, archive.ErrState) {
				t.Errorf("PDF: %v", err)
			}
			if v, err := room.Verify(t.Context(), c.Number, c.Code); err != nil || v.Verdict != archive.Unknown {
				t.Errorf("verifies as %s, %v", v.Verdict, err)
			}
			if err := room.Reseal(t.Context(), approver, c.ID); err != nil || len(w.jobs) != 1 {
				t.Fatal(err, w.jobs)
			}
			if err := room.Seal(t.Context(), w.jobs[0]); err != nil {
				t.Fatal(err)
			}
			if again := w.head(c.ID); again.State != archive.CertSealed || again.Failure != "" || again.Number != c.Number || again.Attempts != 2 {
				t.Errorf("%+v", again)
			}
		})
	}
}

// waitsFor is a failure of the stamper with a code of its own, which passes.
type waitsFor string

func (w waitsFor) Error() string { return "sealing must wait" }
func (w waitsFor) Code() string  { return string(w) }
func (w waitsFor) Unwrap() error { return archive.ErrUnavailable }

// TestSignerStaysAway: an outage of a day must not write an entry every few
// seconds, whoever is away.
func TestSignerStaysAway(t *testing.T) {
	for code, err := range map[string]error{
		"signer_unavailable":     archive.ErrUnavailable,
		"timestamp_unavailable":  waitsFor("timestamp_unavailable"),
		"revocation_unavailable": waitsFor("revocation_unavailable"),
		"seal_expired":           waitsFor("seal_expired"),
		"seal_revoked":           waitsFor("seal_revoked"),
	} {
		t.Run(code, func(t *testing.T) { signerStaysAway(t, code, err) })
	}
}

func signerStaysAway(t *testing.T, code string, outage error) {
	w := newWorld(t)
	room, job := w.room(), w.approved(nil)
	away := true
	w.stamp = func(int) error {
		if away {
			return outage
		}
		return nil
	}
	for range 100 {
		if err := room.Seal(t.Context(), job); !errors.Is(err, archive.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if n := len(w.certs[job.Ref.ID]); n != 3 || w.stamped != 100 || w.head(job.Ref.ID).Failure != code {
		t.Errorf("%d entries after %d attempts: %s", n, w.stamped, w.head(job.Ref.ID).Failure)
	}
	away = false
	if err := room.Seal(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	w.checkIssued(job)
}

func TestStoppedWhileStamping(t *testing.T) {
	w := newWorld(t)
	room, job := w.room(), w.approved(nil)
	ctx, stop := context.WithCancel(t.Context())
	w.stamp = func(int) error { stop(); return ctx.Err() }
	if err := room.Seal(ctx, job); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if c := w.head(job.Ref.ID); c.State != archive.CertSealing {
		t.Errorf("a stop became the state %s", c.State)
	}
	if err := room.Reseal(t.Context(), approver, job.Ref.ID); err != nil {
		t.Errorf("stuck: %v", err)
	}
}

func TestNothingToCertify(t *testing.T) {
	w := newWorld(t)
	room, job := w.room(), w.approved(func(_ *archive.Request, r *archive.Record) { r.Fields = nil })
	if err := room.Seal(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if c := w.head(job.Ref.ID); c.State != archive.CertSealFailed || c.Failure != "nothing_to_certify" || w.stamped != 0 {
		t.Errorf("%s %s", c.State, c.Failure)
	}
}

// TestRevokedBeforeItsRequestIsClosed: a crash after sealing, a revocation, and
// then the queue tries again.
func TestRevokedBeforeItsRequestIsClosed(t *testing.T) {
	w := newWorld(t)
	room, job := w.room(), w.approved(nil)
	w.fault = func(op string) (bool, error) {
		return op != "request", map[bool]error{true: archive.ErrUnavailable}[op == "request"]
	}
	if err := room.Seal(t.Context(), job); err == nil {
		t.Fatal("closed")
	}
	w.fault = nil
	c := w.head(job.Ref.ID)
	if err := room.Revoke(t.Context(), approver, c.Number, "误发"); err != nil {
		t.Fatal(err)
	}
	if err := room.Seal(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if again := w.head(c.ID); again.State != archive.CertRevoked || w.stamped != 1 || w.requests[c.ID][1].Value.State != archive.Issued {
		t.Errorf("%s, stamped %d times", again.State, w.stamped)
	}
}
