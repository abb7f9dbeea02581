package main_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/internal/testenv"
)

// Words in the original of a copy: one stands on a page that is copied, one under
// a box, one on a page that is left out.
const (
	copiedText  = "CopiedWords"
	maskedText  = "MaskedWords"
	leftOutText = "LeftOutWords"
)

// TestCopy takes a request for certified copies through the desk, and has
// strangers look for what must not be in what was handed out.
func TestCopy(t *testing.T) {
	s := embeddedSite(t, 12)
	record := s.depositOriginals(t)
	id := s.submitCopy(t, record)
	s.move(t, 200, "reviewer", id, archive.Move{Step: archive.StepMatch, Record: record.ID})
	s.refusePages(t, id)
	s.choosePages(t, id)
	s.readDraft(t, id)
	s.move(t, 200, "reviewer", id, archive.Move{Step: archive.StepReview})
	s.move(t, 403, "reviewer", id, archive.Move{Step: archive.StepApprove})
	s.move(t, 200, "approver", id, archive.Move{Step: archive.StepApprove})
	eventually(t, time.Minute, "the copy", func() bool { return s.request(t, "citizen", id).State == archive.Issued })
	number := s.request(t, "citizen", id).Certificate
	c, pdf := s.certificate(t, number)
	if c.Copy == nil || len(c.Copy.Pages) != 3 || len(c.Statements) < 4 || c.Title.ZH != "档案核证副本" {
		t.Errorf("%+v", c.Certificate)
	}
	s.verifyCopy(t, c, pdf)
	checkHandedOut(t, pdf, 4)
	checkSignature(t, pdf)
	s.copyOnce(t, number, pdf)
	s.copyTraces(t, record)
}

