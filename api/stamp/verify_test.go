package stamp

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"dangan/internal/testenv"
)

func verdict(t testing.TB, s testStamper, pdf []byte) Result {
	t.Helper()
	result, err := Verify(pdf, s.roots, s.now)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestVerify(t *testing.T) {
	s, other := newTestStamper(t), newTestStamper(t)
	sheet := marriageSheet()
	pdf := issue(t, s, sheet)
	draft, err := s.Draw(sheet)
	if err != nil {
		t.Fatal(err)
	}
	withMarker := bytes.Replace(draft, []byte("/Type/Catalog"), []byte("/Type/Catalog"+markerToken+textString("1")+">>"), 1)
	wrongGap := bytes.Clone(pdf)
	wrongGap[bytes.Index(pdf, []byte("0>>>\nendobj"))] = '1'
	upperCase := bytes.Clone(pdf)
	at := bytes.Index(pdf, []byte(contentsToken)) + len(contentsToken)
	copy(upperCase[at:], bytes.ToUpper(pdf[at:at+2000]))
	for _, tt := range []struct {
		name   string
		pdf    []byte
		state  State
		word   Word
		number string
	}{
		{"as issued", pdf, Intact, Valid, sheet.Number},
		{"a draft", draft, Foreign, Unknown, ""},
		{"another office's", issue(t, other, sheet), Intact, Unknown, sheet.Number},
		{"an empty PDF", []byte("%PDF-1.7\n%%EOF\n"), Foreign, Unknown, ""},
		{"our number without a seal", withMarker, Changed, Tampered, "1"},
		{"a byte added", append(bytes.Clone(pdf), '\n'), Extended, Tampered, sheet.Number},
		{"an update added", append(bytes.Clone(pdf), pdf...), Extended, Tampered, sheet.Number},
		{"the end cut off", pdf[:len(pdf)-1], Changed, Tampered, sheet.Number},
		{"a byte before", append([]byte("\n"), pdf...), Changed, Tampered, sheet.Number},
		{"a byte in the signature's padding", wrongGap, Changed, Tampered, sheet.Number},
		{"the signature in capitals", upperCase, Changed, Tampered, sheet.Number},
		{"another number", bytes.Replace(pdf, []byte(markerToken+"<FEFF9752"), []byte(markerToken+"<FEFF9753"), 1), Changed, Tampered, strings.Replace(sheet.Number, "青", "靓", 1)},
		{"no marker", bytes.Replace(pdf, []byte(markerToken), []byte(strings.ToLower(markerToken)), 1), Changed, Tampered, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := Inspect(tt.pdf)
			if err != nil {
				t.Fatal(err)
			}
			if id.State != tt.state || id.Number != tt.number && tt.name != "another number" {
				t.Errorf("state %v, number %q, want %v, %q (%s)", id.State, id.Number, tt.state, tt.number, id.Reason)
			}
			if (id.State == Intact) != (id.Reason == "") {
				t.Errorf("state %v with reason %q", id.State, id.Reason)
			}
			if r := verdict(t, s, tt.pdf); r.Word != tt.word || r.Why == "" || r.Word == Unknown && r.Number != "" {
				t.Errorf("%s, want %s (%s)", r.Word, tt.word, r.Why)
			}
		})
	}
}

func TestNotAPDF(t *testing.T) {
	for _, data := range [][]byte{nil, {}, []byte("GIF89a"), bytes.Repeat([]byte{0}, 4096)} {
		if _, err := Inspect(data); !errors.Is(err, ErrNotPDF) {
			t.Errorf("Inspect(%d bytes): %v", len(data), err)
		}
		if _, err := Verify(data, x509.NewCertPool(), time.Now()); !errors.Is(err, ErrNotPDF) {
			t.Errorf("Verify(%d bytes): %v", len(data), err)
		}
	}
}

func TestTrust(t *testing.T) {
	s := newTestStamper(t)
	pdf := issue(t, s, marriageSheet())
	for _, tt := range []struct {
		name  string
		roots *x509.CertPool
		at    time.Time
		word  Word
	}{
		{"now", s.roots, s.now, Valid},
		{"no roots", x509.NewCertPool(), s.now, Unknown},
		{"nil roots are not the system's", nil, s.now, Unknown},
		{"before the certificate", s.roots, s.now.AddDate(0, 0, -2), Unknown},
		{"after the certificate", s.roots, s.now.AddDate(5, 0, 1), Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r, err := Verify(pdf, tt.roots, tt.at); err != nil || r.Word != tt.word {
				t.Errorf("%v, %v; want %s", r, err, tt.word)
			}
		})
	}
}

