package stamp

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMissingGlyphIsNamedAlone(t *testing.T) {
	s := newTestStamper(t)
	for name, spoil := range map[string]func(*Sheet){
		"value":     func(s *Sheet) { s.Rows[0][0].Value = "张𠮷" },
		"label":     func(s *Sheet) { s.Rows[0][0].Label = "𠮷" },
		"title":     func(s *Sheet) { s.Title = "𠮷证明" },
		"body":      func(s *Sheet) { s.Body[1][0].Text = "李𠮷" },
		"source":    func(s *Sheet) { s.Body[1][0].Source = "𠮷" },
		"purpose":   func(s *Sheet) { s.PurposeMark = "仅供𠮷使用" },
		"signature": func(s *Sheet) { s.SignedBy = "𠮷" },
		"footer":    func(s *Sheet) { s.Footer = "𠮷" },
	} {
		t.Run(name, func(t *testing.T) {
			sheet := marriageSheet()
			spoil(&sheet)
			_, err := s.Issue(context.Background(), sheet)
			var missing *MissingGlyphError
			if !errors.As(err, &missing) || missing.CodePoint != '𠮷' {
				t.Fatalf("error %v", err)
			}
			if text := err.Error(); !strings.Contains(text, "U+20BB7") || strings.ContainsAny(text, "张李𠮷") {
				t.Errorf("error text %q", text)
			}
		})
	}
}

func TestUnprintableTextIsRefused(t *testing.T) {
	s := newTestStamper(t)
	for _, text := range []string{"张\x00", "张\xff", "张\uFFFD", "张\t", "张\U000E0100"} {
		sheet := marriageSheet()
		sheet.Rows[0][0].Value = text
		var missing *MissingGlyphError
		if _, err := s.Draw(sheet); !errors.As(err, &missing) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestIncompleteSheet(t *testing.T) {
	s := newTestStamper(t)
	_, err := s.Issue(context.Background(), Sheet{Language: "zh)>>", Rows: []Row{{}}})
	if !errors.Is(err, ErrIncomplete) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"Issuer", "Title", "Number", "SignedBy", "Date", "Language", "Body", "a row"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
}

func TestTooLong(t *testing.T) {
	s := newTestStamper(t)
	rows := marriageSheet()
	rows.Rows[2][0].Value = strings.Repeat("档案出处", 400)
	body := marriageSheet()
	for range 200 {
		body.Body = append(body.Body, body.Body[1])
	}
	after, notes, name, number := marriageSheet(), marriageSheet(), marriageSheet(), marriageSheet()
	after.After = append(after.After, Row{{"备注", strings.Repeat("档案出处", 400)}})
	notes.Notes = []string{strings.Repeat("核验\n", 12)}
	name.SignedBy = strings.Repeat("档案馆", 40)
	number.Number = strings.Repeat("号", 49)
	for name, sheet := range map[string]Sheet{
		"rows": rows, "body": body, "rows below": after, "notes": notes, "name under the seal": name, "number": number,
	} {
		if _, err := s.Draw(sheet); !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestLanguageCannotBreakOut: the tag is the one text that is written as it is.
func TestLanguageCannotBreakOut(t *testing.T) {
	s := newTestStamper(t)
	for _, tag := range []string{"", "zh)", "zh)/X(", "zh CN", "zh\n", "中文", "z)h"} {
		sheet := marriageSheet()
		sheet.Language = tag
		if _, err := s.Draw(sheet); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%q: error %v", tag, err)
		}
	}
}

func TestNewRefusesWhatCannotSeal(t *testing.T) {
	_, chain, key, err := NewDemoAuthority(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, otherChain, _, err := NewDemoAuthority(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"no chain":          {Signer: key},
		"another's chain":   {Signer: key, Chain: otherChain},
		"issuer first":      {Signer: key, Chain: []*x509.Certificate{chain[1], chain[0]}},
		"a key of no use":   {Signer: edKey, Chain: chain},
		"a name not in ink": {Signer: key, Chain: chain, SealName: "𠮷"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWithoutSignerOnlyDrafts(t *testing.T) {
	s, err := New(Config{SealName: "青川市档案馆"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Draw(marriageSheet()); err != nil {
		t.Error(err)
	}
	if _, err := s.Issue(context.Background(), marriageSheet()); err == nil {
		t.Error("sealed without a key")
	}
}

func TestIssueStopsWithItsContext(t *testing.T) {
	s := newTestStamper(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Issue(ctx, marriageSheet()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestConcurrentIssue is for the race detector, and for what shared compressors could mix up.
func TestConcurrentIssue(t *testing.T) {
	s := newTestStamper(t)
	sheets := []Sheet{marriageSheet(), longSheet(), englishSheet()}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			sheet := sheets[i%len(sheets)]
			pdf, err := s.Issue(context.Background(), sheet)
			if err != nil {
				t.Error(err)
				return
			}
			if r, err := Verify(pdf, s.roots, s.now); err != nil || r.Word != Valid || r.Number != sheet.Number {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
	all.Wait()
}