// originalPDF has two pages with text; on the first, a blue box stands above the
// words that are to be masked.
func originalPDF() []byte {
	page := func(content string) string {
		return fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content)
	}
	text := func(x, y int, words string) string {
		return fmt.Sprintf("BT /F 18 Tf %d %d Td (%s) Tj ET\n", x, y, words)
	}
	leaf := "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[4 0 R 5 0 R]/Count 2>>", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		fmt.Sprintf(leaf, 6), fmt.Sprintf(leaf, 7),
		page(text(60, 700, copiedText) + "0 0 1 rg 60 420 200 40 re f\n" + text(60, 400, maskedText)),
		page(text(60, 700, leftOutText)),
	}
	var pdf bytes.Buffer
	pdf.WriteString("%PDF-1.7\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, pdf.Len())
		fmt.Fprintf(&pdf, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := pdf.Len()
	fmt.Fprintf(&pdf, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&pdf, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&pdf, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return pdf.Bytes()
}

// depositOriginals deposits a PDF of two pages, a picture, an encrypted PDF, and
// one that is signed.
func (s *site) depositOriginals(t *testing.T) archive.RecordView {
	t.Helper()
	dir := t.TempDir()
	plain, locked := secretFile(t, dir, "plain.pdf", string(originalPDF())), filepath.Join(dir, "locked.pdf")
	if out, err := exec.Command(testenv.Path(t, "qpdf"), "--encrypt", "secret", "secret", "256", "--", plain, locked).CombinedOutput(); err != nil {
		t.Fatalf("qpdf: %v\n%s", err, out)
	}
	encrypted, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	files := []upload{{"original.pdf", "application/pdf", originalPDF()}, storyFiles(t)[1],
		{"locked.pdf", "application/pdf", encrypted}, {"signed.pdf", "application/pdf", s.anySealed(t)}}
	a, err := s.tryDeposit(t.Context(), "originals", storyRecord(s), files...)
	if err != nil || a.status != 201 {
		t.Fatalf("deposit: %v, status %d\n%s", err, a.status, a.body)
	}
	var view archive.RecordView
	a.json(t, &view)
	eventually(t, time.Minute, "reading of the files", func() bool {
		s.must(t, 200, call{user: "uploader", method: "GET", path: "/api/v1/records/" + view.ID}).json(t, &view)
		for _, f := range view.States {
			if f.State == archive.Checking {
				return false
			}
		}
		return true
	})
	return view
}

// anySealed is a sealed PDF of the demonstration.
func (s *site) anySealed(t *testing.T) []byte {
	t.Helper()
	var list struct{ Requests []requestView }
	s.must(t, 200, call{user: "citizen", method: "GET", path: "/api/v1/requests?state=issued"}).json(t, &list)
	if len(list.Requests) == 0 {
		t.Fatal("the demonstration has issued nothing")
	}
	_, pdf := s.certificate(t, list.Requests[0].Certificate)
	return pdf
}

func (s *site) submitCopy(t *testing.T, r archive.RecordView) string {
	t.Helper()
	var v requestView
	s.must(t, 201, call{user: "citizen", method: "POST", path: "/api/v1/requests", body: map[string]any{
		"office": r.Office, "purpose": "办理公证", "service": "copy",
		"wanted": archive.Wanted{Category: "marriage", Persons: []archive.Person{{Name: s.persons["citizen"].Name, Role: "husband"}}},
	}}).json(t, &v)
	return v.ID
}

func onPage(file, page int, masks ...archive.Box) archive.CopyPage {
	return archive.CopyPage{PageRef: archive.PageRef{File: file, Page: page}, Masks: masks}
}

// refusePages offers what cannot be copied, and looks for each reason.
func (s *site) refusePages(t *testing.T, id string) {
	t.Helper()
	var offer struct{ Originals []archive.FileChoice }
	s.must(t, 200, call{user: "reviewer", method: "GET", path: "/api/v1/requests/" + id + "/copy"}).json(t, &offer)
	if len(offer.Originals) != 4 || offer.Originals[0].Pages != 2 || offer.Originals[2].Refused != "file_encrypted" || !offer.Originals[3].Images {
		t.Errorf("the choice is %+v", offer.Originals)
	}
	s.must(t, 409, call{user: "approver", method: "GET", path: "/api/v1/requests/" + id + "/copy/draft"})
	v := s.request(t, "reviewer", id)
	pages := []archive.CopyPage{onPage(3, 1), onPage(1, 3), onPage(1, 1, archive.Box{X: 0.5, Width: 0.6, Height: 0.1, Reason: "because"})}
	a := s.must(t, 422, call{user: "reviewer", method: "POST", path: "/api/v1/requests/" + id + "/actions",
		body: archive.Move{Step: archive.StepChoose, Pages: pages}, header: map[string]string{"If-Match": fmt.Sprintf("%q", fmt.Sprint(v.Version))}})
	var fault struct{ Problems archive.Problems }
	a.json(t, &fault)
	want := archive.Problems{{Code: "file_encrypted", Field: "pages[0].file"}, {Code: "unknown_page", Field: "pages[1].page"},
		{Code: "out_of_range", Field: "pages[2].masks[0].width"}, {Code: "unknown_value", Field: "pages[2].masks[0].reason"}}
	if fmt.Sprint(fault.Problems) != fmt.Sprint(want) {
		t.Errorf("refused for %v", fault.Problems)
	}
}

// choosePages takes the first page of the PDF without what is at its middle, the
// picture, and the signed page.
func (s *site) choosePages(t *testing.T, id string) {
	t.Helper()
	middle := archive.Box{X: 0.05, Y: 0.4, Width: 0.5, Height: 0.12, Reason: archive.MaskThirdParty}
	s.move(t, 403, "citizen", id, archive.Move{Step: archive.StepChoose, Pages: []archive.CopyPage{onPage(1, 2)}})
	s.move(t, 200, "reviewer", id, archive.Move{Step: archive.StepChoose, Pages: []archive.CopyPage{onPage(1, 1, middle), onPage(2, 1), onPage(4, 1)}})
}

// readDraft is what the approver decides on: the same pages, without a seal.
func (s *site) readDraft(t *testing.T, id string) {
	t.Helper()
	path := "/api/v1/requests/" + id + "/copy/draft"
	draft := s.must(t, 200, call{user: "approver", method: "GET", path: path}).body
	checkHandedOut(t, draft, 4)
	if v := s.verify(t, verifyPDF(draft)); v.Verdict != archive.Unknown {
		t.Errorf("a draft verifies as %+v", v)
	}
	if !strings.Contains(textOf(t, draft), "草稿") {
		t.Error("the draft does not say that it is one")
	}
	s.must(t, 403, call{user: "citizen", method: "GET", path: path})
	s.must(t, 403, call{user: "uploader", method: "GET", path: path})
}

func (s *site) verifyCopy(t *testing.T, c certificateView, pdf []byte) {
	t.Helper()
	for name, ask := range map[string]call{"number": {body: map[string]string{"number": c.Number, "code": c.Code}}, "PDF": verifyPDF(pdf)} {
		if v := s.verify(t, ask); v.Verdict != archive.Valid || v.Pages != 3 || v.Title != c.Title {
			t.Errorf("by %s: %+v", name, v)
		}
	}
	changed := bytes.Clone(pdf)
	changed[len(changed)/2] ^= 1
	if v := s.verify(t, verifyPDF(append(bytes.Clone(pdf), "\n% more\n"...))); v.Verdict != archive.Tampered {
		t.Errorf("with something appended: %+v", v)
	}
	s.verifyOffline(t, pdf, changed)
	s.must(t, 404, call{user: "citizen2", method: "GET", path: "/api/v1/certificates/" + url.PathEscape(c.Number) + "/pdf"})
}

// checkHandedOut unpacks a copy of so many pages, cover included, and looks at
// everything in it.
func checkHandedOut(t *testing.T, pdf []byte, pages int) {
	t.Helper()
	dir := t.TempDir()
	path, open := secretFile(t, dir, "copy.pdf", string(pdf)), filepath.Join(dir, "open.pdf")
	qpdf := testenv.Path(t, "qpdf")
	if out, err := exec.Command(qpdf, "--show-npages", path).Output(); err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(pages) {
		t.Errorf("%s pages, %v", out, err)
	}
	if out, err := exec.Command(qpdf, "--qdf", "--stream-data=uncompress", "--object-streams=disable", path, open).CombinedOutput(); err != nil {
		t.Fatalf("qpdf: %v\n%s", err, out)
	}
	unpacked, err := os.ReadFile(open)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{leftOutText, maskedText} {
		if bytes.Contains(pdf, []byte(word)) || bytes.Contains(unpacked, []byte(word)) || strings.Contains(textOf(t, pdf), word) {
			t.Errorf("%s was handed out", word)
		}
	}
	if n := bluePixels(t, path, 2); n != 0 {
		t.Errorf("%d pixels of what is masked can be seen", n)
	}
	if n := bluePixels(t, secretFile(t, dir, "original.pdf", string(originalPDF())), 1); n < 100 {
		t.Errorf("the original has only %d pixels to look for", n)
	}
}

func textOf(t *testing.T, pdf []byte) string {
	t.Helper()
	out, err := exec.Command(testenv.Path(t, "pdftotext"), "-raw", secretFile(t, t.TempDir(), "a.pdf", string(pdf)), "-").Output()
	if err != nil {
		t.Fatalf("pdftotext: %v", err)
	}
	return string(out)
}

// bluePixels draws a page and counts what is as blue as the box of the original.
func bluePixels(t *testing.T, path string, page int) int {
	t.Helper()
	out, err := exec.Command(testenv.Path(t, "pdftoppm"), "-r", "40", "-png", "-f", fmt.Sprint(page), "-l", fmt.Sprint(page), path).Output()
	if err != nil {
		t.Fatalf("pdftoppm: %v", err)
	}
	drawn, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	blue, area := 0, drawn.Bounds()
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if r, g, b, _ := drawn.At(x, y).RGBA(); b > 0xA000 && r < 0x6000 && g < 0x6000 {
				blue++
			}
		}
	}
	return blue
}