// TestAnyChangedByteIsTampered flips bits all over the file: every byte outside compressed streams and
// every 53rd of the rest.
func TestAnyChangedByteIsTampered(t *testing.T) {
	s := newTestStamper(t)
	pdf := issue(t, s, marriageSheet())
	inStream, flips := false, 0
	for i := range pdf {
		switch {
		case bytes.HasPrefix(pdf[i:], []byte("stream\n")) && !bytes.HasSuffix(pdf[:i], []byte("end")):
			inStream = true
		case bytes.HasPrefix(pdf[i:], []byte("endstream\n")):
			inStream = false
		}
		inPadding := i > 0 && pdf[i] == '0' && pdf[i-1] == '0'
		if (inStream || inPadding) && i%53 != 0 {
			continue
		}
		flips++
		pdf[i] ^= 1
		if r := verdict(t, s, pdf); r.Word != Tampered {
			t.Errorf("byte %d of %d: %s (%s)", i, len(pdf), r.Word, r.Why)
		}
		pdf[i] ^= 1
	}
	if flips < 5000 || verdict(t, s, pdf).Word != Valid {
		t.Fatalf("%d bytes were tried, and the file should be itself again", flips)
	}
}

// TestOtherCheckersSeeChanges makes sure that the seal speaks to programs of others, too.
func TestOtherCheckersSeeChanges(t *testing.T) {
	s := newTestStamper(t)
	pdf := issue(t, s, marriageSheet())
	flipped := bytes.Clone(pdf)
	flipped[bytes.Index(pdf, []byte("/CreationDate (D:20"))+len("/CreationDate (D:20")] ^= 1
	for _, tt := range []struct {
		name, pdfsig, mutool string
		pdf                  []byte
	}{
		{"one byte changed", "Digest Mismatch", "invalidated by change", flipped},
		{"bytes added", "Not total document signed", "", append(bytes.Clone(pdf), "% more\n"...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, "changed.pdf", tt.pdf)
			for tool, want := range map[string]string{"pdfsig": tt.pdfsig, "mutool": tt.mutool} {
				args := []string{file}
				if tool == "mutool" {
					args = []string{"sign", "-v", file}
				}
				out, _ := exec.Command(testenv.Path(t, tool), args...).CombinedOutput() // may exit with an error: that is its point
				if !strings.Contains(string(out), want) {
					t.Errorf("%s does not say %q:\n%s", tool, want, out)
				}
			}
		})
	}
}

// TestNoPersonOutsideThePage: the names stand on the page, compressed, and nowhere else.
func TestNoPersonOutsideThePage(t *testing.T) {
	s := newTestStamper(t)
	sheet := marriageSheet()
	pdf := issue(t, s, sheet)
	escaped := ""
	for _, r := range "张㛃" {
		escaped += fmt.Sprintf("&#x%X;", r)
	}
	for _, form := range []string{"张㛃", strings.Trim(textString("张㛃"), "<>")[4:], escaped, sheet.Rows[0][1].Value} {
		if bytes.Contains(pdf, []byte(form)) {
			t.Errorf("the file carries the applicant as %q", form)
		}
	}
}

func FuzzInspect(f *testing.F) {
	s := newTestStamper(f)
	pdf := issue(f, s, marriageSheet())
	at := bytes.Index(pdf, []byte(byteRangeToken))
	f.Add(pdf)
	f.Add(append([]byte("%PDF-1.7\n"), pdf[at:at+6000]...))
	f.Add([]byte("%PDF-1.7\n" + markerToken + "<FEFF0031>>>\n" + byteRangeToken + "0 90 92 0                           ]\n" + contentsToken + ">"))
	f.Fuzz(func(t *testing.T, data []byte) {
		id, err := Inspect(data)
		if err != nil {
			if !errors.Is(err, ErrNotPDF) {
				t.Fatal(err)
			}
			return
		}
		if id.Covered > len(data) || id.State == Intact && (id.Evidence == nil && id.Covered != len(data) || id.Signer == nil) {
			t.Fatalf("%d of %d bytes covered, state %v", id.Covered, len(data), id.State)
		}
		if id.State != Intact {
			return
		}
		if more, err := Inspect(append(bytes.Clone(data), 0)); err != nil || more.State != Extended {
			t.Fatalf("with a byte more: %v, %v", more.State, err)
		}
	})
}
