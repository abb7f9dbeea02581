package stamp

import (
	"bytes"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"testing"
)

// readSheet reads what a built-in template says of an example (written by package main).
func readSheet(t *testing.T, name string) Sheet {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "sheets", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var sheet Sheet
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&sheet); err != nil {
		t.Fatal(err)
	}
	return sheet
}

// TestTemplatePictures: every template in each language, with little and with much on record.
func TestTemplatePictures(t *testing.T) {
	s := newTestStamper(t)
	const dpi = 56
	for name, variants := range map[string][]string{
		"marriage": {"zh", "both", "en", "bare"}, "holding": {"zh", "both"}, "service-years": {"zh", "both", "bare"},
		"not-found": {"zh", "both", "bare"}, "reading": {"zh", "both"}, "social-insurance": {"zh", "en"},
	} {
		var pages []image.Image
		for _, variant := range variants {
			pdf := drawn(t, s, readSheet(t, name+"-"+variant))
			if n := bytes.Count(pdf, []byte("/Type/Page/")); n != 1 && variant != "both" || n > 2 {
				t.Errorf("%s-%s: %d pages", name, variant, n)
			}
			pages = append(pages, render(t, pdf, 1, dpi))
		}
		golden(t, "template-"+name, beside(pages...))
	}
	for _, name := range []string{"marriage", "not-found", "reading"} {
		pdf := drawn(t, s, readSheet(t, name+"-long"))
		var pages []image.Image
		for n := range bytes.Count(pdf, []byte("/Type/Page/")) {
			pages = append(pages, render(t, pdf, n+1, dpi))
		}
		golden(t, "template-"+name+"-long", beside(pages...))
	}
	draft := readSheet(t, "marriage-both")
	draft.Draft, draft.Number, draft.QRText, draft.CheckCode, draft.VerifyURL, draft.Footer = "草稿 不作凭证", "（草稿，无编号）", "", "", "", ""
	golden(t, "template-draft", beside(render(t, drawn(t, s, draft), 1, dpi)))
}

func drawn(t *testing.T, s testStamper, sheet Sheet) []byte {
	t.Helper()
	pdf, err := s.Draw(sheet)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}