func checkSignature(t *testing.T, pdf []byte) {
	t.Helper()
	path := secretFile(t, t.TempDir(), "copy.pdf", string(pdf))
	out, err := exec.Command(testenv.Path(t, "pdfsig"), "-nocert", path).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Signature is Valid") || !strings.Contains(string(out), "Total document signed") {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
}

// copyOnce asks again for what has been done.
func (s *site) copyOnce(t *testing.T, number string, pdf []byte) {
	t.Helper()
	s.must(t, 409, call{user: "approver", method: "POST", path: "/api/v1/certificates/" + url.PathEscape(number) + "/reseal"})
	if _, again := s.certificate(t, number); !bytes.Equal(pdf, again) {
		t.Error("there is another copy")
	}
}

// copyTraces: that the originals were looked at and copied is on record.
func (s *site) copyTraces(t *testing.T, r archive.RecordView) {
	t.Helper()
	var log struct{ Accesses []archive.Access }
	s.must(t, 200, call{user: "auditor", method: "GET", path: "/api/v1/accesses?limit=500"}).json(t, &log)
	seen := map[archive.Role]int{}
	for _, a := range log.Accesses {
		if a.Action == archive.ActFile && a.Ref.ID == r.ID && a.Purpose.Code == archive.ForRequest {
			seen[a.Role]++
		}
	}
	if seen[archive.RoleApprover] != 3 || seen[archive.RoleSystem] != 3 {
		t.Errorf("files were opened by %v", seen)
	}
}
